package jetstream

import (
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestAnswersToAPublish(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, data string
		status     string
		want       error
		wantCode   jetstream.ErrorCode
	}{
		{name: "stored", data: `{"stream":"LOG", "seq":7}`},
		{name: "stored before", data: `{"stream":"LOG","seq":7,"duplicate":true}`},
		{name: "in a domain", data: `{"stream":"LOG", "domain":"hub", "seq":7}`},
		{name: "members in another order", data: `{"seq":7,"stream":"LOG"}`},
		{name: "refused", data: `{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"LOG","seq":0}`, wantCode: 10077},
		{name: "nobody there", status: "503", want: jetstream.ErrNoStreamResponse},
		{name: "empty", want: jetstream.ErrInvalidJSAck},
		{name: "no stream", data: `{"stream":"","seq":7}`, want: jetstream.ErrInvalidJSAck},
		{name: "cut off", data: `{"stream":"LOG", "s`, want: jetstream.ErrInvalidJSAck},
		{name: "of somebody else", data: `+OK`, want: jetstream.ErrInvalidJSAck},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &nats.Msg{Data: []byte(test.data), Header: nats.Header{}}
			if test.status != "" {
				m.Header.Set("Status", test.status)
			}
			err := answerIn(m)
			if api, ok := errors.AsType[*jetstream.APIError](err); ok != (test.wantCode != 0) || (ok && api.ErrorCode != test.wantCode) {
				t.Fatalf("error %v, want one with code %d", err, test.wantCode)
			}
			if test.wantCode == 0 && !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

// unsent are acks for messages that a test answers by itself.
func unsent() *acks { return &acks{waiting: map[uint64]waiter{}} }

func expect(t *testing.T, a *acks, n int) *sending {
	t.Helper()
	s, err := a.expect(n)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func isDone(s *sending) bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func TestASendingIsDoneWithItsLastAnswer(t *testing.T) {
	t.Parallel()
	a := unsent()
	one, other := expect(t, a, 3), expect(t, a, 1)
	full := errors.New("full")
	a.settle(one.first+2, nil)
	a.settle(one.first, full)
	a.settle(one.first, nil) // the answer to a second copy
	if isDone(one) || isDone(other) {
		t.Fatal("done before the last answer")
	}
	a.settle(one.first+1, nil)
	if !isDone(one) || isDone(other) {
		t.Fatal("not done after the last answer, or the other one is")
	}
	if !errors.Is(one.answers[0], full) || one.answers[1] != nil || one.answers[2] != nil {
		t.Errorf("answers %v, want the first alone to be an error", one.answers)
	}
}

func TestWaitsThatEndWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*acks, *sending){
		"given up":     func(a *acks, s *sending) { a.giveUp(s, nats.ErrDisconnected) },
		"disconnected": func(a *acks, _ *sending) { a.disconnected() },
	} {
		t.Run(name, func(t *testing.T) {
			a := unsent()
			s := expect(t, a, 2)
			a.settle(s.first, nil)
			end(a, s)
			if !isDone(s) || s.answers[0] != nil || !errors.Is(s.answers[1], nats.ErrDisconnected) {
				t.Fatalf("answers %v", s.answers)
			}
			a.settle(s.first+1, nil) // too late: who waited has read the answers by now
			if isDone(s) || s.answers[1] == nil {
				t.Error("an answer that comes late is written")
			}
			if len(a.waiting) != 0 {
				t.Errorf("%d waits are left", len(a.waiting))
			}
		})
	}
}

func TestWaitsAreBounded(t *testing.T) {
	t.Parallel()
	a := unsent()
	s := expect(t, a, maxPendingPublishes)
	if _, err := a.expect(1); !errors.Is(err, errTooManyPending) {
		t.Fatalf("error %v, want %v", err, errTooManyPending)
	}
	a.settle(s.first, nil)
	expect(t, a, 1)
}

func TestForeignAnswersAreIgnored(t *testing.T) {
	t.Parallel()
	a := unsent()
	a.prefix = "_INBOX.x."
	s := expect(t, a, 1)
	for _, token := range []string{"", "!", "zz", strings.Repeat("z", 20)} {
		a.take(&nats.Msg{Subject: a.prefix + token, Data: []byte(`{"stream":"LOG", "seq":7}`)})
	}
	if isDone(s) {
		t.Error("done by an answer to something else")
	}
}
