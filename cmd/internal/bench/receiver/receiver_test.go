package receiver_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/ledger"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/receiver"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
)

// subscribers are a receiver with its ledger.
type subscribers struct {
	*receiver.Receiver
	ledger  *ledger.Ledger
	settled atomic.Int64
}

func start(t *testing.T, w workload.Workload, b receiver.Behaviour) *subscribers {
	t.Helper()
	s := &subscribers{ledger: ledger.New(w.Targets(), 100)}
	s.ledger.Accept(0, 10)
	var err error
	s.Receiver, err = receiver.Start(t.Context(), "127.0.0.1:0", receiver.Options{
		Behaviour: b, Targets: w.Targets(), Ledger: s.ledger, Run: "RUN", Began: time.Now(), Settled: func() { s.settled.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func id(i int) string { return string(workload.AppendID(nil, "RUN", i, 0)) }

// post delivers a binary event and returns the answer.
func (s *subscribers) post(t *testing.T, path, id string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Address()+path, strings.NewReader("data"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Ce-Id", id)
	return do(t, request)
}

func do(t *testing.T, request *http.Request) *http.Response {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response
}

func everything() workload.Workload {
	return workload.Workload{Types: 1, FanOut: 2, Filter: workload.FilterNone}
}

func TestArrivalsAreAccountedFor(t *testing.T) {
	s := start(t, everything(), receiver.Behaviour{})
	for _, path := range []string{"/s/0", "/s/0", "/s/1", "/dead/1"} {
		if got := s.post(t, path, id(3)).StatusCode; got != http.StatusAccepted {
			t.Errorf("%s: %d", path, got)
		}
	}
	tally := s.ledger.Tally(1)
	if tally.Delivered != 2 || tally.Duplicates != 1 || s.settled.Load() != 2 {
		t.Errorf("%+v, settled %d", tally, s.settled.Load())
	}
	if got := s.EndToEnd.Summary().Count; got != 3 {
		t.Errorf("%d latencies", got)
	}
}

func TestAnEventInTheJSONFormatIsKnown(t *testing.T) {
	s := start(t, everything(), receiver.Behaviour{})
	body := strings.NewReader(`{"specversion":"1.0","id":"` + id(4) + `","source":"/","type":"t"}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Address()+"/s/0", body)
	if err != nil {
		t.Fatal(err)
	}
	if got := do(t, request).StatusCode; got != http.StatusAccepted || s.settled.Load() != 1 {
		t.Errorf("answer %d, settled %d", got, s.settled.Load())
	}
}

func TestStrangersAreRefused(t *testing.T) {
	s := start(t, everything(), receiver.Behaviour{})
	for path, id := range map[string]string{"/s/0": "somebody's", "/s/9": id(1), "/": id(1), "/dead/x": id(1)} {
		if got := s.post(t, path, id).StatusCode; got != http.StatusBadRequest {
			t.Errorf("%s %s: %d", path, id, got)
		}
	}
	if s.Foreign() != 4 || s.settled.Load() != 0 {
		t.Errorf("%d foreign, %d settled", s.Foreign(), s.settled.Load())
	}
}

func TestFailingSubscribersRefuseAndAreNotMeasured(t *testing.T) {
	s := start(t, everything(), receiver.Behaviour{Failing: 1})
	if got := s.post(t, "/s/0", id(1)).StatusCode; got != http.StatusAccepted {
		t.Errorf("the healthy one answers %d", got)
	}
	if got := s.post(t, "/s/1", id(1)).StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("the failing one answers %d", got)
	}
	s.post(t, "/dead/1", id(1))
	tally := s.ledger.Tally(1)
	if tally.Delivered != 1 || tally.DeadLettered != 1 || tally.Exhausted != 1 || tally.Misjudged != 0 {
		t.Errorf("%+v", tally)
	}
	if got := s.EndToEnd.Summary().Count; got != 1 {
		t.Errorf("%d latencies, want that of the healthy one", got)
	}
}

func TestAShareOfRequestsFails(t *testing.T) {
	s := start(t, everything(), receiver.Behaviour{FailShare: 1})
	if got := s.post(t, "/s/0", id(1)).StatusCode; got != http.StatusInternalServerError || s.settled.Load() != 0 {
		t.Errorf("answer %d, settled %d", got, s.settled.Load())
	}
}

func TestAReplyIsAnEventOfTheSameNumber(t *testing.T) {
	w := workload.Workload{Types: 1, FanOut: 1, Filter: workload.FilterType, Replies: true}
	s := start(t, w, receiver.Behaviour{})
	response := s.post(t, "/s/0", id(2))
	if got := response.Header; got.Get("Ce-Id") != id(2) || got.Get("Ce-Type") != workload.ReplyType || got.Get("Ce-Specversion") != "1.0" {
		t.Errorf("%v", got)
	}
	if got := s.post(t, "/s/1", id(2)).Header.Get("Ce-Id"); got != "" {
		t.Error("a reply is replied to")
	}
}
