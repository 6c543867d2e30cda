package readiness

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// calls records what a Listener is told.
type calls struct {
	mu      sync.Mutex
	changed []string
	outages int
}

func (c *calls) listener() Listener {
	return Listener{
		Changed: func(who types.NamespacedName) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.changed = append(c.changed, who.Name)
		},
		Outage: func() { c.mu.Lock(); defer c.mu.Unlock(); c.outages++ },
	}
}

func (c *calls) take() (changed []string, outages int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed, outages = c.changed, c.outages
	c.changed, c.outages = nil, 0
	slices.Sort(changed)
	return changed, outages
}

// A resource that depends on several records is called for when any of them changes, and no more for those it has no longer.
func TestBoardCallsForEachOfSeveral(t *testing.T) {
	var told calls
	b := Fixed(View{Known: true, Reports: filters("a")})
	b.Listen(told.listener())
	who := types.NamespacedName{Name: "c"}
	question := func(revision uint64) Question {
		return Question{Role: route.RoleFilter, Place: route.Place{Key: "k", Revision: revision}}
	}
	answers := b.AskAll(who, []Question{question(7), question(8)})
	if answers[0].Status != corev1.ConditionTrue || answers[1].Status != corev1.ConditionUnknown {
		t.Fatalf("%+v", answers)
	}
	at := func(revision uint64) View {
		return View{Known: true, Reports: []route.Report{{Role: route.RoleFilter, ID: "a", Revision: revision}}}
	}
	b.show(at(8))
	if changed, _ := told.take(); !slices.Equal(changed, []string{"c"}) {
		t.Errorf("called for %v", changed)
	}
	b.AskAll(who, []Question{question(7)})
	b.show(at(9))
	if changed, _ := told.take(); len(changed) > 0 {
		t.Errorf("called for %v, which asks no more", changed)
	}
	if len(b.AskAll(who, nil)) != 0 {
		t.Error("an answer to no question")
	}
}

func TestBoardCallsForWhatChanged(t *testing.T) {
	var told calls
	b := Fixed(View{Known: true, Reports: filters("a")})
	b.Listen(told.listener())
	ask := func(name string, revision uint64) Answer {
		return b.Ask(types.NamespacedName{Name: name}, Question{Role: route.RoleFilter, Place: route.Place{Key: name, Revision: revision}})
	}
	if got := ask("old", 7); got.Status != corev1.ConditionTrue {
		t.Fatalf("%+v", got)
	}
	if got := ask("new", 8); got.Status != corev1.ConditionUnknown {
		t.Fatalf("%+v", got)
	}
	steps := []struct {
		name        string
		view        View
		wantChanged []string
		wantOutages int
	}{
		{"the same again", View{Known: true, Reports: filters("a")}, nil, 0},
		{"the filter catches up", View{Known: true, Reports: []route.Report{{Role: route.RoleFilter, ID: "a", Revision: 8}}}, []string{"new"}, 0},
		{"who does not ask again is not called again", View{Known: true, Reports: []route.Report{{Role: route.RoleFilter, ID: "a", Revision: 8}}}, nil, 0},
		{"an outage calls for all by itself", View{Known: true, Outage: &Outage{Since: noon}}, nil, 1},
		{"it goes on", View{Known: true, Outage: &Outage{Since: noon}}, nil, 0},
		{"it ends, and no filter is left", View{Known: true}, []string{"new", "old"}, 1},
	}
	for _, step := range steps {
		b.show(step.view)
		changed, outages := told.take()
		if !slices.Equal(changed, step.wantChanged) || outages != step.wantOutages {
			t.Errorf("%s: called for %v, %d outages", step.name, changed, outages)
		}
	}
	b.Forget(types.NamespacedName{Name: "old"})
	b.show(View{Known: true, Reports: []route.Report{{Role: route.RoleFilter, ID: "a", Revision: 8}}})
	if changed, _ := told.take(); !slices.Equal(changed, []string{"new"}) {
		t.Errorf("called for %v after one is forgotten", changed)
	}
}

