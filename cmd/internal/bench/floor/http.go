package floor

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	natsjetstream "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Answer is F1: it reads a request and answers 202.
func Answer() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := readBody(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

// Publish is F2a: F1 that stores the event by a synchronous publish of nats.go.
func Publish(js natsjetstream.Publisher, names naming.Names) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		message := &nats.Msg{
			Subject: names.EventSubject(broker(), r.Header.Get("Ce-Type")),
			Header:  nats.Header{natsjetstream.MsgIDHeader: {rand.Text()}, "content-type": r.Header["Content-Type"]},
			Data:    body,
		}
		for name, values := range r.Header {
			if strings.HasPrefix(name, "Ce-") {
				message.Header[strings.ToLower(name)] = values
			}
		}
		if _, err := js.PublishMsg(r.Context(), message); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

// Publisher is F2b: F1 that stores the event by the product's own publisher. What the product's ingress does besides is left out:
// finding the Broker, checking the event, the arrival time and the hop count, limits, measurements.
func Publisher(publisher ingress.Publisher, to route.Address) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		e := event.Event{Data: body, Attributes: make([]event.Attribute, 0, len(r.Header))}
		for name, values := range r.Header {
			if attribute, ok := strings.CutPrefix(name, "Ce-"); ok {
				e.Attributes = append(e.Attributes, event.Attribute{Name: strings.ToLower(attribute), Value: values[0]})
			}
		}
		e.Attributes = append(e.Attributes, event.Attribute{Name: event.DataContentType, Value: r.Header.Get("Content-Type")})
		if _, err := publisher.Publish(r.Context(), to, []ingress.Message{{ID: rand.Text(), Event: e}}); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

// proxyConnections is how many connections a Proxy keeps to the subscriber: as many as any load has.
const proxyConnections = 1024

// Proxy is F3: it passes each request on, and answers what the subscriber answers. Being a floor, it does less than a proxy has
// to, such as httputil.ReverseProxy.
func Proxy(to *url.URL) http.Handler {
	transport := &http.Transport{
		MaxIdleConns: proxyConnections, MaxIdleConnsPerHost: proxyConnections, IdleConnTimeout: time.Minute, DisableCompression: true,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := &http.Request{
			Method: r.Method, URL: to, Host: to.Host, Header: r.Header, Body: r.Body, ContentLength: r.ContentLength,
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		}
		response, err := transport.RoundTrip(request.WithContext(r.Context()))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body) // the client is gone: nobody is left to tell
	})
}

func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 {
		return io.ReadAll(r.Body)
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}
