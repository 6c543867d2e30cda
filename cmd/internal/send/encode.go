package send

import (
	"bytes"
	"net/http"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

const batchContentType = "application/cloudevents-batch+json; charset=utf-8"

// encode returns the request that carries count of the run's events, from the one with index first.
func encode(options Options, first, count int) message {
	now := time.Now()
	m := message{header: http.Header{}, events: count}
	switch options.Mode {
	case Batch:
		m.header.Set("Content-Type", batchContentType)
		m.body = batch(options, first, count, now)
	case Structured:
		var contentType string
		m.body, contentType = event.Structured(options.event(first, now))
		m.header.Set("Content-Type", contentType)
	default:
		e := options.event(first, now)
		event.WriteHTTP(e, m.header)
		m.body = e.Data
	}
	return m
}

func batch(options Options, first, count int, now time.Time) []byte {
	var body bytes.Buffer
	for i := range count {
		body.WriteByte("[,"[min(i, 1)])
		envelope, _ := event.Structured(options.event(first+i, now))
		body.Write(envelope)
	}
	body.WriteByte(']')
	return body.Bytes()
}

// read decodes the request as an ingress does. The errors are those of event.FromHTTP and event.DecodeBatch.
func (m message) read() error {
	if event.IsBatch(m.header.Get("Content-Type")) {
		_, err := event.DecodeBatch(m.header, m.body)
		return err
	}
	_, err := event.FromHTTP(m.header, m.body)
	return err
}
