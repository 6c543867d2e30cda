package codec

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestPlaceIn(t *testing.T) {
	for _, c := range []struct {
		name, reply string
		want        uint64
		fails       bool
	}{
		{name: "the old form", reply: "$JS.ACK.LOG.CONSUMER.1.42.7.1700000000000000000.3", want: 42},
		{name: "with domain and account", reply: "$JS.ACK.hub.ACCHASH.LOG.CONSUMER.1.42.7.1700000000000000000.3", want: 42},
		{name: "and a token at its end", reply: "$JS.ACK._.ACCHASH.LOG.CONSUMER.1.42.7.1700000000000000000.3.random", want: 42},
		{name: "the greatest", reply: "$JS.ACK.L.C.1.18446744073709551615.7.1.3", want: 1<<64 - 1},
		{name: "empty", reply: "", fails: true},
		{name: "an inbox", reply: "_INBOX.a.b.c.d.e.f.g.h", fails: true},
		{name: "too short", reply: "$JS.ACK.LOG.CONSUMER.1.42.7.1", fails: true},
		{name: "of no known form", reply: "$JS.ACK.a.LOG.CONSUMER.1.42.7.1.3", fails: true},
		{name: "no number", reply: "$JS.ACK.LOG.CONSUMER.1.x.7.1.3", fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := PlaceIn(c.reply)
			if got.sequence != c.want || (err != nil) != c.fails {
				t.Errorf("got %d, error %v; want %d, error %v", got.sequence, err, c.want, c.fails)
			}
		})
	}
}

// The place is found in both forms of any ack subject, and no subject makes it panic.
func FuzzPlaceIn(f *testing.F) {
	f.Add("LOG", "CONSUMER", uint64(42), "$JS.ACK.L.C.1.2.3.4.5")
	f.Add("kn_log_broker_a_b", "trigger_a_=", uint64(1<<63), "$JS.ACK..........")
	f.Fuzz(func(t *testing.T, stream, consumer string, sequence uint64, any string) {
		_, _ = PlaceIn(any)
		if strings.Contains(stream, ".") || strings.Contains(consumer, ".") {
			return
		}
		tail := stream + "." + consumer + ".3." + strconv.FormatUint(sequence, 10) + ".9.1700000000000000000.0"
		for _, reply := range []string{"$JS.ACK." + tail, "$JS.ACK._.hash." + tail, "$JS.ACK.domain.hash." + tail + ".tail"} {
			got, err := PlaceIn(reply)
			if err != nil || got.sequence != sequence || got.stream != stream || !got.at.Equal(time.Unix(1_700_000_000, 0)) {
				t.Errorf("%s: got %+v, error %v; want %d of %s", reply, got, err, sequence, stream)
			}
		}
	})
}
