package deliver_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/deliver"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

func TestRequest(t *testing.T) {
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	binary := map[string]string{
		"Ce-Specversion": "1.0", "Ce-Id": "7", "Ce-Source": "/orders", "Ce-Type": "order.created", "Ce-Subject": "gr%C3%B6%C3%9Fe",
		"Content-Type": "application/json", "Traceparent": trace, "Kn-Namespace": "shop",
	}
	for _, test := range []struct {
		name     string
		change   func(*dispatch.Request)
		want     map[string]string
		wantNone []string
		wantBody string
	}{
		{
			name: "binary to a subscriber", change: func(r *dispatch.Request) {},
			want: with(binary, "Prefer", "reply"), wantNone: []string{"Authorization", "Accept-Encoding", "Cookie"}, wantBody: `{"n": 1 }`,
		}, {
			name: "structured", change: func(r *dispatch.Request) { r.JSON = true },
			want: map[string]string{
				"Content-Type": "application/cloudevents+json", "Traceparent": trace, "Kn-Namespace": "shop", "Prefer": "reply",
			},
			wantNone: []string{"Ce-Id"},
		}, {
			name: "an event of a CloudEvents content type", change: func(r *dispatch.Request) {
				r.Event = r.Event.With(event.DataContentType, "application/cloudevents+json")
			},
			want: map[string]string{"Content-Type": "application/cloudevents+json"}, wantNone: []string{"Ce-Id"},
		}, {
			name: "no data", change: func(r *dispatch.Request) { r.Event.Data = nil },
			want: with(binary, "Content-Length", "0"),
		}, {
			name: "travelling headers do not replace ours", change: func(r *dispatch.Request) {
				r.Event.Headers = []event.Header{{Name: "Kn-Namespace", Value: "foreign"}, {Name: "Prefer", Value: "foreign"}}
			},
			want: map[string]string{"Kn-Namespace": "shop", "Prefer": "reply"}, wantBody: `{"n": 1 }`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var header http.Header
			var body []byte
			s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
				header = r.Header.Clone()
				header.Set("Content-Length", fmt.Sprint(r.ContentLength))
				body, _ = io.ReadAll(r.Body)
			})
			request := to(s.URL + "/in")
			test.change(&request)
			response := newSender(t, deliver.Config{}).Send(t.Context(), request)
			if response.Err != nil || response.StatusCode != 200 {
				t.Fatalf("status %d, %v", response.StatusCode, response.Err)
			}
			for name, want := range test.want {
				if got := header.Values(name); len(got) != 1 || got[0] != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			for _, name := range test.wantNone {
				if got, ok := header[name]; ok {
					t.Errorf("%s: %q, want none", name, got)
				}
			}
			if test.wantBody != "" && string(body) != test.wantBody {
				t.Errorf("body %q, want %q", body, test.wantBody)
			}
		})
	}
}

func with(headers map[string]string, name, value string) map[string]string {
	more := map[string]string{name: value}
	for n, v := range headers {
		more[n] = v
	}
	return more
}

func TestStructuredBodyIsTheEvent(t *testing.T) {
	got := make(chan []byte, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- body
	})
	request := to(s.URL)
	request.JSON = true
	if response := newSender(t, deliver.Config{}).Send(t.Context(), request); response.Err != nil {
		t.Fatal(response.Err)
	}
	want, _ := event.Structured(order())
	if body := <-got; !bytes.Equal(body, want) {
		t.Errorf("body %s, want %s", body, want)
	}
}

func TestUserInfoBecomesBasicAuth(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "user" || password != "pass word" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	request := to("http://user:pass%20word@" + s.Listener.Addr().String())
	if response := newSender(t, deliver.Config{}).Send(t.Context(), request); response.StatusCode != 200 {
		t.Errorf("status %d, %v", response.StatusCode, response.Err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	response := newSender(t, deliver.Config{}).Send(t.Context(), to(s.URL))
	if response.StatusCode != 307 || response.Header.Get("Location") != "/elsewhere" || response.Err != nil {
		t.Errorf("status %d, Location %q, %v", response.StatusCode, response.Header.Get("Location"), response.Err)
	}
	if got := s.requests.Load(); got != 1 {
		t.Errorf("%d requests, want 1", got)
	}
}

func TestCookiesAreNotKept(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) > 0 {
			w.WriteHeader(http.StatusTeapot)
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
	})
	sender := newSender(t, deliver.Config{})
	for range 2 {
		if response := sender.Send(t.Context(), to(s.URL)); response.StatusCode != 200 {
			t.Errorf("status %d: a cookie was sent", response.StatusCode)
		}
	}
}

func TestConcurrentSendsShareTheSenderAndTheEvent(t *testing.T) {
	const senders, rounds = 50, 10
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	sender := newSender(t, deliver.Config{})
	request := to(s.URL)
	request.Event.Data = bytes.Repeat([]byte("0123456789"), 1000)
	before := bytes.Clone(request.Event.Data)

	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for range rounds {
				if response := sender.Send(t.Context(), request); !bytes.Equal(response.Body, before) {
					t.Errorf("%d bytes came back, %v", len(response.Body), response.Err)
				}
			}
		})
	}
	all.Wait()
	if got := s.connections.Load(); got > 2*senders { // the transport may dial one while another comes free
		t.Errorf("%d connections for %d senders in %d rounds", got, senders, rounds)
	}
	if !bytes.Equal(request.Event.Data, before) {
		t.Error("the data was modified")
	}
}

func BenchmarkSend(b *testing.B) {
	s := serve(b, answer(http.StatusAccepted, ""))
	sender := deliver.New(deliver.Config{})
	defer sender.Close()
	request := to(s.URL)
	request.Event.Data = bytes.Repeat([]byte("x"), 1024)
	b.ReportAllocs()
	for b.Loop() {
		if response := sender.Send(b.Context(), request); response.Err != nil {
			b.Fatal(response.Err)
		}
	}
}
