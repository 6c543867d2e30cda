package owner

import (
	"slices"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Where a new cursor begins is what the target says; from there on it is a cursor like any other.
func TestWhereANewSubscriberBegins(t *testing.T) {
	for _, kind := range []struct {
		name string
		log  route.Log
	}{{"our own log", route.Log{}}, {"an adopted stream", route.Log{Stream: "THEIRS"}}} {
		t.Run(kind.name, func(t *testing.T) {
			i := install(t)
			channel := channelOf("c", kind.log)
			if kind.log.Stream != "" {
				i.foreign(aStream(i.client.Names().LogSubjects(channel.Key)))
			}
			i.putChannel(channel)
			i.send(channel, "1", "2")
			stream, err := i.client.JetStream().Stream(jstest.Context(t), i.client.LogOf(channel))
			jstest.Must(t, err)
			i.send(channel, "3", "4")
			third, err := stream.GetMsg(jstest.Context(t), 3)
			jstest.Must(t, err)
			rows := []struct {
				name  string
				start route.Start
				want  []string
			}{
				{"new", route.Start{}, []string{"5"}},
				{"all", route.Start{Policy: route.StartAll}, []string{"1", "2", "3", "4", "5"}},
				{"last", route.Start{Policy: route.StartLast}, []string{"4", "5"}},
				{"sequence", route.Start{Policy: route.StartSequence, Sequence: 2}, []string{"2", "3", "4", "5"}},
				{"time", route.Start{Policy: route.StartTime, Time: &third.Time}, []string{"3", "4", "5"}},
			}
			var targets []route.Target
			for _, row := range rows {
				target := subscriberOf(channel, row.name)
				target.Start = row.start
				targets = append(targets, i.putSubscriber(target))
			}
			i.send(channel, "5")
			for n, row := range rows {
				if got := takeIDs(t, open(t, i.client, targets[n], 10), len(row.want)); !slices.Equal(got, row.want) {
					t.Errorf("%s: got %v, want %v", row.name, got, row.want)
				}
			}
		})
	}
}

// A cursor that was lost, or whose target was away for a moment, goes on where it stood, whatever the start position says.
func TestAStartPositionCountsOnce(t *testing.T) {
	i := install(t)
	yesterday := time.Now().Add(-24 * time.Hour)
	for _, start := range []route.Start{
		{Policy: route.StartAll}, {Policy: route.StartTime, Time: &yesterday}, {Policy: route.StartSequence, Sequence: 1},
	} {
		channel := channelOf(string(start.Policy), route.Log{})
		i.putChannel(channel)
		i.send(channel, "1", "2")
		target := subscriberOf(channel, "one")
		target.Start = start
		target = i.putSubscriber(target)
		source := open(t, i.client, target, 10)
		takeIDs(t, source, 2)
		source.Stop()
		jstest.Await(t, "two are acknowledged", func() bool {
			consumer, err := i.client.JetStream().Consumer(jstest.Context(t), i.client.LogOf(channel), target.Consumer)
			jstest.Must(t, err)
			return consumer.CachedInfo().AckFloor.Stream == 2
		})
		i.sweep() // it remembers where the cursor stands
		for name, lose := range map[string]func(){
			"deleted by hand, repaired by a sweep": func() {
				jstest.Must(t, i.client.JetStream().DeleteConsumer(jstest.Context(t), i.client.LogOf(channel), target.Consumer))
				i.sweep()
			},
			"deleted by hand, repaired by a put": func() {
				jstest.Must(t, i.client.JetStream().DeleteConsumer(jstest.Context(t), i.client.LogOf(channel), target.Consumer))
				i.putSubscriber(target)
			},
			"removed and brought back": func() {
				jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), target.Key))
				i.putSubscriber(target)
			},
			"another start position": func() {
				other := target
				other.Start = route.Start{Policy: route.StartLast}
				i.putSubscriber(other)
			},
		} {
			lose()
			source := open(t, i.client, target, 10)
			i.send(channel, name+string(start.Policy))
			if got := takeIDs(t, source, 1); got[0] != name+string(start.Policy) {
				t.Errorf("%s, %s: it goes on with %v", start.Policy, name, got)
			}
			jstest.Await(t, "it is acknowledged", func() bool {
				consumer, err := i.client.JetStream().Consumer(jstest.Context(t), i.client.LogOf(channel), target.Consumer)
				jstest.Must(t, err)
				info := consumer.CachedInfo()
				return info.NumPending == 0 && info.NumAckPending == 0
			})
			source.Stop()
			i.sweep()
		}
	}
}

// A start that is so long ago is another time at each reading of a file: who is there already is not written again for that.
func TestAStartIsWrittenOnce(t *testing.T) {
	i := install(t)
	channel := channelOf("c", route.Log{})
	i.putChannel(channel)
	target := subscriberOf(channel, "one")
	began := time.Now().Add(-2 * time.Hour).UTC()
	target.Start = route.Start{Policy: route.StartTime, Time: &began}
	first, err := i.owner.PutTarget(jstest.Context(t), target)
	jstest.Must(t, err)
	later := began.Add(time.Minute)
	target.Start.Time = &later
	second, err := i.owner.PutTarget(jstest.Context(t), target)
	jstest.Must(t, err)
	if second.Revision != first.Revision {
		t.Errorf("the route is written at revision %d, and again at %d", first.Revision, second.Revision)
	}
}

// All means what the log still has: delivered events that were trimmed do not come back.
func TestAllIsWhatTheLogStillHas(t *testing.T) {
	i := install(t)
	channel := channelOf("c", route.Log{})
	i.putChannel(channel)
	first := i.putSubscriber(subscriberOf(channel, "first"))
	i.send(channel, "1", "2", "3")
	source := open(t, i.client, first, 10)
	takeIDs(t, source, 2)
	source.Stop()
	jstest.Await(t, "two are trimmed", func() bool {
		floor, err := trim.Once(jstest.Context(t), i.client, channel, 1)
		jstest.Must(t, err)
		return floor == 3
	})
	late := subscriberOf(channel, "late")
	late.Start = route.Start{Policy: route.StartAll}
	if got := takeIDs(t, open(t, i.client, i.putSubscriber(late), 10), 1); got[0] != "3" {
		t.Errorf("it begins with %v", got)
	}
	stream, err := i.client.JetStream().Stream(jstest.Context(t), i.client.LogOf(channel))
	jstest.Must(t, err)
	has := stream.CachedInfo().State.FirstTime
	before, after := has.Add(-time.Second), has.Add(time.Nanosecond)
	for name, row := range map[string]struct {
		start route.Start
		lacks bool
	}{
		"all":             {route.Start{Policy: route.StartAll}, false},
		"an-earlier-time": {route.Start{Policy: route.StartTime, Time: &before}, true},
		"a-later-time":    {route.Start{Policy: route.StartTime, Time: &after}, false},
		"an-earlier-one":  {route.Start{Policy: route.StartSequence, Sequence: 2}, true},
		"the-first":       {route.Start{Policy: route.StartSequence, Sequence: 3}, false},
	} {
		target := subscriberOf(channel, name)
		target.Start = row.start
		applied, err := i.owner.PutTarget(jstest.Context(t), target)
		jstest.Must(t, err)
		if lacks := applied.LacksUntil != nil; lacks != row.lacks || lacks && !applied.LacksUntil.Equal(has) {
			t.Errorf("%s lacks what is before %v, want %t and %s", name, applied.LacksUntil, row.lacks, has)
		}
	}
}
