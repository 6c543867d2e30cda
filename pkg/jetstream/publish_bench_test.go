package jetstream

import (
	"strconv"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
)

// BenchmarkAck takes the PubAck of one message: what an ingress does for each event beside sending it.
func BenchmarkAck(b *testing.B) {
	a := unsent()
	m := &nats.Msg{Data: []byte(`{"stream":"kn_log_broker_shop_orders","seq":1764252605000000}`)}
	s := a.expect(expectStream("kn_log_broker_shop_orders"), 1)
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

// BenchmarkPublish stores events of 500 bytes, one or a hundred at a time.
func BenchmarkPublish(b *testing.B) {
	for _, events := range []int{1, 100} {
		b.Run(strconv.Itoa(events), func(b *testing.B) {
			i := install(b)
			i.broker = brokerOf("large", 1<<30)
			i.broker.Log.Memory = true
			i.putBroker()
			p := publisherOf(b, i.client)
			messages := make([]ingress.Message, events)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				for at := range messages {
					messages[at] = jstest.Message("same", "a")
					messages[at].ID = strconv.Itoa(n)
					messages[at].Event.Data = make([]byte, 500)
					n++
				}
				if stored, err := p.Publish(b.Context(), i.broker, messages); err != nil {
					b.Fatal(stored, err)
				}
			}
		})
	}
}
