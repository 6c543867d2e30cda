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

// NotRead is the reason in Failures that is over by itself: the process is about to read for the target.
const NotRead = "its consumer is not read yet"

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

// Reports is what the live processes of all roles say of themselves.
type Reports struct {
	Live []Report
	// Lost is set while processes may live whose reports are lost: when the bucket that holds them was made anew or emptied. A process
	// repeats its report within ReportTTL.
	Lost time.Time
}

// Ready reports whether the live processes of the role have all applied the record at the place, and if not, why.
// It is a pure function of the reports: readiness is never assumed.
func Ready(reports Reports, role Role, at Place) (bool, string) {
	if !reports.Lost.IsZero() {
		return false, reports.WhyUnknown()
	}
	live := 0
	for _, r := range reports.Live {
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

// WhyUnknown says why nobody can tell what is ready, while reports are lost.
func (r Reports) WhyUnknown() string {
	return fmt.Sprintf("NATS lost the reports of the data plane at %s; every process reports again within %s",
		r.Lost.UTC().Format(time.RFC3339), ReportTTL)
}
