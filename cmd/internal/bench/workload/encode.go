package workload

import (
	"bytes"
	"time"

	"github.com/valyala/fasthttp"
)

// Source is the source of all events that are sent, ReplySource that of replies.
const (
	Source      = "/kn-jetstream/bench"
	ReplySource = Source + "/reply"
)

// Encoder writes the requests of a run, with as little work as can be: what it costs is taken from what is measured. Not safe
// for concurrent use.
type Encoder struct {
	workload Workload
	run      string
	types    []string
	data     []byte
	body     []byte
	id       []byte
}

// NewEncoder returns the encoder of one connection.
func NewEncoder(w Workload, run string) *Encoder {
	e := &Encoder{workload: w, run: run, data: data(w.Size)}
	for n := range w.Types {
		e.types = append(e.types, TypeName(n))
	}
	return e
}

// data is a JSON string, so that it can stand in an envelope as it is, of exactly this size if that is 2 or more.
func data(size int) []byte {
	if size < 2 {
		return bytes.Repeat([]byte("1"), size)
	}
	const text = "the quick brown fox jumps over the lazy dog "
	filling := bytes.Repeat([]byte(text), size/len(text)+1)[:size-2]
	return append(append([]byte{'"'}, filling...), '"')
}

// Encode makes the request carry count events, from number first on, that are due at this time.
func (e *Encoder) Encode(r *fasthttp.Request, first, count int, due time.Duration) {
	switch e.workload.Mode {
	case Batch:
		e.body = append(e.body[:0], '[')
		for i := range count {
			if i > 0 {
				e.body = append(e.body, ',')
			}
			e.envelope(first+i, due)
		}
		e.body = append(e.body, ']')
		r.Header.SetContentType("application/cloudevents-batch+json")
		r.SetBodyRaw(e.body)
	case Structured:
		e.body = e.body[:0]
		e.envelope(first, due)
		r.Header.SetContentType("application/cloudevents+json")
		r.SetBodyRaw(e.body)
	default:
		e.id = AppendID(e.id[:0], e.run, first, due)
		r.Header.SetContentType("application/json")
		r.Header.Set("Ce-Specversion", "1.0")
		r.Header.SetBytesV("Ce-Id", e.id)
		r.Header.Set("Ce-Source", Source)
		r.Header.Set("Ce-Type", e.types[first%len(e.types)])
		r.SetBodyRaw(e.data)
	}
}

// envelope appends an event in the JSON format. Nothing in it needs escaping.
func (e *Encoder) envelope(i int, due time.Duration) {
	e.body = append(e.body, `{"specversion":"1.0","id":"`...)
	e.body = AppendID(e.body, e.run, i, due)
	e.body = append(e.body, `","source":"`+Source+`","type":"`...)
	e.body = append(e.body, e.types[i%len(e.types)]...)
	e.body = append(e.body, `","datacontenttype":"application/json","data":`...)
	e.body = append(e.body, e.data...)
	e.body = append(e.body, '}')
}
