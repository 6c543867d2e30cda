package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/display"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
)

func (as shown) addressRows(t table.Writer, s status.Status) {
	as.appendHeader(t, table.Row{"Namespace", "Name", "Ready", "Accepted", "Delivered", "Unmatched", "Retrying", "Dead", "Backlog", "Oldest", "URL", "Reason"},
		table.Row{"Stored", "Bytes", "Refused", "Last failure"})
	for _, a := range s.Addresses {
		reason := a.Reason
		if a.Refuse == manifest.InNoFile {
			reason = deletable(nameOfAddress(a.Address))
		}
		as.appendRow(t, table.Row{
			a.Key.Namespace, a.Key.Name, a.Ready, a.Numbers.Accepted, a.Targets.Delivered, a.Numbers.Unmatched, a.Targets.Retrying,
			a.Dead(s.Targets), a.Backlog, as.age(a.Oldest), a.URL, reason,
		}, table.Row{a.Events, a.Bytes, each(a.Numbers.Refused), as.lastOf(a.Numbers.Failures)})
	}
}

func (as shown) targetRows(t table.Writer, s status.Status) {
	as.appendHeader(t, table.Row{"Namespace", "Name", as.heading(), "Ready", "Delivered", "Retrying", "Dead", "Backlog", "Oldest", "Subscriber", "Reason"},
		table.Row{"In flight", "Parked", "Failed", "Last failure"})
	for _, r := range s.Targets {
		subscriber, reason := "", r.Reason
		if r.NotReady == manifest.InNoFile {
			reason = deletable(nameOfTarget(r.Target))
		}
		if endpoint := r.Endpoint(); endpoint != nil {
			subscriber = endpoint.URL
		}
		n := r.Numbers
		as.appendRow(t, table.Row{
			r.Key.Namespace, r.DisplayName(), r.Key.Address.Name, r.Ready, n.Delivered, n.Retrying, r.Dead(), r.Backlog, as.age(r.Oldest), subscriber, reason,
		}, table.Row{n.InFlight, n.Parked, each(n.Failed), as.lastOf(n.Failures)})
	}
}

// appendHeader adds the second row's columns where all are wanted.
func (as shown) appendHeader(t table.Writer, header, wide table.Row) {
	if as.output == "wide" {
		header = slices.Concat(header, wide)
	}
	t.AppendHeader(header)
}

func (as shown) appendRow(t table.Writer, row, wide table.Row) {
	if as.output == "wide" {
		row = slices.Concat(row, wide)
	}
	t.AppendRow(row)
}

// age is how long ago that was; empty for never.
func (as shown) age(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return max(as.now.Sub(at), 0).Truncate(time.Second).String()
}

// each lists counts by name.
func each(counts map[string]uint64) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s=%d", name, counts[name]))
	}
	return strings.Join(all, " ")
}

// lastOf is the newest failure in one line.
func (as shown) lastOf(failures []count.Failure) string {
	if len(failures) == 0 {
		return ""
	}
	f := failures[0]
	return display.Escape(fmt.Sprintf("%s ago: %s", as.age(f.At), f.Message), "")
}
