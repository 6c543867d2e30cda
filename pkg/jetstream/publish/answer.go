package publish

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
)

// answer is what came back for one message that was published.
type answer struct {
	// stream names the stream that answers; empty if none did.
	stream   []byte
	sequence uint64
	// err is nil for a PubAck, else *natsjs.APIError, natsjs.ErrNoStreamResponse or
	// natsjs.ErrInvalidJSAck.
	err error
}

// answerIn decodes an answer of the server.
func answerIn(m *nats.Msg) answer {
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		return answer{err: natsjs.ErrNoStreamResponse}
	}
	if stored, ok := pubAckIn(m.Data); ok {
		return stored
	}
	var ack struct {
		Error    *natsjs.APIError `json:"error"`
		Stream   string           `json:"stream"`
		Sequence uint64           `json:"seq"`
	}
	if err := json.Unmarshal(m.Data, &ack); err != nil || (ack.Error == nil && ack.Stream == "") {
		return answer{err: natsjs.ErrInvalidJSAck}
	}
	said := answer{stream: []byte(ack.Stream), sequence: ack.Sequence}
	if ack.Error != nil {
		said.err = ack.Error
	}
	return said
}

// pubAckIn decodes the PubAck of a message that is stored now, or was before:
//
//	{"stream":"LOG","seq":7}
//	{"stream":"LOG","domain":"hub","seq":7,"duplicate": true}
//
// ok is false for all else: an error document does not begin with the stream. Source: nats-server
// server/stream.go (JSPubAckResponse, and the prepared PubAck of a stream). encoding/json takes
// four times as long, and memory, for each event.
func pubAckIn(data []byte) (stored answer, ok bool) {
	rest, ok := bytes.CutPrefix(data, []byte(`{"stream":"`))
	end := bytes.IndexByte(rest, '"')
	if !ok || end <= 0 || data[len(data)-1] != '}' {
		return answer{}, false
	}
	_, digits, ok := bytes.Cut(rest[end:], []byte(`"seq":`))
	if !ok {
		return answer{}, false
	}
	if more := bytes.IndexAny(digits, ",}"); more >= 0 {
		digits = digits[:more]
	}
	sequence, err := strconv.ParseUint(string(digits), 10, 64)
	return answer{stream: rest[:end], sequence: sequence}, err == nil
}
