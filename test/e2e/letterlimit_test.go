package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// totals is what kn-jetstream get brokers shows of what a Broker's streams may hold.
type totals struct{ TotalLimit int }

// TestAFullDeadLetterStreamIsMadeLarger is docs/operations.md, "the dead-letter stream is full": only the Trigger whose events fail
// waits, no letter is lost, and a limit that would drop letters is refused until they are gone.
func TestAFullDeadLetterStreamIsMadeLarger(t *testing.T) {
	t.Parallel()
	const events, size, log, small, large = 16, 8000, 4 << 20, 64 << 10, 1 << 20
	s := subscribe(t, map[string]answers{"/refuses": says(http.StatusBadRequest, "no")})
	files := func(limit string) string {
		b := brokerOf("default", "", "max-bytes", "4Mi", "dead-letter-max-bytes", limit)
		return manifest(b, triggerOf(b, "refuses", s.URL+"/refuses"), triggerOf(b, "other", s.URL+"/other"))
	}
	l := startLaptop(t, files("64Ki"))
	for n := range events {
		l.accepts(t, "/default/default", event("t", fmt.Sprint(n)), make([]byte, size))
	}
	s.gets(t, "/other", events)
	s.gets(t, "/refuses", events)
	limited := func(want int) {
		t.Helper()
		eventually(t, 20*time.Second, "the streams have their limits", func() error {
			if rows := get[totals](t, l, "brokers"); len(rows) != 1 || rows[0].TotalLimit != want {
				return fmt.Errorf("%+v, want %d", rows, want)
			}
			return nil
		})
	}
	limited(2*log + small)
	eventually(t, 20*time.Second, "the dead-letter stream is full", func() error {
		if n := len(l.letters(t)); n < small/size-2 {
			return fmt.Errorf("%d letters", n)
		}
		return nil
	})
	if n := len(l.letters(t)); n > small/size || held(get[triggerRow](t, l, "triggers")) == nil {
		t.Errorf("%d dead letters of %d bytes are kept in %d bytes, and nothing waits", n, size, small)
	}

	l.save(t, files("1Mi"))
	limited(2*log + large)
	l.drained(t)
	if n := len(l.letters(t)); n != events {
		t.Errorf("%d dead letters are kept, want all %d", n, events)
	}

	l.save(t, files("64Ki"))
	l.says(t, "it holds dead letters that this limit would drop", 1)
	if n := len(l.letters(t)); n != events {
		t.Errorf("%d dead letters are left, want all %d", n, events)
	}
	limited(2*log + large)
	l.dlq(t, "drop", "--all")
	limited(2*log + small)
}
