package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/display"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/send"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter/explain"
)

// testFlags say which events are compared with which Trigger.
type testFlags struct {
	routes    routeOptions
	namespace string
	file      string
}

func newTestCommand() *cobra.Command {
	f := testFlags{}
	cmd := &cobra.Command{
		Use:   "test trigger NAME --file EVENT.json",
		Short: "Tell whether a Trigger would get an event, and which clause of its filter says no",
		Long: `Tell whether a Trigger would get an event, and which clause of its filter says no, with what the event has there. Nothing is sent.
The event is compared as the file has it, without the attributes that an ingress adds.
The exit code is 0 when every event matches, 1 when one does not, and 2 when the file or the flags are wrong.`,
		Example: `  kn-jetstream test trigger orders --file order.json
  kn-jetstream dlq export --id 17 | kn-jetstream test trigger orders --file -`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.routes.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.namespace, "namespace", "n", "default", "namespace of the Trigger")
	flags.StringVar(&f.file, "file", "", "`file` with structured CloudEvents or batches of such; - is the standard input")
	_ = cmd.MarkFlagRequired("file") // the flag is there
	return cmd
}

func (f *testFlags) run(cmd *cobra.Command, args []string) error {
	of, err := askedFor(args[0], f.namespace, args[1])
	if err != nil {
		return badInput(err)
	}
	if of.kind != "trigger" {
		return badInput(fmt.Errorf("a trigger has a filter to test, a %s has none", of.kind))
	}
	events, err := readEvents(f.file, cmd.InOrStdin(), send.ReadDocuments)
	if err != nil {
		return badInput(err)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), getBudget)
	defer cancel()
	client, err := f.routes.client(ctx, "kn-jetstream test")
	if err != nil {
		return err
	}
	defer client.Close()
	found, err := of.find(ctx, client)
	if err != nil {
		return err
	}
	return sayMatches(cmd.OutOrStdout(), events, found.Target.Filter)
}

var errNoMatch = errors.New("not every event matches")

// sayMatches says of each event whether it matches. Error: errNoMatch.
func sayMatches(out io.Writer, events []event.Event, spec filter.Spec) (err error) {
	for _, e := range events {
		told, invalid := explain.Filter(spec, e)
		if invalid != nil {
			return invalid
		}
		fmt.Fprintf(out, "%s  %s\n", display.Escape(e.Attr(event.ID), ""), told)
		for _, c := range told.Clauses {
			fmt.Fprintf(out, "  %s\n", display.Escape(c.String(), ""))
		}
		if !told.Matches {
			err = errNoMatch
		}
	}
	return err
}
