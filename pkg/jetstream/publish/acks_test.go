package publish

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

func TestAnswersToAPublish(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, data string
		status     string
		want       error
		wantCode   natsjs.ErrorCode
	}{
		{name: "stored", data: `{"stream":"LOG","seq":7}`},
		{name: "stored, with spaces", data: `{"stream":"LOG", "seq":7}`},
		{name: "stored before", data: `{"stream":"LOG","seq":7,"duplicate": true}`},
		{name: "in a domain", data: `{"stream":"LOG","domain":"hub","seq":7}`},
		{name: "members in another order", data: `{"seq":7,"stream":"LOG"}`},
		{name: "spaces before the number", data: `{"stream":"LOG","seq": 7 }`},
		{name: "the lowest sequence", data: `{"stream":"LOG","seq":5}`},
		{name: "below the first sequence", data: `{"stream":"LOG","seq":4}`, want: errOtherStream},
		{name: "without a sequence", data: `{"stream":"LOG"}`, want: errOtherStream},
		{name: "stored before, below the first sequence", data: `{"stream":"LOG","seq":4,"duplicate": true}`, want: errOtherStream},
		{name: "another stream", data: `{"stream":"LOG2","seq":7}`, want: errOtherStream},
		{name: "another stream, by its start", data: `{"stream":"LO","seq":7}`, want: errOtherStream},
		{name: "another stream refuses", data: `{"error":{"code":400,"err_code":10060,"description":"expected stream does not match"},"stream":"OTHER","seq":0}`,
			want: errOtherStream},
		{name: "another stream is full", data: `{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"OTHER","seq":0}`,
			want: errOtherStream},
		{name: "refused", data: `{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"LOG","seq":0}`, wantCode: 10077},
		{name: "refused before there is a stream", data: `{"error":{"code":503,"err_code":10008,"description":"unavailable"}}`, wantCode: 10008},
		{name: "nobody there", status: "503", want: natsjs.ErrNoStreamResponse},
		{name: "empty", want: natsjs.ErrInvalidJSAck},
		{name: "no stream", data: `{"stream":"","seq":7}`, want: natsjs.ErrInvalidJSAck},
		{name: "cut off", data: `{"stream":"LOG", "s`, want: natsjs.ErrInvalidJSAck},
		{name: "cut off in the sequence", data: `{"stream":"LOG","seq":7`, want: natsjs.ErrInvalidJSAck},
		{name: "a sequence that is none", data: `{"stream":"LOG","seq":-7}`, want: natsjs.ErrInvalidJSAck},
		{name: "of somebody else", data: `+OK`, want: natsjs.ErrInvalidJSAck},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &nats.Msg{Data: []byte(test.data), Header: nats.Header{}}
			if test.status != "" {
				m.Header.Set("Status", test.status)
			}
			err := Expected{stream: "LOG", first: 5}.judge(answerIn(m))
			if api, ok := errors.AsType[*natsjs.APIError](err); ok != (test.wantCode != 0) || (ok && api.ErrorCode != test.wantCode) {
				t.Fatalf("error %v, want one with code %d", err, test.wantCode)
			}
			if test.wantCode == 0 && !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

// unsent returns acks without a connection: the test answers.
func unsent() *acks { return &acks{prefix: "_INBOX.x.", waiting: map[uint64]waiter{}} }

// subjectOf returns the reply subject of a message of the sending.
func subjectOf(a *acks, s *sending, index int) string {
	return a.prefix + strconv.FormatUint(s.first+uint64(index), 36)
}

// answers delivers the data as the server's answer to a message of the sending.
func answers(a *acks, s *sending, index int, data string) {
	a.take(&nats.Msg{Subject: subjectOf(a, s, index), Data: []byte(data)})
}

const (
	stored = `{"stream":"LOG","seq":7}`
	full   = `{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"LOG","seq":0}`
	other  = `{"error":{"code":400,"err_code":10060,"description":"expected stream does not match"},"stream":"OTHER","seq":0}`
)

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
	one, another := a.expect(ExpectStream("LOG"), 3), a.expect(ExpectStream("LOG"), 1)
	answers(a, one, 2, stored)
	answers(a, one, 0, full)
	answers(a, one, 0, stored) // the answer to a second copy
	if isDone(one) || isDone(another) {
		t.Fatal("done before the last answer")
	}
	answers(a, one, 1, stored)
	if !isDone(one) || isDone(another) {
		t.Fatal("not done after the last answer, or the other one is")
	}
	if !jetstream.IsLogFull(one.answers[0]) || one.answers[1] != nil || one.answers[2] != nil {
		t.Errorf("answers %v, want the first alone to be an error", one.answers)
	}
}

// Where several streams take a message, each of them answers, in any order.
func TestAnotherStreamsAnswerIsNotTheLast(t *testing.T) {
	t.Parallel()
	a := unsent()
	s := a.expect(ExpectStream("LOG"), 2)
	answers(a, s, 0, other)
	answers(a, s, 1, other)
	if isDone(s) {
		t.Fatal("done by the answers of another stream")
	}
	answers(a, s, 0, stored)
	a.giveUp(s, errNoPubAck)
	if !isDone(s) || s.answers[0] != nil || !errors.Is(s.answers[1], errOtherStream) {
		t.Errorf("answers %v, want none and that of the other stream", s.answers)
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
			s := a.expect(ExpectStream("LOG"), 2)
			answers(a, s, 0, stored)
			end(a, s)
			if !isDone(s) || s.answers[0] != nil || !errors.Is(s.answers[1], nats.ErrDisconnected) {
				t.Fatalf("answers %v", s.answers)
			}
			answers(a, s, 1, stored) // too late: Send has read the answers by now
			if isDone(s) || s.answers[1] == nil {
				t.Error("an answer that comes late is written")
			}
			if len(a.waiting) != 0 {
				t.Errorf("%d waits are left", len(a.waiting))
			}
		})
	}
}

func TestForeignAnswersAreIgnored(t *testing.T) {
	t.Parallel()
	a := unsent()
	s := a.expect(ExpectStream("LOG"), 1)
	for _, token := range []string{"", "!", "zz", strings.Repeat("z", 20)} {
		a.take(&nats.Msg{Subject: a.prefix + token, Data: []byte(stored)})
	}
	if isDone(s) {
		t.Error("done by an answer to something else")
	}
}

// An ingress reads a PubAck for each event.
func TestAPubAckCostsNoMemory(t *testing.T) {
	m := &nats.Msg{Data: []byte(`{"stream":"LOG","seq":1764252605000000}`)}
	to := Expected{stream: "LOG", first: 1764252604000000}
	if n := testing.AllocsPerRun(100, func() { _ = to.judge(answerIn(m)) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
