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

// exitError carries the exit code of a command that ran and failed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// exitFailed is the exit code for what did not work, exitBadInput for files, flags and arguments that are wrong.
const (
	exitFailed   = 1
	exitBadInput = 2
)

func badInput(err error) error { return &exitError{code: exitBadInput, err: err} }

func main() {
	if err := newRootCommand().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "kn-jetstream:", err)
		os.Exit(exitCode(err))
	}
}

// exitCode is the code of a command that ran; an error that no command returned is cobra's, about the command line.
func exitCode(err error) int {
	if exit, ran := errors.AsType[*exitError](err); ran {
		return exit.code
	}
	return exitBadInput
}

// failing marks what a command returns as a failure, unless the command itself says what it is.
func failing(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if _, said := errors.AsType[*exitError](err); err == nil || said {
			return err
		}
		return &exitError{code: exitFailed, err: err}
	}
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "kn-jetstream",
		Short:         "Knative Eventing on NATS JetStream: run a broker here, or manage one that runs elsewhere",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRunCommand(), newApplyCommand(), newDeleteCommand(), newGetCommand(), newSendCommand(), newDisplayCommand())
	for _, command := range root.Commands() {
		command.RunE = failing(command.RunE)
	}
	return root
}
