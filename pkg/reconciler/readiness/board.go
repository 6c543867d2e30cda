package readiness

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// urgency is how long after a question that could not be answered with True the reports are read often.
const urgency = 20 * time.Second

// failureGrace is how long a failure has to last to be told: while a process takes a record over, it says for a moment that it cannot.
const failureGrace = 5 * time.Second

// Listener is whom a Board calls; neither function may block.
type Listener struct {
	// Changed is called for each resource whose last answer no longer holds.
	Changed func(types.NamespacedName)
	// Outage is called when NATS goes or is back, and when the reports were read for the first time.
	Outage func()
}

// Board answers the questions of one reconciler. Safe for concurrent use.
type Board struct {
	wake chan<- struct{}

	mu       sync.Mutex
	view     View
	asked    map[types.NamespacedName][]asked
	urgent   time.Time // reports are read often until then
	listener Listener
}

type asked struct {
	question Question
	answer   Answer
	// failing is since when a process says that it cannot apply the record, which is not in answer yet.
	failing time.Time
}

// Fixed returns a board without a watch, which always shows this view.
func Fixed(v View) *Board {
	return &Board{view: v, asked: map[types.NamespacedName][]asked{}}
}

// Listen sets whom to call. Until then nobody is.
func (b *Board) Listen(l Listener) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listener = l
}

// Ask answers for a resource, and remembers the question in place of those before: Changed is called when the answer changes.
func (b *Board) Ask(who types.NamespacedName, q Question) Answer {
	return b.AskAll(who, []Question{q})[0]
}

// AskAll is Ask for a resource that depends on several records.
func (b *Board) AskAll(who types.NamespacedName, questions []Question) []Answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	answers, remembered, open := make([]Answer, len(questions)), make([]asked, len(questions)), false
	for i, q := range questions {
		answers[i] = b.view.answer(q)
		remembered[i] = asked{question: q, answer: answers[i]}
		open = open || answers[i].Status != corev1.ConditionTrue
	}
	b.asked[who] = remembered
	if open {
		b.urgent = time.Now().Add(urgency)
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
	return answers
}

// Forget drops what was asked for a resource that is gone.
func (b *Board) Forget(who types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.asked, who)
}

// State reports whether the reports have been read, and the outage that lasts at present.
func (b *Board) State() (known bool, outage *Outage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view.Known, b.view.Outage
}

// answerAnew puts the answers of this view in the place of those before, and reports whether one is another. Who is called for it
// may have nothing to ask any more, and is not called for the same answer again.
func (v View) answerAnew(all []asked) (changed bool) {
	for i := range all {
		a, next := &all[i], v.answer(all[i].question)
		if a.holds(next, time.Now()) {
			continue
		}
		changed = changed || next.isNews(a.answer)
		a.answer, a.failing = next, time.Time{}
	}
	return changed
}

// holds reports whether the answer before is kept although a process says now that it cannot apply the record.
func (a *asked) holds(next Answer, now time.Time) bool {
	if next.Reason != ReasonFailed || a.answer.Reason == ReasonFailed {
		return false
	}
	if a.failing.IsZero() {
		a.failing = now
	}
	return now.Sub(a.failing) < failureGrace
}

// show takes a new view over and calls the listener.
func (b *Board) show(v View) {
	b.mu.Lock()
	turned := v.Known != b.view.Known || !v.Outage.Equal(b.view.Outage)
	b.view = v
	listener := b.listener
	var changed []types.NamespacedName
	for who, all := range b.asked {
		if v.Outage == nil && v.answerAnew(all) {
			changed = append(changed, who)
		}
	}
	b.mu.Unlock()
	if turned && listener.Outage != nil {
		listener.Outage()
	}
	for _, who := range changed {
		if listener.Changed != nil {
			listener.Changed(who)
		}
	}
}

func (b *Board) isUrgent(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.urgent)
}
