package owner

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
)

// nudges subscribes to what asks the trimmers for a trim of the installation's log.
func (i *installation) nudges() chan *nats.Msg {
	i.t.Helper()
	nudges := make(chan *nats.Msg, 100)
	_, err := i.client.Conn().ChanSubscribe(i.client.Names().TrimSubject(i.broker.Key), nudges)
	jstest.Must(i.t, err)
	jstest.Must(i.t, i.client.Conn().Flush())
	return nudges
}

// sent returns the bodies of the nudges that were sent until now.
func (i *installation) sent(nudges chan *nats.Msg) []string {
	i.t.Helper()
	jstest.Must(i.t, i.client.Conn().Flush())
	bodies := []string{}
	for len(nudges) > 0 {
		bodies = append(bodies, string((<-nudges).Data))
	}
	return bodies
}

func TestTheGaugeNudgesOnceForEachShareOfTheLog(t *testing.T) {
	t.Parallel()
	i := install(t)
	nudges, gauge := i.nudges(), trim.NewGauge(i.client)
	share := int(i.broker.Log.MaxBytes) / trim.NudgeShare
	gauge.Add(i.broker, share)
	if sent := i.sent(nudges); len(sent) != 0 {
		t.Errorf("nudged by %q, although there was no more than a share", sent)
	}
	for range 3 * 4 {
		gauge.Add(i.broker, share/4+1)
	}
	if sent := i.sent(nudges); len(sent) != 3 || sent[0] != "" {
		t.Errorf("nudged by %q, want 3 times for three more shares", sent)
	}
	other := brokerOf("other", 1<<20)
	gauge.Add(other, 1<<20)
	if sent := i.sent(nudges); len(sent) != 0 {
		t.Errorf("nudged by %q for the log of another", sent)
	}
}

func TestAFullLogNudgesOnceASecondAtMost(t *testing.T) {
	t.Parallel()
	i := install(t)
	nudges, gauge := i.nudges(), trim.NewGauge(i.client)
	for range 50 {
		gauge.Full(i.broker)
	}
	if sent := i.sent(nudges); len(sent) != 1 || sent[0] != trim.NudgeFull {
		t.Errorf("nudged by %q, want one that says that it is full", sent)
	}
}
