package workload

// Target is one Trigger: which events it gets, and what its subscriber does.
type Target struct {
	Name string
	// First and Step select the events: those whose number leaves First when divided by Step. Step 0 selects none.
	First, Step int
	// Type is what the filter asks for; "" is every type.
	Type string
	// Replies tells whether the subscriber answers with an event.
	Replies bool
	// filter is the kind of the filter; an idle Trigger and that of the replies have one by type whatever the others have.
	filter Filter
}

// Selects tells whether event number i is for this target.
func (t Target) Selects(i int) bool { return t.Step > 0 && i%t.Step == t.First }

// Targets returns the Triggers in the order in which subscribers are numbered. The idle ones come last.
func (w Workload) Targets() []Target {
	var targets []Target
	add := func(t Target) {
		t.Name = "t" + itoa(len(targets))
		targets = append(targets, t)
	}
	if w.Filter == FilterNone {
		for range w.FanOut {
			add(Target{Step: 1, filter: FilterNone})
		}
	} else {
		for n := range w.Types * w.FanOut {
			kind := n % w.Types
			add(Target{First: kind, Step: w.Types, Type: TypeName(kind), Replies: w.Replies && n < w.Types, filter: w.Filter})
		}
	}
	if w.Replies {
		add(Target{Step: 1, Type: ReplyType, filter: FilterType})
	}
	for n := range w.Idle {
		add(Target{Type: "bench.idle.t" + itoa(n), filter: FilterType})
	}
	return targets
}