// A failure that passes, as while a filter takes a new target over, is no news; one that lasts is.
func TestBoardCallsForFailuresThatLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told calls
		b := Fixed(View{Known: true, Reports: filters("a")})
		b.Listen(told.listener())
		q := Question{Role: route.RoleFilter, Place: route.Place{Key: "k", Revision: 8}}
		if got := b.Ask(types.NamespacedName{Name: "new"}, q); got.Reason != ReasonNotApplied {
			t.Fatalf("%+v", got)
		}
		failing := View{Known: true, Reports: []route.Report{{Role: route.RoleFilter, ID: "a", Revision: 8, Failures: map[string]string{"k": "lost"}}}}
		steps := []struct {
			name string
			view View
			wait time.Duration
			want []string
		}{
			{"a failure", failing, time.Second, nil},
			{"it passes", View{Known: true, Reports: filters("a")}, time.Minute, nil},
			{"another", failing, time.Second, nil},
			{"it goes on", failing, failureGrace, nil},
			{"it lasts", failing, time.Second, []string{"new"}},
			{"the same", failing, time.Second, nil},
			{"it is served", View{Known: true, Reports: []route.Report{{Role: route.RoleFilter, ID: "a", Revision: 8}}}, 0, []string{"new"}},
		}
		for _, step := range steps {
			b.show(step.view)
			if changed, _ := told.take(); !slices.Equal(changed, step.want) {
				t.Errorf("%s: called for %v", step.name, changed)
			}
			<-time.After(step.wait)
		}
	})
}

// source is a Source whose answers a test sets.
type source struct {
	mu      sync.Mutex
	err     error
	reports []route.Report
	lost    time.Time
	ensured int
}

func (s *source) set(err error, reports []route.Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.reports = err, reports
}

func (s *source) Wait(context.Context) error { s.mu.Lock(); defer s.mu.Unlock(); return s.err }

func (s *source) timesEnsured() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ensured
}

func (s *source) EnsureBuckets(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ensured++
	return nil
}

func (s *source) LatestReports(context.Context) (route.Reports, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return route.Reports{Live: s.reports, Lost: s.lost}, s.err
}

func TestWatchMakesTheBucketsOfANewServer(t *testing.T) {
	s := &source{err: errors.New("away")}
	w := NewWatch(s)
	b := w.Board()
	changed := make(chan struct{}, 100)
	b.Listen(Listener{Outage: func() { changed <- struct{}{} }})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	defer running.Wait()
	defer cancel()

	if known, _ := b.State(); known {
		t.Error("known before anything was read")
	}
	s.set(nil, filters("a"))
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Fatal("the board was not called when NATS came")
	}
	if known, outage := b.State(); !known || outage != nil {
		t.Errorf("known %t, outage %v", known, outage)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ensured != 1 {
		t.Errorf("buckets made %d times", s.ensured)
	}
}

// A server that has restarted may lack the buckets, although it answers. What was ready stays so, and what is not says why.
func TestWatchKeepsWhatWasReadyWhenReportsAreLost(t *testing.T) {
	s := &source{reports: filters("a")}
	w := NewWatch(s)
	b := w.Board()
	known, changed := make(chan struct{}, 100), make(chan string, 100)
	b.Listen(Listener{Outage: func() { known <- struct{}{} }, Changed: func(who types.NamespacedName) { changed <- who.Name }})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	defer running.Wait()
	defer cancel()
	<-known
	ask := func(name string, revision uint64) Answer {
		return b.Ask(types.NamespacedName{Name: name}, Question{Role: route.RoleFilter, Place: route.Place{Key: name, Revision: revision}})
	}
	if got := ask("old", 7); got.Status != corev1.ConditionTrue {
		t.Fatalf("%+v", got)
	}
	if got := ask("new", 8); got.Status != corev1.ConditionUnknown || got.Reason != ReasonNotApplied {
		t.Fatalf("%+v", got)
	}
	s.mu.Lock()
	s.lost, s.reports = noon, []route.Report{{Role: route.RoleFilter, ID: "b", Revision: 9}}
	s.mu.Unlock()
	select {
	case name := <-changed:
		if name != "new" {
			t.Errorf("called for %s", name)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was called")
	}
	if got := ask("new", 8); got.Status != corev1.ConditionUnknown || got.Reason != ReasonLost {
		t.Errorf("%+v", got)
	}
	if got := ask("old", 7); got.Status != corev1.ConditionTrue {
		t.Errorf("%+v", got)
	}
	deadline := time.After(10 * time.Second)
	for s.timesEnsured() < 2 {
		select {
		case <-time.Tick(10 * time.Millisecond):
		case <-deadline:
			t.Fatal("the buckets are not made again")
		}
	}
}
