package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/letters"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// letterFlags say which dead letters are meant, and where they are.
type letterFlags struct {
	routes          routeOptions
	chosen          letters.Selection
	allNamespaces   bool
	broker, channel string
	code            int
	since, until    string
	output          string
	// changes says that letters are changed: then all is meant only where that is said.
	changes, all bool
}

func (f *letterFlags) register(cmd *cobra.Command) {
	f.routes.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.chosen.Namespace, "namespace", "n", "default", "namespace of the Brokers and Channels")
	flags.BoolVarP(&f.allNamespaces, "all-namespaces", "A", false, "those of all namespaces")
	flags.StringVar(&f.broker, "broker", "", "of the Broker with this `name`")
	flags.StringVar(&f.channel, "channel", "", "of the Channel with this `name`")
	flags.StringVar(&f.chosen.Target, "target", "", "for the Trigger or Subscription with this `name`, or namespace/name")
	flags.StringVar(&f.chosen.Type, "type", "", "of events of this `type`")
	flags.StringVar(&f.chosen.Source, "source", "", "of events of this `source`")
	flags.StringVar(&f.chosen.Reason, "reason", "", "with this `text` in the reason")
	flags.IntVar(&f.code, "code", 0, "with this HTTP `status` of the last answer; 0 is no answer")
	flags.StringVar(&f.since, "since", "", "given up since a `time` (RFC 3339), or so long ago, such as 2h")
	flags.StringVar(&f.until, "until", "", "given up before a `time` (RFC 3339), or so long ago")
	cmd.MarkFlagsMutuallyExclusive("broker", "channel")
	cmd.MarkFlagsMutuallyExclusive("namespace", "all-namespaces")
}

func (f *letterFlags) registerID(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.chosen.ID, "id", "", "of the event with this `id`")
}

func (f *letterFlags) registerLimit(cmd *cobra.Command, limit int) {
	cmd.Flags().IntVar(&f.chosen.Limit, "limit", limit, "so many at most; 0 is all")
}

func (f *letterFlags) registerOutput(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "json for the whole of it")
}

func (f *letterFlags) registerAll(cmd *cobra.Command) {
	f.changes = true
	cmd.Flags().BoolVar(&f.all, "all", false, "all dead letters of the namespace")
}

// selection reads the flags. Its errors name them.
func (f *letterFlags) selection(cmd *cobra.Command) (s letters.Selection, err error) {
	s = f.chosen
	if f.allNamespaces {
		s.Namespace = ""
	}
	switch {
	case f.broker != "":
		s.Kind, s.Name = route.KindBroker, f.broker
	case f.channel != "":
		s.Kind, s.Name = route.KindChannel, f.channel
	}
	if cmd.Flags().Changed("code") {
		s.Code = &f.code
	}
	now := time.Now()
	if s.Since, err = momentOf(f.since, now); err != nil {
		return s, fmt.Errorf("--since: %w", err)
	}
	if s.Until, err = momentOf(f.until, now); err != nil {
		return s, fmt.Errorf("--until: %w", err)
	}
	switch {
	case f.output != "" && f.output != "json":
		return s, fmt.Errorf("--output is %q; it is json or not given", f.output)
	case s.Limit < 0:
		return s, fmt.Errorf("--limit is %d; it must not be negative", s.Limit)
	case f.changes && s.IsEverything() && !f.all:
		return s, errors.New("say which dead letters are meant, by a flag such as --target, or --all")
	case f.all && !s.IsEverything():
		return s, errors.New("--all means every dead letter of the namespace: leave out the flags that select some")
	}
	return s, nil
}

// momentOf reads a time, or how long ago it was; nothing is the zero time.
func momentOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a time such as 2026-01-02T15:04:05Z nor a duration such as 2h", text)
	}
	return at, nil
}
