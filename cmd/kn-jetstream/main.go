// Command kn-jetstream runs the broker on one machine, and manages the routes of brokers that run on many. As a plugin of kn it
// is called kn jetstream.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// exitError carries the exit code of a command that failed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// exitBadInput is the exit code for files and flags that are wrong.
const exitBadInput = 2

func badInput(err error) error { return &exitError{code: exitBadInput, err: err} }

func main() {
	if err := newRootCommand().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "kn-jetstream:", err)
		code := 1
		var exit *exitError
		if errors.As(err, &exit) {
			code = exit.code
		}
		os.Exit(code)
	}
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "kn-jetstream",
		Short:         "Knative Eventing on NATS JetStream: run a broker here, or manage one that runs elsewhere",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return badInput(err) })
	root.AddCommand(newRunCommand(), newApplyCommand(), newDeleteCommand(), newGetCommand(), newSendCommand())
	return root
}
