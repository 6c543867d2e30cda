package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/exitcode"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/letters"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestDLQFlags(t *testing.T) {
	code := 503
	for _, test := range []struct {
		name string
		args []string
		want letters.Selection
	}{
		{"none", nil, letters.Selection{Namespace: "default"}},
		{"a namespace", []string{"-n", "shop"}, letters.Selection{Namespace: "shop"}},
		{"all namespaces", []string{"-A"}, letters.Selection{}},
		{"a Broker", []string{"--broker", "b"}, letters.Selection{Namespace: "default", Kind: route.KindBroker, Name: "b"}},
		{"a Channel", []string{"--channel", "c"}, letters.Selection{Namespace: "default", Kind: route.KindChannel, Name: "c"}},
		{
			"what the event is", []string{"--target", "t", "--type", "ty", "--source", "s", "--id", "i", "--reason", "r", "--limit", "7"},
			letters.Selection{Namespace: "default", Target: "t", Type: "ty", Source: "s", ID: "i", Reason: "r", Limit: 7},
		},
		{"a code", []string{"--code", "503"}, letters.Selection{Namespace: "default", Code: &code}},
		{
			"times", []string{"--since", "2026-01-02T03:04:05Z", "--until", "2026-01-02T03:04:06+01:00"},
			letters.Selection{
				Namespace: "default", Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Until: time.Date(2026, 1, 2, 2, 4, 6, 0, time.UTC),
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := selectionOf(test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Since.Equal(test.want.Since) || !got.Until.Equal(test.want.Until) {
				t.Errorf("from %s until %s, want %s and %s", got.Since, got.Until, test.want.Since, test.want.Until)
			}
			got.Since, got.Until = test.want.Since, test.want.Until
			if (got.Code == nil) != (test.want.Code == nil) || got.Code != nil && *got.Code != *test.want.Code {
				t.Errorf("the code is %v, want %v", got.Code, test.want.Code)
			}
			if got.Code = test.want.Code; got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
	ago, err := selectionOf("--since", "2h")
	if passed := time.Since(ago.Since); err != nil || passed < 2*time.Hour || passed > 3*time.Hour {
		t.Errorf("2h is %s ago: %v", passed, err)
	}
}

// selectionOf reads the flags as the commands do.
func selectionOf(args ...string) (s letters.Selection, err error) {
	f := letterFlags{}
	cmd := &cobra.Command{Use: "x", RunE: func(cmd *cobra.Command, _ []string) error {
		s, err = f.selection(cmd)
		return err
	}, SilenceUsage: true, SilenceErrors: true}
	f.register(cmd)
	f.registerID(cmd)
	f.registerLimit(cmd, 0)
	cmd.SetArgs(append([]string{}, args...))
	return s, cmd.Execute()
}

// Wrong flags are named, and end with the exit code for them, before anything is connected.
func TestDLQRefusesFlags(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"no such command", []string{"mend"}, `unknown command "mend"`},
		{"an argument", []string{"list", "x"}, "unknown command"},
		{"no id", []string{"show"}, "accepts 1 arg"},
		{"retry of nothing said", []string{"retry"}, "--all"},
		{"drop of nothing said", []string{"drop", "-n", "shop", "--limit", "3"}, "--all"},
		{"all and some", []string{"drop", "--all", "--id", "1"}, "--all"},
		{"a dry run of nothing said", []string{"retry", "--dry-run"}, "--all"},
		{"a wrong time", []string{"list", "--since", "yesterday"}, "--since"},
		{"a wrong other time", []string{"list", "--until", "-1h"}, "--until"},
		{"a wrong limit", []string{"list", "--limit", "-1"}, "--limit"},
		{"a wrong output", []string{"list", "-o", "yaml"}, "--output"},
		{"a Broker and a Channel", []string{"list", "--broker", "a", "--channel", "b"}, "none of the others can be"},
		{"a namespace and all", []string{"list", "-n", "a", "-A"}, "none of the others can be"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := newRootCommand()
			root.SetArgs(append([]string{"dlq"}, test.args...))
			root.SetOut(io.Discard)
			root.SetErr(io.Discard)
			err := root.Execute()
			if err == nil || !strings.Contains(err.Error(), test.want) || exitcode.Of(err) != exitcode.BadInput {
				t.Errorf("error %v with the exit code %d, want %q in it and %d", err, exitcode.Of(err), test.want, exitcode.BadInput)
			}
		})
	}
}

// What cannot be reached is no wrong input, also for a command below another.
func TestDLQFailsWithoutNATS(t *testing.T) {
	root := newRootCommand()
	root.SetArgs([]string{"dlq", "list", "--store", t.TempDir()})
	if err := root.Execute(); err == nil || exitcode.Of(err) != exitcode.Failed {
		t.Errorf("error %v with the exit code %d, want %d", err, exitcode.Of(err), exitcode.Failed)
	}
}

// TestListLetters fixes the columns, and that nothing of an event reaches the terminal as it is.
func TestListLetters(t *testing.T) {
	l := letters.Letter{Address: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "default"}, Target: "shop/pay", GivenUp: time.Unix(0, 0).UTC()}
	l.Event = event.Event{}.With(event.ID, "1\x1b[2J").With(event.Type, "t").With(event.Source, "/s")
	l.Failure = &dispatch.Failure{Code: 503, Reason: "busy", Attempts: 4, Destination: "http://pay.example/", Body: []byte("\x1b[2Jlater")}
	var out strings.Builder
	if err := listLetters(&out, []letters.Letter{l}, ""); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(out.String()) {
		rows = append(rows, strings.Join(strings.Fields(line), " "))
	}
	if want := []string{
		"NAMESPACE FROM TARGET ID TYPE SOURCE CODE REASON ATTEMPTS GIVEN UP",
		`shop broker default shop/pay 1\x1b[2J t /s 503 busy 4 1970-01-01T00:00:00Z`,
	}; !slices.Equal(rows, want) {
		t.Errorf("got\n%s", out.String())
	}
	out.Reset()
	if err := showLetters(&out, []letters.Letter{l}, ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Target:      shop/pay\n", "Code:        503\n", "Destination: http://pay.example/\n", `Response:    \x1b[2Jlater`, "  type:    t\n", "No retry:"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not shown in\n%s", want, out.String())
		}
	}
}
