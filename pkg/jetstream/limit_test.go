package jetstream

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// Earlier versions made the dead-letter stream as large as the log. One that holds more than it should be able to must still take dead
// letters; it becomes smaller when somebody has read and removed them.
func TestAStreamOfManyDeadLettersStaysAsLargeAsItIs(t *testing.T) {
	t.Parallel()
	i := install(t)
	one := i.put(i.trigger("one"))
	stream, err := i.client.js.Stream(budgetOf(t), i.client.names.DeadLetterStream(i.broker.Key))
	must(t, err)
	config := stream.CachedInfo().Config
	config.MaxBytes = i.broker.Log.MaxBytes
	_, err = i.client.js.UpdateStream(budgetOf(t), config)
	must(t, err)
	store, _ := i.client.NewStore(tableOf(i.broker))
	dies := func(id int) error { return store.DeadLetter(budgetOf(t), one, workOf(fmt.Sprint(id), uint64(id+1))) } //nolint:gosec // not negative
	const many = 300
	for id := range many {
		must(t, dies(id))
	}
	size := func() *jetstream.StreamInfo {
		t.Helper()
		info, err := stream.Info(budgetOf(t))
		must(t, err)
		return info
	}

	i.broker.Log.MaxBytes = int64(size().State.Bytes / 2) //nolint:gosec // small
	i.putBroker()
	if limit := size().Config.MaxBytes; limit != config.MaxBytes {
		t.Errorf("it has a limit of %d bytes and holds %d", limit, size().State.Bytes)
	}
	must(t, dies(many))
	if i.differs() {
		t.Error("it is said to be what somebody changed")
	}
	must(t, stream.Purge(budgetOf(t)))
	if !i.differs() {
		t.Error("nobody sees that it may be smaller now")
	}
	i.putBroker()
	if limit := size().Config.MaxBytes; limit != i.broker.Log.DeadLetterBytes() {
		t.Errorf("it has a limit of %d bytes, want %d", limit, i.broker.Log.DeadLetterBytes())
	}
}

// differs tells whether the Broker's streams are not what they should be.
func (i *installation) differs() bool {
	i.t.Helper()
	recorded, _, err := i.client.record(budgetOf(i.t), naming.AddressKey(i.broker.Key))
	must(i.t, err)
	found, err := i.owner.Differing(budgetOf(i.t), []StoredRecord{recorded})
	must(i.t, err)
	return len(found) > 0
}
