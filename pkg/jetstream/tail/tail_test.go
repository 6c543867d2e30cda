package tail_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/replay"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestATailShowsWhatIsMeant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes("old1", "a")
	w.comes("old2", "c")
	second, err := w.log().GetLastMsgForSubject(jstest.Context(t), ">")
	jstest.Must(t, err)
	broker, trigger := route.Record{Address: &w.broker}, route.Record{Target: &w.trigger}
	rows := []struct {
		name  string
		of    route.Record
		slice replay.Slice
		want  []string
	}{
		{"a Broker", broker, replay.Slice{}, []string{"a1", "b1", "c1", "end"}},
		{"a Trigger", trigger, replay.Slice{}, []string{"a1", "b1", "end"}},
		{"types", broker, replay.Slice{Types: []string{"c", "a"}}, []string{"a1", "c1", "end"}},
		{"a filter", trigger, replay.Slice{Filter: "id IN ('b1', 'c1', 'end')"}, []string{"b1", "end"}},
		{"from before the first", broker, replay.Slice{From: second.Time.Add(-time.Hour)}, []string{"old1", "old2", "a1", "b1", "c1", "end"}},
		{"from the second", broker, replay.Slice{From: second.Time}, []string{"old2", "a1", "b1", "c1", "end"}},
		{"from later", broker, replay.Slice{From: second.Time.Add(time.Nanosecond)}, []string{"a1", "b1", "c1", "end"}},
	}
	views := make([]*viewer, len(rows))
	for i, row := range rows {
		views[i] = w.views(row.of, row.slice)
	}
	for _, id := range []string{"a1", "b1", "c1"} {
		w.comes(id, id[:1])
	}
	w.comes("end", "a")
	for i, row := range rows {
		if got := views[i].until("end"); !slices.Equal(got, row.want) || views[i].missed.Load() != 0 {
			t.Errorf("%s: %q are shown and %d missed, want %q", row.name, got, views[i].missed.Load(), row.want)
		}
	}
}

// Who looks at a tail that stands still keeps nothing in the log, and is told what that was trimmed
// of.
func TestATailHoldsNothingBack(t *testing.T) {
	t.Parallel()
	const events = 5
	w := newWorld(t)
	before := w.consumers()
	v := w.views(route.Record{Address: &w.broker}, replay.Slice{})
	for _, id := range []string{"1", "2", "3", "4"} {
		w.comes(id, "a")
	}
	shown := v.until("1")
	w.delivered(4)
	floor, err := trim.Once(jstest.Context(t), w.client, w.broker, 1)
	if jstest.Must(t, err); floor != w.log().CachedInfo().State.LastSeq+1 {
		t.Errorf("the log is trimmed below %d of %+v, want all of it", floor, w.log().CachedInfo().State)
	}
	if during := w.consumers(); !slices.Equal(during, before) {
		t.Errorf("the consumers are %q with a tail, want %q", during, before)
	}
	w.comes("5", "a")
	shown = append(shown, v.until("5")...)
	if missed := v.missed.Load(); missed < 2 || len(shown)+int(missed) != events { //nolint:gosec // see events
		t.Errorf("%q are shown and %d missed, want all of %d together", shown, missed, events)
	}
}

func (w *world) consumers() []string {
	w.t.Helper()
	found, err := jetstream.ConsumersOf(jstest.Context(w.t), w.log())
	jstest.Must(w.t, err)
	return slices.Sorted(maps.Keys(found))
}

// delivered acknowledges so many events for the Trigger.
func (w *world) delivered(events int) {
	w.t.Helper()
	shared, err := w.log().Consumer(jstest.Context(w.t), w.client.Names().SharedConsumer())
	jstest.Must(w.t, err)
	messages, err := shared.Fetch(events)
	jstest.Must(w.t, err)
	for m := range messages.Messages() {
		jstest.Must(w.t, m.DoubleAck(jstest.Context(w.t)))
		events--
	}
	if err := messages.Error(); err != nil || events != 0 {
		w.t.Fatalf("%d events are not delivered: %v", events, err)
	}
}

// Of a stream of somebody else's, the subjects of the Channel are shown, in the order of the stream.
func TestATailOfAnAdoptedStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.client.JetStream().CreateStream(jstest.Context(t), natsjs.StreamConfig{Name: "THEIRS", Subjects: []string{"theirs.>"}})
	jstest.Must(t, err)
	channel := route.Address{
		Key: route.Key{Kind: route.KindChannel, Namespace: "shop", Name: "c"},
		Log: route.Log{Stream: "THEIRS", Subjects: []string{"theirs.b", "theirs.a"}},
	}
	v := w.views(route.Record{Address: &channel}, replay.Slice{})
	for _, subject := range []string{"theirs.a", "theirs.c", "theirs.b", "theirs.a", "theirs.c", "theirs.b"} {
		_, err := w.client.JetStream().Publish(jstest.Context(t), subject, []byte("21"))
		jstest.Must(t, err)
	}
	want := []string{"THEIRS.1", "THEIRS.3", "THEIRS.4", "THEIRS.6"}
	if got := v.until("THEIRS.6"); !slices.Equal(got, want) || v.missed.Load() != 0 {
		t.Errorf("%q are shown and %d missed, want %q", got, v.missed.Load(), want)
	}
}
