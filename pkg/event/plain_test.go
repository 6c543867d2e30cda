package event

import (
	"testing"
	"time"
)

func TestIsNATS(t *testing.T) {
	const envelope = `{"specversion":"1.0"}`
	header := func(pairs ...string) map[string][]string {
		h := map[string][]string{}
		for i := 0; i < len(pairs); i += 2 {
			h[pairs[i]] = []string{pairs[i+1]}
		}
		return h
	}
	for _, c := range []struct {
		name   string
		header map[string][]string
		data   string
		want   bool
	}{
		{"nothing", nil, "", false},
		{"text", nil, "hello", false},
		{"an envelope", nil, envelope, true},
		{"an envelope with space around", nil, " \n" + envelope + " ", true},
		{"an envelope with an escape in its member's name", nil, `{"spec\u0076ersion":"1.0"}`, true},
		{"an object", nil, `{"version":"1.0"}`, false},
		{"an object whose data has the member", nil, `{"data":{"specversion":"1.0"}}`, false},
		{"a list of envelopes", nil, "[" + envelope + "]", false},
		{"an envelope that is cut off", nil, envelope[:10], false},
		{"an envelope as JSON", header("Content-Type", "application/json"), envelope, false},
		{"an empty content type", header("Content-Type", ""), envelope, false},
		{"text as an event", header("content-type", "application/cloudevents+json"), "hello", true},
		{"text as an event in capitals", header("CONTENT-TYPE", " Application/CloudEvents+JSON;charset=utf-8"), "hello", true},
		{"another format", header("content-type", "application/cloudevents+avro"), "", true},
		{"a batch", header("content-type", "application/cloudevents-batch+json"), "[]", true},
		{"an attribute", header("ce-id", "1"), "", true},
		{"an attribute in capitals", header("CE-Type", "t"), "", true},
		{"nearly an attribute", header("cex-id", "1"), "", false},
	} {
		if got := IsNATS(c.header, []byte(c.data)); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}

// The event made from any message that is no CloudEvent is valid, and stays the same through NATS.
func FuzzPlain(f *testing.F) {
	f.Add("text/plain", "hello", []byte("hello"))
	f.Add("", "", []byte(`{"a":1}`))
	f.Add("\x00\xff", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", []byte{0xff})
	f.Add("application/json", "", []byte(nil))
	f.Fuzz(func(t *testing.T, contentType, trace string, data []byte) {
		header := map[string][]string{"Content-Type": {contentType}, "Traceparent": {trace}, "X": {"y"}}
		if IsNATS(header, data) {
			return
		}
		e := Plain{ID: "S.1", Source: "nats:a", Type: "t", Time: time.Unix(0, 1), Header: header, Data: data}.Event()
		again, err := FromNATS(ToNATS(e), e.Data)
		if err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		if string(again.Data) != string(data) || len(again.Attributes) != len(e.Attributes) || len(again.Headers) != len(e.Headers) {
			t.Errorf("%+v became %+v", e, again)
		}
	})
}
