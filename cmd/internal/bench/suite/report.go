package suite

import "time"

// Report is everything that a suite has found.
type Report struct {
	At          time.Time    `json:"at"`
	Config      Config       `json:"config"`
	Environment Environment  `json:"environment"`
	Rounds      []Round      `json:"rounds"`
	Filters     []FilterCost `json:"filters,omitempty"`
}

// Verdicts are what the rounds make of the targets.
func (r Report) Verdicts() []Verdict {
	var verdicts []Verdict
	for _, t := range targets() {
		verdicts = append(verdicts, judge(t, r.Rounds))
	}
	return verdicts
}

// Failures are the runs that failed, by round.
func (r Report) Failures() []string {
	var failures []string
	for n, round := range r.Rounds {
		for _, failure := range round.Failures() {
			failures = append(failures, "round "+itoa(n+1)+", "+failure)
		}
	}
	return failures
}
