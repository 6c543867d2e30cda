package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fillingBytes is the size of the events that fill a storage. With it some 150 of them do.
const fillingBytes = 32000

// startSmallNATS runs a nats-server that stores no more than 16 MiB in files, and returns its URL.
func startSmallNATS(t *testing.T) string {
	t.Helper()
	port := freePort(t)
	config := filepath.Join(t.TempDir(), "nats.conf")
	text := fmt.Sprintf("listen: \"127.0.0.1:%s\"\njetstream {store_dir: %q, max_file_store: %d, max_memory_store: %d}\n", port, t.TempDir(), 16<<20, 16<<20)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "nats-server", built.natsServer, "-c", config)
	return "nats://127.0.0.1:" + port
}

// TestStorageFull fills all that a small NATS stores while the subscribers of four Triggers are down: what was accepted waits in the log,
// or is parked for each of the four. Triggers are changed, added and removed meanwhile; and when the subscribers are well again, each
// has everything.
func TestStorageFull(t *testing.T) {
	t.Parallel()
	well := make(chan struct{})
	down := until(well, says(503, ""))
	s := subscribe(t, map[string]answers{"/a": down, "/b": down, "/c": down, "/d": down, "/removed": down})
	b := brokerOf("default", "", "max-bytes", "4Mi")
	const again = `delivery: {retry: 1000, backoffPolicy: linear, backoffDelay: PT11S}`
	var four []resource
	for _, name := range []string{"a", "b", "c", "d"} {
		four = append(four, triggerOf(b, name, s.URL+"/"+name, again))
	}
	url := startSmallNATS(t)
	l := startLaptop(t, manifest(append([]resource{b, triggerOf(b, "removed", s.URL+"/removed", again)}, four...)...), "--nats", url)
	ids := l.fillStorage(t)
	t.Logf("accepted %d events before 507", len(ids))

	four[0] = triggerOf(b, "a", s.URL+"/changed", again)
	l.save(t, manifest(append([]resource{b, triggerOf(b, "added", s.URL+"/added", again)}, four...)...))
	eventually(t, 40*time.Second, "a Trigger is removed, one is added, and all that is wrong is the room", func() error {
		names := ""
		for _, row := range getFrom[triggerRow](t, "triggers", "--nats", url) {
			if !row.Ready && !strings.Contains(row.Reason, "the directed stream is full") {
				return errors.New(row.Key.Name + ": " + row.Reason)
			}
			names += row.Key.Name + " "
		}
		if strings.Contains(names, "removed") || !strings.Contains(names, "added") {
			return errors.New(names)
		}
		return nil
	})

	close(well)
	eventually(t, 90*time.Second, "everything that was accepted is delivered", func() error {
		for path, others := range map[string]string{"/a": "/changed", "/b": "/b", "/c": "/c", "/d": "/d"} {
			missing := 0
			for _, id := range ids {
				if len(s.of(path, id)) == 0 && len(s.of(others, id)) == 0 {
					missing++
				}
			}
			if missing > 0 {
				return fmt.Errorf("%d of %d are missing at %s", missing, len(ids), path)
			}
		}
		rows := getFrom[triggerRow](t, "triggers", "--nats", url)
		for _, row := range rows {
			if !row.Ready {
				return errors.New(row.Key.Name + ": " + row.Reason)
			}
		}
		return held(rows)
	})
	eventually(t, 60*time.Second, "there is room again once the removed Trigger's grace period is over", func() error {
		got := (call{url: l.url("/default/default"), header: event("t", "after"), body: bytes.NewReader(make([]byte, fillingBytes))}).do(t)
		if got.status != http.StatusAccepted {
			return fmt.Errorf("status %d: %s", got.status, got.body)
		}
		return nil
	})
	for _, path := range []string{"/changed", "/b", "/c", "/d", "/added"} {
		s.getsEvent(t, path, "after")
	}
}

// fillStorage posts events of fillingBytes until nothing more is taken for a while, and returns the ids of those that were accepted.
func (l *laptop) fillStorage(t *testing.T) (ids []string) {
	t.Helper()
	full := time.Time{}
	eventually(t, 120*time.Second, "the storage is full", func() error {
		for range 1000 {
			id := fmt.Sprint("fills-", len(ids))
			got := (call{url: l.url("/default/default"), header: event("t", id), body: bytes.NewReader(make([]byte, fillingBytes))}).do(t)
			if got.status == http.StatusAccepted {
				ids, full = append(ids, id), time.Time{}
				continue
			}
			if full.IsZero() {
				full = time.Now()
			}
			if got.status == http.StatusInsufficientStorage && time.Since(full) > 3*time.Second {
				return nil
			}
			return fmt.Errorf("status %d: %s", got.status, got.body)
		}
		return fmt.Errorf("%d were accepted", len(ids))
	})
	return ids
}
