package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/display"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/describe"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// page prints a description: lines of a name and a value, and then tables. Ages are those at the time now.
type page struct {
	out io.Writer
	now time.Time
}

func (p page) show(d describe.Description) {
	if d.Address != nil {
		p.address(*d.Address, d)
	} else {
		p.target(*d.Target, d)
	}
	p.settings(d.Settings)
	p.streams(d.Streams)
	if d.Address != nil {
		p.targets(*d.Address, d.Targets)
		p.failures("Last refused requests", d.Address.Numbers.Failures)
		p.failures("Last failed attempts", d.Address.Targets.Failures)
		return
	}
	p.failures("Last failed attempts", d.Target.Numbers.Failures)
}

func (p page) address(a status.AddressStatus, d describe.Description) {
	of := nameOfAddress(a.Address)
	p.head(of, a.Owner)
	p.readiness(a.Ready, a.Reason, a.Refuse == manifest.InNoFile, of)
	p.paused(a.Paused, a.PausedSince)
	p.line("URL", a.URL)
	p.line("Hosts", strings.Join(a.Hosts, " "))
	p.line("Dead letter sink", urlOf(a.DeadLetter))
	p.line("Notes", strings.Join(a.Notes, "; "))
	p.since(d.Since)
	p.line("Accepted", a.Numbers.Accepted)
	p.line("Refused", each(a.Numbers.Refused))
	p.line("Unmatched", a.Numbers.Unmatched)
	p.numbers(a.Targets)
	p.line("Dead letters", a.Dead(d.Targets))
	p.backlog(a.Backlog, a.Oldest)
	p.line("Bytes", a.Total)
	if a.TotalLimit > 0 {
		p.line("Limit", a.TotalLimit)
	}
}

func (p page) target(t status.TargetStatus, d describe.Description) {
	of := nameOfTarget(t.Target)
	p.head(of, t.Owner)
	p.line(shown{what: of.kind}.heading(), t.Key.Address.Namespace+"/"+t.Key.Address.Name)
	p.readiness(t.Ready, t.Reason, t.NotReady == manifest.InNoFile, of)
	p.paused(t.Paused, t.PausedSince)
	p.line("Subscriber", urlOf(t.Subscriber))
	p.line("Reply", urlOf(t.Reply))
	p.line("Dead letter sink", urlOf(t.DeadLetter))
	p.line("Filter", filterText(t.Filter))
	p.since(d.Since)
	p.numbers(t.Numbers)
	p.line("Dead letters", t.Dead())
	p.backlog(t.Backlog, t.Oldest)
}

func (p page) head(of named, owner string) {
	p.line("Name", of.name)
	p.line("Namespace", of.namespace)
	p.line("Kind", of.kind)
	p.line("Owner", owner)
}

func (p page) readiness(ready bool, reason string, inNoFile bool, of named) {
	p.line("Ready", ready)
	if inNoFile {
		reason = deletable(of)
	}
	p.line("Reason", reason)
}

func (p page) paused(why string, since time.Time) {
	if why != "" && !since.IsZero() {
		why = "since " + since.Format(time.RFC3339) + ": " + why
	}
	p.line("Paused", why)
}

func (p page) since(at time.Time) {
	if !at.IsZero() {
		p.line("Counted since", at.Format(time.RFC3339))
	}
}

func (p page) numbers(n count.TargetNumbers) {
	p.line("Delivered", n.Delivered)
	p.line("Failed", each(n.Failed))
	p.line("In flight", n.InFlight)
	p.line("Retrying", n.Retrying)
	p.line("Parked", n.Parked)
}

func (p page) backlog(events uint64, oldest time.Time) {
	p.line("Backlog", events)
	p.line("Oldest", shown{now: p.now}.age(oldest))
}

// line prints nothing of what is empty.
func (p page) line(name string, value any) {
	if text := fmt.Sprint(value); text != "" {
		fmt.Fprintf(p.out, "%-18s%s\n", name+":", display.Escape(text, ""))
	}
}

// filterText is the filter in one line; empty for one that lets all events pass.
func filterText(spec filter.Spec) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // an expression may have a < in it
	if encoder.Encode(spec) != nil || text.String() == "{}\n" {
		return ""
	}
	return strings.TrimSpace(text.String())
}

func urlOf(to *route.Destination) string {
	if to == nil {
		return ""
	}
	return to.URL
}
