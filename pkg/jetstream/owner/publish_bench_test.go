package owner

import (
	"strconv"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
)

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
