// Package exitcode tells a command line that is wrong from a command that failed, for whoever reads a program's exit code.
package exitcode

import (
	"errors"

	"github.com/spf13/cobra"
)

// Failed is the exit code for what did not work, BadInput for files, flags and arguments that are wrong.
const (
	Failed   = 1
	BadInput = 2
)

// codedError carries the exit code of a command that ran and failed.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// Wrong marks an error as one of the input.
func Wrong(err error) error { return &codedError{code: BadInput, err: err} }

// Of is the code of a command that ran; an error that no command returned is cobra's, about the command line.
func Of(err error) int {
	if coded, ran := errors.AsType[*codedError](err); ran {
		return coded.code
	}
	return BadInput
}

// Failing marks what a command returns as a failure, unless the command itself says what it is.
func Failing(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if _, said := errors.AsType[*codedError](err); err == nil || said {
			return err
		}
		return &codedError{code: Failed, err: err}
	}
}
