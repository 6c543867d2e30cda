package ledger

import "math/bits"

// Tally is what became of the accepted events, summed over all targets.
type Tally struct {
	Accepted int `json:"accepted"`
	// Expected is the number of deliveries that the accepted events ask for.
	Expected  int `json:"expected"`
	Delivered int `json:"delivered"`
	// DeadLettered counts those that came to the dead letter sink.
	DeadLettered int `json:"deadLettered"`
	// Duplicates counts what came more than once.
	Duplicates int `json:"duplicates"`
	// Lost counts what came neither to its subscriber nor to the dead letter sink.
	Lost int `json:"lost"`
	// Unconfirmed counts deliveries of events that were not accepted: the answer was lost, the event was not.
	Unconfirmed int `json:"unconfirmed,omitempty"`
	// Unexpected counts deliveries to a target whose filter does not match.
	Unexpected int `json:"unexpected,omitempty"`
	// Exhausted counts the events whose subscriber refused them as often as is tried; they, and no others, are to be dead letters.
	// Misjudged counts the differences.
	Exhausted int `json:"exhausted,omitempty"`
	Misjudged int `json:"misjudged,omitempty"`
}

// Tally counts. attempts is how often a delivery is tried before it is given up.
func (l *Ledger) Tally(attempts int) Tally {
	t := Tally{Accepted: l.accepted.count()}
	for _, a := range l.targets {
		t.Duplicates += int(a.duplicates.Load())
		t.Unexpected += int(a.unexpected.Load())
		if a.Step > 0 {
			l.add(&t, a)
		}
		a.judge(&t, attempts)
	}
	return t
}

// add goes through the events of an account, 64 at a time when it has all of them.
func (l *Ledger) add(t *Tally, a *account) {
	if a.Step == 1 {
		for w := range l.accepted {
			accepted, delivered, dead := l.accepted[w].Load(), a.delivered[w].Load(), a.dead[w].Load()
			t.addWord(accepted, delivered, dead)
		}
		return
	}
	for i := a.First; i < 64*len(l.accepted); i += a.Step {
		place := i / a.Step
		t.addWord(bit(l.accepted.has(i)), bit(a.delivered.has(place)), bit(a.dead.has(place)))
	}
}

func (t *Tally) addWord(accepted, delivered, dead uint64) {
	t.Expected += bits.OnesCount64(accepted)
	t.Delivered += bits.OnesCount64(accepted & delivered)
	t.DeadLettered += bits.OnesCount64(dead)
	t.Lost += bits.OnesCount64(accepted &^ (delivered | dead))
	t.Unconfirmed += bits.OnesCount64((delivered | dead) &^ accepted)
}

func bit(is bool) uint64 {
	if is {
		return 1
	}
	return 0
}

// judge compares the events that were given up with those that had to be.
func (a *account) judge(t *Tally, attempts int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	rightly := 0
	for i, refusals := range a.refusals {
		place := i / a.Step
		if refusals < attempts || a.delivered.has(place) {
			continue
		}
		t.Exhausted++
		if a.dead.has(place) {
			rightly++
		} else {
			t.Misjudged++
		}
	}
	if a.Step > 0 {
		t.Misjudged += a.dead.count() - rightly
	}
}
