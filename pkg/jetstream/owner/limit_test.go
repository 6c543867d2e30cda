package owner

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// Earlier versions made the dead-letter stream as large as the log. One that holds more than it should be able to must still take dead
// letters; it becomes smaller when somebody has read and removed them.
func TestAStreamOfManyDeadLettersStaysAsLargeAsItIs(t *testing.T) {
	t.Parallel()
	i := install(t)
	one := i.put(i.trigger("one"))
	stream, err := i.client.JetStream().Stream(jstest.Context(t), i.client.Names().DeadLetterStream(i.broker.Key))
	jstest.Must(t, err)
	config := stream.CachedInfo().Config
	config.MaxBytes = i.broker.Log.MaxBytes
	_, err = i.client.JetStream().UpdateStream(jstest.Context(t), config)
	jstest.Must(t, err)
	store := storeOf(t, i.client, jstest.Table(i.broker))
	dies := func(id int) error {
		return store.DeadLetter(jstest.Context(t), one, jstest.Work(fmt.Sprint(id), uint64(id+1)))
	} //nolint:gosec // not negative
	const many = 300
	for id := range many {
		jstest.Must(t, dies(id))
	}
	size := func() *natsjs.StreamInfo {
		t.Helper()
		info, err := stream.Info(jstest.Context(t))
		jstest.Must(t, err)
		return info
	}

	i.broker.Log.MaxBytes = int64(size().State.Bytes / 2) //nolint:gosec // small
	i.putBroker()
	if limit := size().Config.MaxBytes; limit != config.MaxBytes {
		t.Errorf("it has a limit of %d bytes and holds %d", limit, size().State.Bytes)
	}
	jstest.Must(t, dies(many))
	if i.differs() {
		t.Error("it is said to be what somebody changed")
	}
	jstest.Must(t, stream.Purge(jstest.Context(t)))
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
	recorded, _, err := Record(jstest.Context(i.t), i.client, naming.AddressKey(i.broker.Key))
	jstest.Must(i.t, err)
	found, err := i.owner.Differing(jstest.Context(i.t), []routes.StoredRecord{recorded})
	jstest.Must(i.t, err)
	return len(found) > 0
}

// Where there is no room, it must be possible to edit what would make some. What is missing is said, and is made when there is room again.
func TestAnAddressIsWrittenWithoutRoomForItsDeadLetters(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, func(o *server.Options) { o.JetStreamMaxStore = 16 << 20 })
	c := dial(t, s)
	jstest.Must(t, buckets.Ensure(t.Context(), c))
	i := &installation{t: t, server: s, client: c, owner: New(c, "tests", shortGrace), broker: brokerOf("orders", 8<<20)}
	i.putBroker()
	one := i.put(i.trigger("one"))
	jstest.Must(t, c.JetStream().DeleteStream(jstest.Context(t), c.Names().DeadLetterStream(i.broker.Key)))
	_, err := c.JetStream().CreateStream(jstest.Context(t), natsjs.StreamConfig{Name: "OTHERS", MaxBytes: 7 << 20})
	jstest.Must(t, err)

	i.broker.Refuse = "edited"
	applied, err := i.owner.PutAddress(jstest.Context(t), i.broker)
	jstest.Must(t, err)
	if !jetstream.IsStorageExhausted(applied.Lacking) {
		t.Errorf("what is lacking: %v, want that there is no room", applied.Lacking)
	}
	record, _, err := Record(jstest.Context(t), c, naming.AddressKey(i.broker.Key))
	jstest.Must(t, err)
	if record.Address.Refuse != "edited" || applied.Revision != record.Revision {
		t.Errorf("the record is %+v at %d", record.Address, record.Revision)
	}
	one.MaxInFlight = 7
	i.put(one)
	if err := i.owner.Sweep(jstest.Context(t)); !jetstream.IsStorageExhausted(err) {
		t.Errorf("the sweep: error %v, want that there is no room", err)
	}
	if _, err := i.owner.PutAddress(jstest.Context(t), brokerOf("another", 1<<20)); !jetstream.IsStorageExhausted(err) {
		t.Errorf("another Broker: error %v, want that there is no room", err)
	}

	jstest.Must(t, c.JetStream().DeleteStream(jstest.Context(t), "OTHERS"))
	applied, err = i.owner.PutAddress(jstest.Context(t), i.broker)
	if err != nil || applied.Lacking != nil {
		t.Errorf("with room: error %v, lacking %v", err, applied.Lacking)
	}
}
