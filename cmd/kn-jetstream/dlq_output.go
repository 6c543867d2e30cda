package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/display"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/letters"
)

func listLetters(out io.Writer, found []letters.Letter, output string) error {
	if output == "json" {
		return encodeLetters(out, found)
	}
	t := newTable()
	t.AppendHeader(table.Row{"Namespace", "From", "Target", "ID", "Type", "Source", "Code", "Reason", "Attempts", "Given up"})
	for _, l := range found {
		e := l.Event
		t.AppendRow(table.Row{
			l.Address.Namespace, string(l.Address.Kind) + " " + l.Address.Name, display.Escape(l.Target, ""), display.Escape(e.Attr(event.ID), ""),
			display.Escape(e.Attr(event.Type), ""), display.Escape(e.Attr(event.Source), ""), l.Failure.Code, display.Escape(l.Failure.Reason, ""),
			l.Failure.Attempts, l.GivenUp.Format(time.RFC3339),
		})
	}
	fmt.Fprintln(out, t.Render())
	return nil
}

func encodeLetters(out io.Writer, found []letters.Letter) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(orNone(found))
}

// showLetters prints each letter in lines of a name and a value.
func showLetters(out io.Writer, found []letters.Letter, output string) error {
	if output == "json" {
		return encodeLetters(out, found)
	}
	for i, l := range found {
		if i > 0 {
			fmt.Fprintln(out)
		}
		showLetter(out, l)
	}
	return nil
}

// shownData is how many bytes of an event's data are shown.
const shownData = 4096

func showLetter(out io.Writer, l letters.Letter) {
	line := func(name string, value any) {
		fmt.Fprintf(out, "%-13s%s\n", name+":", display.Escape(fmt.Sprint(value), ""))
	}
	line("From", l.Address)
	line("Target", l.Target)
	line("Reason", l.Failure.Reason)
	line("Code", l.Failure.Code)
	line("Destination", l.Failure.Destination)
	line("Attempts", l.Failure.Attempts)
	if !l.Stored.IsZero() {
		line("Stored", l.Stored.Format(time.RFC3339Nano))
	}
	line("Given up", l.GivenUp.Format(time.RFC3339Nano))
	if l.Run > 0 {
		line("Run", l.Run)
	}
	if len(l.Failure.Body) > 0 {
		line("Response", l.Response())
	}
	if l.Reference {
		line("Event", fmt.Sprintf("too large for a dead letter, %d bytes of data; at sequence %d of stream %q, if that has it still",
			l.DataBytes, l.Sequence, l.Stream))
	}
	if err := l.Obstacle(); err != nil {
		line("No retry", err)
	}
	fmt.Fprint(out, display.Text("Event", l.Event, shownData))
}
