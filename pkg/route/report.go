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

// A process repeats its report every ReportInterval, and counts as gone ReportTTL after the last.
const (
	ReportInterval = 10 * time.Second
	ReportTTL      = 3 * ReportInterval
)

// Report is the state of one live process. Its first report follows its first full sync.
type Report struct {
	Role Role   `json:"role"`
	ID   string `json:"id"`
	// Revision is the watermark: all records of the routes bucket up to it are applied.
	Revision uint64 `json:"revision"`
	// Bucket is when the routes bucket of Revision was created. A new bucket counts from the start.
	Bucket time.Time `json:"bucket,omitzero"`
	// URL is where an ingress takes events, without namespace and name.
	URL string `json:"url,omitempty"`
	// Failures maps keys of the routes bucket to why the process could not apply the records.
	Failures map[string]string `json:"failures,omitempty"`
}

// NotRead is the reason in Failures that passes by itself: the process is about to read.
const NotRead = "its consumer is not read yet"

// A report has at most maxFailures reasons of maxReason bytes, so that it fits a NATS message.
const (
	maxFailures = 1500
	maxReason   = 200
)

// Bounded returns the report with shortened reasons; beyond maxFailures it reports nothing applied.
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

// Place is where a record is: at a revision of its key, in the bucket created at this time.
type Place struct {
	Key      string
	Revision uint64
	Bucket   time.Time
}

// Past reports whether the process has applied the record at the place, or a later one.
func (r Report) Past(p Place) bool { return r.Bucket.Equal(p.Bucket) && r.Revision >= p.Revision }

// Reports are the reports of the live processes of all roles.
type Reports struct {
	Live []Report
	// Lost is set while reports of live processes may be lost, because their bucket was emptied or
	// created again: every process repeats its report within ReportTTL.
	Lost time.Time
}

// Ready reports whether every live process of the role has applied the record at the place, and if
// not, why. Without a live process nothing is ready.
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

// WhyUnknown returns why readiness is unknown while reports are lost.
func (r Reports) WhyUnknown() string {
	return fmt.Sprintf("NATS lost the reports of the data plane at %s; every process reports again within %s",
		r.Lost.UTC().Format(time.RFC3339), ReportTTL)
}
