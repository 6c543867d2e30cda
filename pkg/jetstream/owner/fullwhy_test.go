package owner

import (
	"errors"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// A log that is full though every target has got its events says what keeps them.
func TestAFullLogSaysWhyItsDeliveredEventsStay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*installation)
		want  string
	}{
		"no routes": {want: "the routes are gone", spoil: func(i *installation) {
			jstest.Must(i.t, i.client.JetStream().DeleteKeyValue(i.t.Context(), i.client.Names().RoutesBucket()))
		}},
		"no consumer and no record": {want: "before the consumer that its targets share, which is gone, is made again", spoil: func(i *installation) {
			all := i.put(i.trigger("all"))
			i.removeConsumer(all)
			i.deleteByHand(naming.TargetKey(all.Key))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			i.broker = brokerOf("small", 16<<10)
			i.putBroker()
			if c.spoil != nil {
				c.spoil(i)
			}
			p, m := publisherOf(t, i.client), jstest.Message("big", "a")
			m.Event.Data = make([]byte, 12<<10)
			_, err := p.Publish(jstest.Context(t), i.broker, []ingress.Message{m})
			jstest.Must(t, err)
			m.ID = "another"
			_, err = p.Publish(jstest.Context(t), i.broker, []ingress.Message{m})
			if !errors.Is(err, ingress.ErrLogFull) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}
