package simulate

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// disturb does one thing that the promise has to survive.
func (w *world) disturb(all []*process) {
	victim := 1 + w.rng.IntN(len(all)-1)
	p := all[victim]
	switch w.rng.IntN(4) {
	case 0:
		w.history.fault("the connections of %s are cut", p.name)
		p.wires.cut(false)
	case 1:
		lasts := time.Duration(1+w.rng.IntN(40)) * time.Second
		w.history.fault("%s is cut off for %s", p.name, lasts)
		p.wires.cut(true)
		pass(lasts)
		p.wires.cut(false)
	case 2:
		if victim == 1 {
			return // the ingress has no second one yet
		}
		w.history.fault("%s is killed, and comes back", p.name)
		p.wires.cut(true)
		p.stop()
		all[victim] = w.startFilter(p.name)
	case 3:
		w.history.fault("NATS is killed, and comes back with its store")
		w.killNATS(all)
	}
}

// purge takes from the logs what nobody has had yet: a planted defect, which trimming too far would be. The filters are cut off.
func (w *world) purge(all []*process) {
	conn, err := nats.Connect("", nats.InProcessServer(provider{w, &wires{}}))
	w.must(err)
	js, err := jetstream.New(conn)
	w.must(err)
	for stream := range js.ListStreams(context.Background()).Info() {
		if len(stream.Config.Subjects) > 0 && stream.Config.Subjects[0][0] != '$' {
			one, err := js.Stream(context.Background(), stream.Config.Name)
			w.must(err)
			w.must(one.Purge(context.Background()))
		}
	}
	conn.Close()
	for _, p := range all[2:] {
		p.wires.cut(false)
	}
}
