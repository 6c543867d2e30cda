package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"
)

// TestNATSAway posts while NATS is away: once until the ingress gives up, and once until NATS comes back.
func TestNATSAway(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	c := startCluster(t, manifest(b, triggerOf(b, "all", s.URL+"/all")))
	run(t, built.kn, "send", c.urls[0], "--id", "before")
	s.getsEvent(t, "/all", "before")

	c.nats.kill()
	began := time.Now()
	got := (call{url: c.urls[0], header: event("t", "given-up")}).do(t)
	if got.status != http.StatusServiceUnavailable || got.header.Get("retry-after") == "" {
		t.Errorf("status %d, want 503 with Retry-After: %v %s", got.status, got.header, got.body)
	}
	if took := time.Since(began); took < 5*time.Second || took > 15*time.Second {
		t.Errorf("the answer took %s, want about 10 s", took)
	}

	taken := make(chan struct{})
	answer := make(chan int, 1)
	go func() { answer <- postTraced(t.Context(), c.urls[1], event("t", "in-time"), func() { close(taken) }) }()
	<-taken
	c.nats.start()
	if status := <-answer; status != http.StatusAccepted {
		t.Errorf("status %d, want 202: NATS was back within the deadline", status)
	}
	run(t, built.kn, "send", c.urls[0], "--id", "after", "--retry", "20")
	for _, id := range []string{"in-time", "after"} {
		s.getsEvent(t, "/all", id)
	}
	eventually(t, 20*time.Second, "there is no backlog", func() error {
		for _, row := range getFrom[triggerRow](t, "triggers", "--nats", c.natsURL) {
			if row.Backlog > 0 {
				return fmt.Errorf("%d", row.Backlog)
			}
		}
		return nil
	})
	// What was acknowledged in the moment of the kill may come again; what was posted later may not.
	for _, id := range []string{"given-up", "in-time", "after"} {
		if n := len(s.of("/all", id)); n > 1 {
			t.Errorf("%s was delivered %d times", id, n)
		}
	}
}

// postTraced posts the event, calls written when the request is on its way, and returns the status, 0 without an answer.
func postTraced(ctx context.Context, url string, header http.Header, written func()) int {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { written() }})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		return 0
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}
