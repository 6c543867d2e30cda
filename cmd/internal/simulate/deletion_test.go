package simulate

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// byHand is who deletes things.
const byHand = "by hand"

// deletion is something that people can delete by hand.
type deletion struct {
	what   string
	effect effect
	delete func(context.Context, jetstream.JetStream) error
}

func (w *world) deletions(address route.Key) []deletion {
	bucket := func(ctx context.Context, js jetstream.JetStream) (jetstream.KeyValue, error) {
		return js.KeyValue(ctx, w.names.RoutesBucket())
	}
	all := []deletion{
		{"reports bucket deleted", breaks, func(ctx context.Context, js jetstream.JetStream) error {
			return js.DeleteKeyValue(ctx, w.names.ReportsBucket())
		}},
		{"shared consumer deleted", rewinds, func(ctx context.Context, js jetstream.JetStream) error {
			return js.DeleteConsumer(ctx, w.names.Log(address), w.names.SharedConsumer())
		}},
		{"log deleted", empties, func(ctx context.Context, js jetstream.JetStream) error {
			return js.DeleteStream(ctx, w.names.Log(address))
		}},
		{"log replaced by another stream", empties, w.replaceLog(address, "OTHER")},
		{"log replaced by another one of its name", empties, w.replaceLog(address, w.names.Log(address))},
		{"routes bucket deleted", breaks, func(ctx context.Context, js jetstream.JetStream) error {
			return js.DeleteKeyValue(ctx, w.names.RoutesBucket())
		}},
		{"record of the address purged", breaks, func(ctx context.Context, js jetstream.JetStream) error {
			kv, err := bucket(ctx, js)
			if err != nil {
				return err
			}
			return kv.Purge(ctx, naming.AddressKey(address))
		}},
	}
	if t, found := w.anyTarget(true); found {
		all = append(all, deletion{"record of " + t.name + " deleted", breaks, func(ctx context.Context, js jetstream.JetStream) error {
			kv, err := bucket(ctx, js)
			if err != nil {
				return err
			}
			return kv.Delete(ctx, naming.TargetKey(t.key))
		}})
	}
	return all
}

// replaceLog has another stream take the place of the log for a while: what that stores, nobody
// reads.
func (w *world) replaceLog(address route.Key, by string) func(context.Context, jetstream.JetStream) error {
	return func(ctx context.Context, js jetstream.JetStream) error {
		if err := js.DeleteStream(ctx, w.names.Log(address)); err != nil {
			return err
		}
		other, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: by, Subjects: []string{w.names.LogSubjects(address)}})
		if err != nil {
			return err
		}
		w.mending.Go(func() {
			pass(15 * time.Second)
			w.doByHand(func(ctx context.Context, js jetstream.JetStream) error {
				now, err := js.Stream(ctx, by)
				if err != nil || !now.CachedInfo().Created.Equal(other.CachedInfo().Created) {
					return err // an owner has put the log in its place
				}
				return js.DeleteStream(ctx, by)
			})
		})
		return nil
	}
}

// deleteByHand deletes one of them, while there are owners or while there are none. Of those that
// break something it is not said what: they excuse nothing that comes twice.
func (w *world) deleteByHand() {
	if w.rng.IntN(2) == 0 {
		w.withoutOwners()
	}
	address := w.plan.addresses[w.rng.IntN(len(w.plan.addresses))]
	all := w.deletions(address)
	d := all[w.rng.IntN(len(all))]
	f := w.history.begin(fault{what: d.what, who: byHand, effect: d.effect, address: address})
	w.doByHand(d.delete)
	w.history.end(f)
}

// withoutOwners cuts all owners off for a while.
func (w *world) withoutOwners() {
	lasts := time.Duration(2+w.rng.IntN(30)) * time.Second
	for _, p := range w.processes {
		if !strings.HasPrefix(p.name, "owner") {
			continue
		}
		f := w.history.begin(fault{what: "partition", who: p.name})
		p.wires.cut()
		w.mending.Go(func() {
			pass(lasts)
			p.wires.mend()
			w.history.end(f)
		})
	}
}

// doByHand does something to NATS beside the broker, until it is done. What is not there cannot be
// deleted.
func (w *world) doByHand(do func(context.Context, jetstream.JetStream) error) {
	attempt := func() error {
		conn, err := nats.Connect("", nats.InProcessServer(provider{w, &wires{unlinked: true}}))
		if err != nil {
			return err
		}
		defer conn.Close()
		js, err := jetstream.New(conn)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return do(ctx, js)
	}
	var err error
	if !until(time.Minute, func() bool {
		err = attempt()
		return err == nil || strings.Contains(err.Error(), "not found") || strings.Contains(err.Error(), "overlap")
	}) {
		w.must(err)
	}
}
