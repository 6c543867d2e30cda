package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"knative.dev/eventing/pkg/eventfilter"
	"knative.dev/eventing/pkg/eventfilter/attributes"
	"knative.dev/eventing/pkg/eventfilter/subscriptionsapi"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// target is a Trigger, or a subscriber of a Channel, with how its subscriber behaves, and what has
// been made of it one after the other.
type target struct {
	key         route.TargetKey
	name        string
	retry       int
	delay       time.Duration // before the first retry; a long one is waited for in NATS
	fails       float64       // how often it answers 503
	loses       float64       // how often its answer is lost, after the event has arrived
	breaks      float64       // how often its answer breaks off
	keeps       bool          // it has no dead letter sink
	replies     float64       // how often it answers with an event
	hesitates   float64       // how often it takes its time
	inFlight    int           // the most requests at one time; 0 is the default
	sour        float64       // how often its dead letter sink, or who gets its replies, answers 503
	unavailable time.Time

	versions []version
	writing  int // owners that are writing its record now
}

// version is a target as it was wanted for some time.
type version struct {
	filter filter.Spec
	match  match // by upstream's own filters
	path   string
	ended  bool
	begun  time.Time // before an owner heard of it
	ready  time.Time // when it was seen to be ready, or that its record has ended; zero before that
}

func (v version) String() string {
	if v.ended {
		return "removed"
	}
	return fmt.Sprintf("%s with filter %s", v.path, text(v.filter))
}

// text is the filter as a record has it.
func text(spec filter.Spec) string {
	data, err := json.Marshal(spec)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// wants tells by upstream's own filters whether the version gets the event.
func (v version) wants(e cloudevents.Event) bool { return !v.ended && v.match(e) }

// match tells whether an event passes a filter.
type match func(cloudevents.Event) bool

// live returns a version that selects events.
func live(spec filter.Spec) version {
	v := version{filter: spec, match: leaf(attributes.NewAttributesFilter(spec.Attributes), nil)}
	if len(spec.Filters) > 0 {
		v.match = each(upstream(spec.Filters))
	}
	return v
}

// leaf is one of upstream's filters. One that is wrong lets nothing pass.
func leaf(f eventfilter.Filter, err error) match {
	if err != nil || f == nil {
		return func(cloudevents.Event) bool { return false }
	}
	return func(e cloudevents.Event) bool { return f.Filter(context.Background(), e) != eventfilter.FailFilter }
}

// each and the like are ours: upstream's sort what they consist of while they are used, and race with themselves.
func each(filters []match) match {
	return func(e cloudevents.Event) bool {
		return !slices.ContainsFunc(filters, func(m match) bool { return !m(e) })
	}
}

func upstream(expressions []filter.Expression) (filters []match) {
	for _, e := range expressions {
		switch {
		case e.Any != nil:
			choices := upstream(e.Any)
			filters = append(filters, func(e cloudevents.Event) bool {
				return slices.ContainsFunc(choices, func(m match) bool { return m(e) })
			})
		case e.Not != nil:
			no := upstream([]filter.Expression{*e.Not})[0]
			filters = append(filters, func(e cloudevents.Event) bool { return !no(e) })
		case e.Exact != nil:
			filters = append(filters, leaf(subscriptionsapi.NewExactFilter(e.Exact)))
		case e.Prefix != nil:
			filters = append(filters, leaf(subscriptionsapi.NewPrefixFilter(e.Prefix)))
		default:
			filters = append(filters, leaf(subscriptionsapi.NewCESQLFilter(e.CESQL)))
		}
	}
	return filters
}

// change lets an owner write the record of the target, while its version stays what it is.
func (w *world) change(t *target, write func(version)) {
	w.mu.Lock()
	if len(t.versions) == 0 {
		w.mu.Unlock()
		return
	}
	v := t.versions[len(t.versions)-1]
	t.writing++
	w.mu.Unlock()
	write(v)
	w.mu.Lock()
	t.writing--
	w.mu.Unlock()
}

// edit makes the target another one from now on. It is false while an owner writes an earlier
// version: then it would be unclear which of the two the record has.
func (w *world) edit(t *target, v version) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.writing > 0 {
		return false
	}
	// A path that tells the version from earlier ones with the same filter, and is the same for an
	// edit of the filter alone.
	v.path = fmt.Sprintf("/%d", len(slices.DeleteFunc(slices.Clone(t.versions), func(other version) bool {
		return other.ended || text(other.filter) != text(v.filter)
	})))
	v.begun = time.Now()
	t.versions = append(t.versions, v)
	return true
}

// current is false for a target that was never made.
func (w *world) current(t *target) (version, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(t.versions) == 0 {
		return version{}, false
	}
	return t.versions[len(t.versions)-1], true
}

// unready returns the versions that are wanted and were not seen to be ready.
func (w *world) unready() map[*target]version {
	left := map[*target]version{}
	for _, t := range w.targets {
		if v, made := w.current(t); made && v.ready.IsZero() {
			left[t] = v
		}
	}
	return left
}

// isReady notes that the version was seen to be ready, unless another one is wanted by now.
func (w *world) isReady(t *target, v version) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := &t.versions[len(t.versions)-1]; last.begun.Equal(v.begun) {
		last.ready = time.Now()
	}
}
