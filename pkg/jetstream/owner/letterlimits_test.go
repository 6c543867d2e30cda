package owner

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// lacking puts the Broker and returns what its dead-letter stream lacks.
func (i *installation) lacking() error {
	i.t.Helper()
	applied, err := i.owner.PutAddress(jstest.Context(i.t), i.broker)
	jstest.Must(i.t, err)
	return applied.Lacking
}

func (i *installation) deadLetterStream() *natsjs.StreamInfo {
	i.t.Helper()
	stream, err := i.client.JetStream().Stream(jstest.Context(i.t), i.client.Names().DeadLetterStream(i.broker.Key))
	jstest.Must(i.t, err)
	return stream.CachedInfo()
}

// totalLimit is what kn-jetstream get shows as the most that the Broker's streams may hold.
func (i *installation) totalLimit() int64 {
	i.t.Helper()
	s, err := status.Read(jstest.Context(i.t), i.client)
	jstest.Must(i.t, err)
	return int64(s.Addresses[0].TotalLimit) //nolint:gosec // small
}

func TestTheLimitsOfDeadLettersAreThoseOfTheirStream(t *testing.T) {
	t.Parallel()
	i := install(t)
	for _, c := range []struct {
		name      string
		log       route.Log
		wantBytes int64
		wantAge   time.Duration
	}{
		{"none are asked for", route.Log{MaxBytes: 16 << 20}, 4 << 20, 0},
		{"both", route.Log{MaxBytes: 16 << 20, DeadLetterMaxBytes: 32 << 20, DeadLetterMaxAge: time.Hour}, 32 << 20, time.Hour},
		{"smaller ones", route.Log{MaxBytes: 16 << 20, DeadLetterMaxBytes: 1 << 20, DeadLetterMaxAge: time.Minute}, 1 << 20, time.Minute},
		{"none any more", route.Log{MaxBytes: 16 << 20}, 4 << 20, 0},
	} {
		i.broker.Log = c.log
		if lacking := i.lacking(); lacking != nil {
			t.Errorf("%s: %v", c.name, lacking)
		}
		if have := i.deadLetterStream().Config; have.MaxBytes != c.wantBytes || have.MaxAge != c.wantAge || have.Discard != natsjs.DiscardNew {
			t.Errorf("%s: the stream has %d bytes, %s, discards %s", c.name, have.MaxBytes, have.MaxAge, have.Discard)
		}
		if got, want := i.totalLimit(), 2*c.log.MaxBytes+c.wantBytes; got != want {
			t.Errorf("%s: the total is %d, want %d", c.name, got, want)
		}
		if i.differs() {
			t.Errorf("%s: it is said to be what somebody changed", c.name)
		}
	}
}

