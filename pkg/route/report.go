package route

import (
	"fmt"
	"strings"
	"time"
)

// Role is what a data-plane process does.
type Role string

// The roles of the data plane.
const (
	RoleIngress Role = "ingress"
	RoleFilter  Role = "filter"
)

// A process repeats its report every ReportInterval; ReportTTL after its last one it counts as gone.
const (
	ReportInterval = 10 * time.Second
	ReportTTL      = 3 * ReportInterval
)

// Report is what one live process says of itself. A process makes its first report after its first full sync.
type Report struct {
	Role Role   `json:"role"`
	ID   string `json:"id"`
	// Revision is the watermark: every record of the routes bucket up to it has been applied.
	Revision uint64 `json:"revision"`
	// Bucket is when the routes bucket was made that Revision counts in. One that was made anew counts from the start.
	Bucket time.Time `json:"bucket,omitzero"`
	// URL is where an ingress takes events, without namespace and name.
	URL string `json:"url,omitempty"`
	// Failures maps keys of the routes bucket to why the process could not apply them.
	Failures map[string]string `json:"failures,omitempty"`
}

// A report holds at most maxFailures reasons of maxReason bytes: then it stays below the 1 MiB that a NATS message may have.
const (
	maxFailures = 1500
	maxReason   = 200
)

// Bounded returns the report as it may be written: with shortened reasons; and one that has more failures than it can name says
// of nothing that it was applied.
func (r Report) Bounded() Report {
	if len(r.Failures) > maxFailures {
		r.Revision, r.Bucket, r.Failures = 0, time.Time{}, nil
		return r
	}
	failures := make(map[string]string, len(r.Failures))
	for key, why := range r.Failures {
		if len(why) > maxReason {
			why = strings.ToValidUTF8(why[:maxReason], "") + "..."
		}
		failures[key] = why
	}
	r.Failures = failures
	return r
}

// Place is where a record stands: at a revision of its key, in a bucket that was made at this time.
type Place struct {
	Key      string
	Revision uint64
	Bucket   time.Time
}

// Past reports whether the process has applied the record at the place, or a later one.
func (r Report) Past(p Place) bool { return r.Bucket.Equal(p.Bucket) && r.Revision >= p.Revision }

// Ready reports whether the live processes of the role have all applied the record at the place, and if not, why.
// It is a pure function of the reports: readiness is never assumed.
func Ready(reports []Report, role Role, at Place) (bool, string) {
	live := 0
	for _, r := range reports {
		if r.Role != role {
			continue
		}
		live++
		if !r.Past(at) {
			return false, fmt.Sprintf("%s %s has not applied it yet", role, r.ID)
		}
		if why, failed := r.Failures[at.Key]; failed {
			return false, fmt.Sprintf("%s %s: %s", role, r.ID, why)
		}
	}
	if live == 0 {
		return false, fmt.Sprintf("no %s process is running", role)
	}
	return true, ""
}
