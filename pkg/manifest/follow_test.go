package manifest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// store is a NATS that runs of files share, one after the other.
type store struct {
	t      *testing.T
	client *jetstream.Client
}

func newStore(t *testing.T) store {
	t.Helper()
	names, err := naming.New(naming.DefaultPrefix)
	must(t, err)
	client, err := jetstream.Connect(jetstream.Options{
		URL: natstest.Start(t, nil).URL(), Names: names, Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	t.Cleanup(client.Close)
	s := store{t, client}
	must(t, client.Wait(s.budget()))
	must(t, buckets.Ensure(s.budget(), client))
	return s
}

func (s store) budget() context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	s.t.Cleanup(cancel)
	return ctx
}

// run is a run of files on the store that has begun, and follows them.
func (s store) run(d Desired) *Follower {
	s.t.Helper()
	f := NewFollower(owner.New(s.client, "run", time.Minute))
	must(s.t, f.Begin(s.budget(), d))
	s.apply(f, d)
	return f
}

func (s store) apply(f *Follower, d Desired) []Ended {
	s.t.Helper()
	ended, err := f.Apply(s.budget(), d)
	must(s.t, err)
	return ended
}

// states are the live routes: served, or why not.
func (s store) states() map[string]string {
	s.t.Helper()
	all, err := status.Read(s.budget(), s.client)
	must(s.t, err)
	states := map[string]string{}
	for _, a := range all.Addresses {
		states[a.Key.Name] = a.Refuse
	}
	for _, t := range all.Targets {
		states[t.Key.Address.Name+"/"+t.Key.Name] = t.NotReady
		if t.Consumer == "" {
			states[t.Key.Address.Name+"/"+t.Key.Name] += " and without a cursor"
		}
	}
	return states
}

func (s store) wantStates(want map[string]string) {
	s.t.Helper()
	if got := s.states(); fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("the routes are %v, want %v", got, want)
	}
}

// files are a Broker for each text before a slash, with the Triggers after it.
func files(of ...string) (d Desired) {
	for _, one := range of {
		name, triggers, _ := strings.Cut(one, "/")
		key := route.Key{Kind: route.KindBroker, Namespace: "default", Name: name}
		d.Addresses = append(d.Addresses, route.Address{Key: key, Log: route.Log{MaxBytes: 1 << 20}})
		for t := range strings.FieldsSeq(triggers) {
			d.Targets = append(d.Targets, route.Target{
				Key: route.TargetKey{Address: key, Namespace: "default", Name: t}, Subscriber: &route.Destination{URL: "http://127.0.0.1:1"},
			})
		}
	}
	return d
}

func texts(ended []Ended) (keys []string) {
	for _, e := range ended {
		keys = append(keys, e.String())
	}
	return keys
}

func TestFilesAtTheStartEndNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.run(files("a/t u", "b/t"))
	s.run(files("b/other"))
	s.wantStates(map[string]string{
		"a": InNoFile, "a/t": InNoFile, "a/u": InNoFile, "b": "", "b/t": InNoFile, "b/other": "",
	})
	s.run(Desired{}) // a run without files
	s.wantStates(map[string]string{
		"a": InNoFile, "a/t": InNoFile, "a/u": InNoFile, "b": InNoFile, "b/t": InNoFile, "b/other": InNoFile,
	})
	s.run(files("a/t u"))
	s.wantStates(map[string]string{
		"a": "", "a/t": "", "a/u": "", "b": InNoFile, "b/t": InNoFile, "b/other": InNoFile,
	})
}

func TestAChangeOfTheFilesEndsWhatTheyNamed(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.run(files("a/t"))
	f := s.run(files("b/t u"))
	ended := s.apply(f, files("b/t"))
	if want := []string{"trigger default/u of broker default/b"}; !slices.Equal(texts(ended), want) {
		t.Errorf("ended %q, want %q", texts(ended), want)
	}
	s.wantStates(map[string]string{"a": InNoFile, "a/t": InNoFile, "b": "", "b/t": ""})
	ended = s.apply(f, Desired{})
	if want := []string{"trigger default/t of broker default/b", "broker default/b"}; !slices.Equal(texts(ended), want) {
		t.Errorf("ended %q, want %q", texts(ended), want)
	}
	if ended = s.apply(f, Desired{}); len(ended) > 0 {
		t.Errorf("%q ended twice", texts(ended))
	}
	s.apply(f, files("a/t")) // a route of an earlier run comes back when a changed file names it
	s.wantStates(map[string]string{"a": "", "a/t": ""})
}

// A route that files named, and that could not be written, was named all the same.
func TestWhatIsRemovedWhileItCannotBeWrittenEnds(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.run(files("a/t"))
	f := NewFollower(owner.New(s.client, "run", time.Minute))
	d := files("a/t", "large")
	d.Addresses[1].Log.MaxBytes = 1 << 60
	must(t, f.Begin(s.budget(), d))
	if ended, err := f.Apply(s.budget(), d); err == nil || len(ended) > 0 {
		t.Fatalf("ended %q, error %v; want a log that has no room", texts(ended), err)
	}
	if ended := s.apply(f, files("a")); len(ended) != 1 {
		t.Errorf("ended %q, want the Trigger", texts(ended))
	}
	s.wantStates(map[string]string{"a": ""})
}

func TestPruneEndsWhatIsInNoFile(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.run(files("a/t", "b/t u"))
	s.run(files("b/t")) // keeps the others
	ended, err := NewFollower(owner.New(s.client, "run", time.Minute)).Prune(s.budget(), files("b/t"))
	want := []string{"trigger default/t of broker default/a", "trigger default/u of broker default/b", "broker default/a"}
	if got := texts(ended); err != nil || !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("ended %q, %v; want %q", got, err, want)
	}
	s.wantStates(map[string]string{"b": "", "b/t": ""})
}

func TestRoutesOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	must(t, Put(s.budget(), owner.New(s.client, "apply", time.Minute), files("theirs/t")))
	f := s.run(files("a"))
	s.apply(f, Desired{})
	if _, err := f.Prune(s.budget(), Desired{}); err != nil {
		t.Error(err)
	}
	s.wantStates(map[string]string{"theirs": "", "theirs/t": ""})
	if _, err := f.Apply(s.budget(), files("theirs")); !errors.Is(err, owner.ErrForeignRoute) {
		t.Errorf("error %v, want ErrForeignRoute", err)
	}
}