func TestALimitThatWouldDropDeadLettersIsRefused(t *testing.T) {
	t.Parallel()
	const many, size, small, before = 20, 10 << 10, 100 << 10, 4 << 20
	i := install(t)
	one := i.put(i.trigger("one"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	dies := func(id uint64) {
		t.Helper()
		work := jstest.Work("1", id+1)
		work.Event.Data = make([]byte, size)
		jstest.Must(t, store.DeadLetter(jstest.Context(t), one, work))
	}
	for id := range uint64(many) {
		dies(id)
	}
	i.broker.Log.DeadLetterMaxBytes, i.broker.Refuse = small, "edited"
	refused := i.lacking()
	if !errors.Is(refused, ErrHoldsMore) || jetstream.IsStorageExhausted(refused) {
		t.Fatalf("lacking: %v, want ErrHoldsMore", refused)
	}
	if have := i.deadLetterStream(); have.Config.MaxBytes != before || have.State.Msgs != many {
		t.Errorf("it has a limit of %d bytes and %d letters, want %d and %d", have.Config.MaxBytes, have.State.Msgs, before, many)
	}
	if got := i.recordedAddress(); got.Refuse != "edited" {
		t.Errorf("what was edited besides is not written: %+v", got)
	}
	if got := i.totalLimit(); got != 2*i.broker.Log.MaxBytes+before {
		t.Errorf("the total is %d, want it with the limit that the stream has", got)
	}
	if i.differs() {
		t.Error("it is said to be what somebody changed")
	}
	dies(many)
	if again := i.lacking(); again == nil || again.Error() != refused.Error() {
		t.Errorf("after one more letter the reason is %v, want %v as before", again, refused)
	}

	stream, err := i.client.JetStream().Stream(jstest.Context(t), i.client.Names().DeadLetterStream(i.broker.Key))
	jstest.Must(t, err)
	jstest.Must(t, stream.Purge(jstest.Context(t), natsjs.WithPurgeKeep(2)))
	if lacking := i.lacking(); lacking != nil {
		t.Errorf("with room for all: %v", lacking)
	}
	if have := i.deadLetterStream(); have.Config.MaxBytes != small || have.State.Msgs != 2 {
		t.Errorf("it has a limit of %d bytes and %d letters, want %d and 2", have.Config.MaxBytes, have.State.Msgs, small)
	}
}

// A letter cannot be made old in a test: what the server would say of one is written down here.
func TestAnAgeThatWouldDropDeadLettersIsRefused(t *testing.T) {
	t.Parallel()
	i := install(t)
	now := time.Now()
	for _, c := range []struct {
		name               string
		have, want, oldest time.Duration
		letters            uint64
		wantAge            time.Duration
		refused            bool
	}{
		{"a letter that is older", 0, time.Hour, 2 * time.Hour, 3, 0, true},
		{"a letter that is older than the shorter age", 48 * time.Hour, time.Hour, 2 * time.Hour, 3, 48 * time.Hour, true},
		{"letters that are younger", 0, time.Hour, time.Minute, 3, time.Hour, false},
		{"no letters", 0, time.Hour, 2 * time.Hour, 0, time.Hour, false},
		{"a longer age", time.Hour, 48 * time.Hour, time.Minute, 3, 48 * time.Hour, false},
		{"the same age, and a letter that NATS is about to drop", time.Hour, time.Hour, time.Hour + time.Second, 3, time.Hour, false},
		{"no age any more", time.Hour, 0, time.Minute, 3, 0, false},
	} {
		log := route.Log{MaxBytes: 1 << 20, DeadLetterMaxAge: c.want}
		address := i.broker
		address.Log = log
		want := deadLetterConfig(i.client.Names(), address)
		info := &natsjs.StreamInfo{Config: want, TimeStamp: now, State: natsjs.StreamState{Msgs: c.letters, FirstTime: now.Add(-c.oldest)}}
		info.Config.MaxAge = c.have
		if got := withWanted(info, want); got.MaxAge != c.wantAge {
			t.Errorf("%s: the age becomes %s, want %s", c.name, got.MaxAge, c.wantAge)
		}
		if err := refusedLimits(info, want, log); errors.Is(err, ErrHoldsMore) != c.refused {
			t.Errorf("%s: error %v", c.name, err)
		}
	}
}

// Log and dead letters are reserved: a limit that the account has no room for is said to be, and what there is stays.
func TestMoreDeadLettersThanTheAccountHasRoomFor(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, func(o *server.Options) { o.JetStreamMaxStore = 40 << 20 })
	c := dial(t, s)
	jstest.Must(t, buckets.Ensure(t.Context(), c))
	i := &installation{t: t, server: s, client: c, owner: New(c, "tests", shortGrace), broker: brokerOf("orders", 8<<20)}
	i.putBroker()
	i.broker.Log.DeadLetterMaxBytes = 64 << 20
	if lacking := i.lacking(); !jetstream.IsStorageExhausted(lacking) {
		t.Errorf("lacking: %v, want that there is no room", lacking)
	}
	if have := i.deadLetterStream().Config.MaxBytes; have != 2<<20 {
		t.Errorf("the stream has %d bytes, want 2 MiB as before", have)
	}
	i.broker = brokerOf("another", 8<<20)
	i.broker.Log.DeadLetterMaxBytes = 64 << 20
	if _, err := i.owner.PutAddress(jstest.Context(t), i.broker); !jetstream.IsStorageExhausted(err) {
		t.Errorf("a new Broker: error %v, want that there is no room", err)
	}
}

// Who asks for that loses the oldest letters, and never the newest.
func TestTheOldestDeadLettersGoWhereThatIsAskedFor(t *testing.T) {
	t.Parallel()
	const size, limit = 10 << 10, 64 << 10
	i := install(t)
	i.broker.Log.DeadLetterMaxBytes, i.broker.Log.DiscardOldLetters = limit, true
	if lacking := i.lacking(); lacking != nil {
		t.Fatal(lacking)
	}
	one := i.put(i.trigger("one"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	dies := func(id uint64, size int) {
		t.Helper()
		work := jstest.Work(strconv.FormatUint(id, 10), id)
		work.Event.Data = make([]byte, size)
		jstest.Must(t, store.DeadLetter(jstest.Context(t), one, work))
	}
	for id := range uint64(20) {
		dies(id+1, size)
	}
	have := i.deadLetterStream()
	if n := have.State.Msgs; n < 4 || n > 6 || have.State.LastSeq != 20 || i.lastDeadLetter(one).Header.Get("ce-id") != "20" {
		t.Errorf("it holds %d letters up to %d, want the last ones", n, have.State.LastSeq)
	}
	dies(21, 2*limit)
	after := i.deadLetterStream()
	if m := i.lastDeadLetter(one); m.Header.Get("ce-id") != "21" || m.Header.Get(codec.HeaderDataBytes) != strconv.Itoa(2*limit) {
		t.Errorf("of a letter larger than the stream there is %v", m.Header)
	}
	if after.State.Msgs < have.State.Msgs {
		t.Errorf("it made %d letters go", have.State.Msgs+1-after.State.Msgs)
	}
	if i.differs() {
		t.Error("it is said to be what somebody changed")
	}

	i.broker.Log.DiscardOldLetters = false
	if lacking := i.lacking(); lacking != nil {
		t.Error(lacking)
	}
	if have := i.deadLetterStream(); have.Config.Discard != natsjs.DiscardNew || have.Config.MaxMsgSize != -1 || have.State.Msgs != after.State.Msgs {
		t.Errorf("it is %+v with %d letters, want one that refuses and still has them", have.Config, have.State.Msgs)
	}
	var full error
	for id := uint64(22); full == nil && id < 40; id++ {
		work := jstest.Work("late", id)
		work.Event.Data = make([]byte, size)
		full = store.DeadLetter(jstest.Context(t), one, work)
	}
	if !errors.Is(full, dispatch.ErrLettersFull) {
		t.Errorf("error %v, want that it is full", full)
	}
}
