package display

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/test/coded"
)

func TestPrintsEvents(t *testing.T) {
	for _, test := range []struct {
		name    string
		options Options
		header  map[string]string
		body    string
		want    string
	}{
		{
			name: "binary, all kinds of attributes",
			header: map[string]string{
				"Ce-Specversion": "1.0", "Ce-Id": "42", "Ce-Type": "order.created", "Ce-Source": "/shop",
				"Ce-Zone": "eu", "Ce-Knativearrivaltime": "2026-01-02T03:04:05Z", "Content-Type": "application/json",
			},
			body: `{"total":12,"items":["a"]}`,
			want: `event for audit
  specversion:         1.0
  type:                order.created
  source:              /shop
  id:                  42
  datacontenttype:     application/json
  knativearrivaltime:  2026-01-02T03:04:05Z
  zone:                eu
  data:
    {
      "total": 12,
      "items": [
        "a"
      ]
    }

`,
		},
		{
			name:   "structured",
			header: map[string]string{"Content-Type": "application/cloudevents+json"},
			body:   `{"specversion":"1.0","id":"1","type":"t","source":"/s","datacontenttype":"text/plain","data":"two\nlines"}`,
			want: `event for audit
  specversion:      1.0
  type:             t
  source:           /s
  id:               1
  datacontenttype:  text/plain
  data:
    two
    lines

`,
		},
		{
			name: "no data", header: minimal("id", "1"),
			want: "event for audit\n  specversion:  1.0\n  type:         t\n  source:       /s\n  id:           1\n\n",
		},
		{
			name: "escape sequences in attributes and data", header: minimal("id", "a%1B[2Jb"), body: "red \x1b[31m\x07\tend",
			want: "event for audit\n  specversion:  1.0\n  type:         t\n  source:       /s\n  id:           a\\x1b[2Jb\n" +
				"  data:\n    red \\x1b[31m\\a\tend\n\n",
		},
		{
			name: "binary data", header: minimal("id", "1"), body: "\x00\xff\xfe",
			want: "event for audit\n  specversion:  1.0\n  type:         t\n  source:       /s\n  id:           1\n" +
				"  data: 3 bytes that are not text\n\n",
		},
		{
			name: "long data, cut between runes", options: Options{MaxData: 4}, header: minimal("id", "1"), body: "abcéf",
			want: "event for audit\n  specversion:  1.0\n  type:         t\n  source:       /s\n  id:           1\n" +
				"  data:\n    abc\n    ... cut, the data has 6 bytes\n\n",
		},
		{name: "quiet", options: Options{Quiet: true}, header: minimal("id", "1"), body: "{}", want: "audit t 1\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			test.options.Out = &out
			answer := post(New(test.options), "/-/display/audit", test.header, test.body)
			if answer.Code != http.StatusNoContent {
				t.Errorf("answered %d %s, want 204", answer.Code, answer.Body)
			}
			if got := out.String(); got != test.want {
				t.Errorf("printed\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		name, method, target string
		header               map[string]string
		want                 int
		wantPrinted          string
	}{
		{name: "trailing slash", target: "/-/display/a/", want: 204, wantPrinted: "a t 1\n"},
		{name: "status asked for", target: "/-/display/a?status=503", want: 503, wantPrinted: "a t 1\n"},
		{name: "status out of range", target: "/-/display/a?status=99", want: 400},
		{name: "status that is no number", target: "/-/display/a?status=x", want: 400},
		{name: "no name", target: "/-/display/", want: 404},
		{name: "two names", target: "/-/display/a/b", want: 404},
		{name: "escape sequence in the name", target: "/-/display/%1b[2J", want: 404},
		{name: "another path", target: "/default/default", want: 404},
		{name: "not POST", method: http.MethodGet, target: "/-/display/a", want: 405},
		{
			name: "no CloudEvent", target: "/-/display/a", header: map[string]string{"Content-Type": "text/plain"}, want: 400,
			wantPrinted: "a: refused: not a CloudEvent: no ce-specversion header\n",
		},
		{
			name: "invalid CloudEvent", target: "/-/display/a", header: minimal("time", "noon"), want: 400,
			wantPrinted: "a: refused: attribute \"id\" is missing or empty\n",
		},
		{
			name: "a content coding that is not known", target: "/-/display/a", header: withHeader(minimal("id", "1"), "Content-Encoding", "br"), want: 415,
			wantPrinted: "a: refused: no support for the content coding \"br\"\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			method, header := http.MethodPost, minimal("id", "1")
			if test.method != "" {
				method = test.method
			}
			if test.header != nil {
				header = test.header
			}
			request := httptest.NewRequest(method, test.target, nil)
			for name, value := range header {
				request.Header.Set(name, value)
			}
			answer := httptest.NewRecorder()
			New(Options{Out: &out, Quiet: true}).ServeHTTP(answer, request)
			if answer.Code != test.want || out.String() != test.wantPrinted {
				t.Errorf("answered %d, printed %q; want %d, %q", answer.Code, out.String(), test.want, test.wantPrinted)
			}
		})
	}
}

func TestABodyInGzipIsPrintedDecoded(t *testing.T) {
	var out bytes.Buffer
	header := withHeader(minimal("id", "1"), "Content-Encoding", "gzip")
	if answer := post(New(Options{Out: &out}), "/-/display/a", header, coded.Gzip("hello")); answer.Code != http.StatusNoContent || !strings.Contains(out.String(), "hello") {
		t.Errorf("answered %d, printed %q", answer.Code, out.String())
	}
}

func withHeader(header map[string]string, name, value string) map[string]string {
	header[name] = value
	return header
}

func TestNothingIsAcceptedThatWasNotPrinted(t *testing.T) {
	handler := New(Options{Out: brokenWriter{}})
	if answer := post(handler, "/-/display/a", minimal("id", "1"), ""); answer.Code != http.StatusInternalServerError {
		t.Errorf("answered %d, want 500", answer.Code)
	}
}

func TestDeepNestingIsNotIndented(t *testing.T) {
	var out bytes.Buffer
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	post(New(Options{Out: &out}), "/-/display/a", minimal("id", "1"), deep)
	if out.Len() > 2*len(deep) {
		t.Errorf("%d bytes of data became %d printed ones", len(deep), out.Len())
	}
}

// Each event must come in one Write, and Writes one after another: a torn line or a data race fails this.
func TestConcurrentEventsDoNotMix(t *testing.T) {
	const senders, each = 8, 50
	out := &blockWriter{}
	handler := New(Options{Out: out})
	var senderGroup sync.WaitGroup
	for sender := range senders {
		senderGroup.Go(func() {
			for i := range each {
				post(handler, "/-/display/a", minimal("id", fmt.Sprintf("%d-%d", sender, i)), "line one\nline two")
			}
		})
	}
	senderGroup.Wait()
	post(handler, "/-/display/a", map[string]string{}, "")

	if len(out.blocks) != senders*each+1 {
		t.Fatalf("%d writes, want %d", len(out.blocks), senders*each+1)
	}
	for _, block := range out.blocks[:senders*each] {
		if !strings.HasPrefix(block, "event for a\n") || !strings.HasSuffix(block, "line two\n\n") {
			t.Fatalf("a write holds something else than one event:\n%s", block)
		}
	}
}

func minimal(attribute, value string) map[string]string {
	return map[string]string{"Ce-Specversion": "1.0", "Ce-Type": "t", "Ce-Source": "/s", "Ce-" + attribute: value}
}

func post(handler http.Handler, target string, header map[string]string, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	for name, value := range header {
		request.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	return answer
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no such terminal") }

// blockWriter is deliberately without a lock of its own.
type blockWriter struct{ blocks []string }

func (w *blockWriter) Write(p []byte) (int, error) {
	w.blocks = append(w.blocks, string(p))
	return len(p), nil
}
