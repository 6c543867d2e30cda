package owner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

const mebi = 1 << 20

func TestNoRoomNamesWhatIsAskedForAndWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		limits server.JetStreamAccountLimits
		memory bool
		want   string
	}{
		{name: "an account with a limit",
			limits: server.JetStreamAccountLimits{MaxStore: 100 * mebi, MaxMemory: -1, MaxStreams: -1, MaxConsumers: -1},
			want: "67108864 bytes on each of 1 servers are asked for, 67108864 in all; the NATS account may have 104857600 bytes of file storage, " +
				"of which 84213760 are reserved: 20643840 are available"},
		{name: "memory",
			limits: server.JetStreamAccountLimits{MaxStore: -1, MaxMemory: 100 * mebi, MaxStreams: -1, MaxConsumers: -1}, memory: true,
			want: "104857600 bytes of memory, of which 83886080 are reserved: 20971520 are available"},
		{name: "a server",
			limits: server.JetStreamAccountLimits{MaxStore: -1, MaxMemory: -1, MaxStreams: -1, MaxConsumers: -1},
			want: "67108864 bytes on each of 1 servers are asked for, more than a NATS server has left of its file storage; this account, " +
				"which has no limit, has reserved 84213760: nats"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := natstest.Start(t, func(o *server.Options) { o.JetStreamMaxStore, o.JetStreamMaxMemory = 120*mebi, 120*mebi })
			jstest.Must(t, s.NATS().GlobalAccount().UpdateJetStreamLimits(map[string]server.JetStreamAccountLimits{"": c.limits}))
			client := dial(t, s)
			jstest.Must(t, buckets.Ensure(t.Context(), client))
			owner := New(client, "tests", shortGrace)
			for n, name := range []string{"fits", "does-not"} {
				a := brokerOf(name, 64*mebi)
				a.Log.Memory = c.memory
				_, err := owner.PutAddress(jstest.Context(t), a)
				if n == 0 {
					jstest.Must(t, err)
				} else if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
			}
		})
	}
}

// What an address may need is reserved when it is made, so that a shortage shows then and not with the first dead letter.
func TestWhatADefaultBrokerMayNeedIsReservedWithIt(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, func(o *server.Options) { o.JetStreamMaxStore = 1 << 30 })
	c := dial(t, s)
	jstest.Must(t, buckets.Ensure(t.Context(), c))
	owner := New(c, "tests", shortGrace)
	var brokers []route.Address
	for {
		a := brokerOf(fmt.Sprintf("orders-%d", len(brokers)), 0)
		if _, err := owner.PutAddress(jstest.Context(t), a); err != nil {
			if !jetstream.IsStorageExhausted(err) || !strings.Contains(err.Error(), "are asked for") {
				t.Errorf("error %v, want the shortage", err)
			}
			break
		}
		brokers = append(brokers, a)
	}
	if len(brokers) < 10 {
		t.Errorf("a server with 1 GiB has room for %d Brokers, want ten or more", len(brokers))
	}
	store := storeOf(t, c, jstest.Table(brokers...))
	for _, a := range brokers {
		target := route.Target{Key: route.TargetKey{Address: a.Key, Namespace: "shop", Name: "all"}}
		jstest.Must(t, store.DeadLetter(jstest.Context(t), target, jstest.Work("1", 1)))
	}
	status, err := status.Read(jstest.Context(t), c)
	jstest.Must(t, err)
	for _, a := range status.Addresses {
		if want := uint64(a.Log.MaxBytes + a.Log.MaxBytes/4 + a.Log.MaxBytes); a.TotalLimit != want || a.Total == 0 || a.DeadLetters != 1 {
			t.Errorf("%s: %d of %d bytes, %d dead letters; want some of %d, one", a.Key, a.Total, a.TotalLimit, a.DeadLetters, want)
		}
	}
}

func TestAvailableInTiers(t *testing.T) {
	t.Parallel()
	account := &natsjs.AccountInfo{Tiers: map[string]natsjs.Tier{
		"R3": {Store: 5, ReservedStore: 60, Limits: natsjs.AccountLimits{MaxStore: 100, MaxMemory: -1}},
	}}
	for _, c := range []struct {
		name string
		want natsjs.StreamConfig
		text string
	}{
		{"a tier with a limit counts one replica", natsjs.StreamConfig{MaxBytes: 50, Replicas: 3},
			"50 in all; the NATS account may have 100 bytes of file storage in tier R3, of which 60 are reserved: 40 are available"},
		{"a tier without one", natsjs.StreamConfig{MaxBytes: 50, Replicas: 3, Storage: natsjs.MemoryStorage},
			"more than a NATS server has left of its memory; this account, which has no limit in tier R3, has reserved 0"},
		{"no such tier", natsjs.StreamConfig{MaxBytes: 50, Replicas: 1},
			"and the NATS account has no limits for R1, which means nothing may be stored"},
	} {
		if got := available(account, c.want); got != c.text {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.text)
		}
	}
	flat := &natsjs.AccountInfo{Tier: natsjs.Tier{ReservedStore: 160, Limits: natsjs.AccountLimits{MaxStore: 100}}}
	want := "150 in all; the NATS account may have 100 bytes of file storage, of which 160 are reserved: 0 are available"
	if got := available(flat, natsjs.StreamConfig{MaxBytes: 50, Replicas: 3}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
