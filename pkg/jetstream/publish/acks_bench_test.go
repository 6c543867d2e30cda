package publish

import (
	"testing"

	"github.com/nats-io/nats.go"
)

// BenchmarkAck takes one PubAck, as an ingress does for each event.
func BenchmarkAck(b *testing.B) {
	a := unsent()
	m := &nats.Msg{Data: []byte(`{"stream":"kn_log_broker_shop_orders","seq":1764252605000000}`)}
	s := a.expect(ExpectStream("kn_log_broker_shop_orders"), 1)
	w := a.waiting[s.first]
	m.Subject = subjectOf(a, s, 0)
	b.ReportAllocs()
	for b.Loop() {
		a.take(m)
		<-s.done
		if s.answers[0] != nil {
			b.Fatal(s.answers[0])
		}
		s.left = 1
		a.waiting[s.first] = w
	}
}
