package main

import (
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/display"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/describe"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// table prints the rows under a title, and nothing where there are none.
func (p page) table(title string, header table.Row, rows []table.Row) {
	if len(rows) == 0 {
		return
	}
	t := newTable()
	t.AppendHeader(header)
	t.AppendRows(rows)
	fmt.Fprintf(p.out, "\n%s:\n%s\n", title, t.Render())
}

func (p page) settings(all []describe.Setting) {
	var rows []table.Row
	for _, s := range all {
		rows = append(rows, table.Row{s.Name, display.Escape(s.Value, ""), s.From})
	}
	p.table("Settings", table.Row{"Name", "Value", "From"}, rows)
}

func (p page) streams(all []describe.Stream) {
	var streams, consumers []table.Row
	for _, s := range all {
		limit := ""
		if s.Limit > 0 {
			limit = fmt.Sprint(s.Limit)
		}
		streams = append(streams, table.Row{s.Name, s.Use, s.Messages, s.Bytes, limit})
		for _, c := range s.Consumers {
			consumers = append(consumers, table.Row{s.Name, c.Name, c.Pending, c.Unacknowledged, c.AckFloor})
		}
	}
	p.table("Streams", table.Row{"Name", "Use", "Messages", "Bytes", "Limit"}, streams)
	p.table("Consumers", table.Row{"Stream", "Name", "Pending", "Unacknowledged", "Ack floor"}, consumers)
}

// targets are the address's.
func (p page) targets(a status.AddressStatus, all []status.TargetStatus) {
	title := "Triggers"
	if a.Key.Kind == route.KindChannel {
		title = "Subscriptions"
	}
	var rows []table.Row
	for _, t := range all {
		rows = append(rows, table.Row{
			t.Key.Namespace, t.DisplayName(), t.Ready, t.Numbers.Delivered, t.Numbers.Retrying, t.Dead(), t.Backlog, urlOf(t.Endpoint()),
			display.Escape(t.Reason, ""),
		})
	}
	p.table(title, table.Row{"Namespace", "Name", "Ready", "Delivered", "Retrying", "Dead", "Backlog", "Subscriber", "Reason"}, rows)
}

func (p page) failures(title string, all []count.Failure) {
	var rows []table.Row
	for _, f := range all {
		code := ""
		if f.Code > 0 {
			code = fmt.Sprint(f.Code)
		}
		rows = append(rows, table.Row{f.At.Format(time.RFC3339), code, display.Escape(f.Event, ""), display.Escape(f.Message, "")})
	}
	p.table(title, table.Row{"At", "Code", "Event", "Message"}, rows)
}
