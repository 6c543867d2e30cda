package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// outageGrace keeps a reconnect, which usually takes less than a second, out of the conditions.
	outageGrace = 3 * time.Second
	// returnGrace is how long a report may be missing after an outage: it expired while its process could not renew it.
	returnGrace = route.ReportInterval + 5*time.Second
)

// View is what is known of the data plane at one moment.
type View struct {
	// Known is false until the reports were read for the first time.
	Known   bool
	Reports []route.Report
	// Outage is set while NATS cannot be used.
	Outage *Outage
	// Lost is set while NATS has lost what the data plane reported, and not every process had the time to report again. Reports are then
	// those from before: what was ready stays so, and nothing becomes ready on the word of those that are the first to report again.
	Lost time.Time

	failing   *Outage
	heldUntil time.Time
}

// Outage says since when NATS cannot be used, and why.
type Outage struct {
	Since time.Time
	Why   string
}

// Equal reports whether both are the same outage, or none.
func (o *Outage) Equal(other *Outage) bool {
	if o == nil || other == nil {
		return o == other
	}
	return o.Since.Equal(other.Since)
}

// reading is one attempt to read the reports.
type reading struct {
	reports route.Reports
	err     error
	at      time.Time
}

// next is the view after one more reading. One that failed, or found that reports are lost, changes nothing of what is known; reports
// that are missing just after an outage are kept until their processes had the time to renew them.
func (v View) next(r reading) View {
	if r.err != nil {
		if v.failing == nil {
			v.failing = &Outage{Since: r.at, Why: r.err.Error()}
		}
		if v.Outage == nil && r.at.Sub(v.failing.Since) >= outageGrace {
			v.Outage = v.failing
		}
		return v
	}
	if v.Outage != nil {
		v.heldUntil = r.at.Add(returnGrace)
	}
	v.failing, v.Outage, v.Lost = nil, nil, r.reports.Lost
	if !v.Lost.IsZero() {
		return v
	}
	reports := slices.Clone(r.reports.Live)
	if r.at.Before(v.heldUntil) {
		for _, old := range v.Reports {
			if !slices.ContainsFunc(reports, func(now route.Report) bool { return now.Role == old.Role && now.ID == old.ID }) {
				reports = append(reports, old)
			}
		}
	}
	// In one order: the server's changes with every report that is written, and an answer names the first that is not ready.
	slices.SortFunc(reports, func(a, b route.Report) int { return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.ID, b.ID)) })
	v.Known, v.Reports = true, reports
	return v
}
