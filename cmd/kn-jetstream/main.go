// Command kn-jetstream runs the broker on one machine, and manages the routes of brokers that run on many. As a plugin of kn it
// is called kn jetstream.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/exitcode"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/version"
)

// badInput marks an error of files, flags or arguments.
func badInput(err error) error { return exitcode.Wrong(err) }

func main() {
	if err := newRootCommand().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "kn-jetstream:", err)
		os.Exit(exitcode.Of(err))
	}
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "kn-jetstream",
		Short:         "Knative Eventing on NATS JetStream: run a broker here, or manage one that runs elsewhere",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRunCommand(), newApplyCommand(), newDeleteCommand(), newGetCommand(), newDescribeCommand(), newPauseCommand(), newResumeCommand(),
		newReplayCommand(), newDLQCommand(), newTailCommand(), newTestCommand(), newSendCommand(), newDisplayCommand(), newBenchCommand(),
		newMigrateCommand(), version.Command(root.Name()))
	version.Register(root)
	failing(root)
	return root
}

// failing has every command under this one fail as exitcode says.
func failing(parent *cobra.Command) {
	for _, command := range parent.Commands() {
		if command.RunE != nil {
			command.RunE = exitcode.Failing(command.RunE)
		}
		failing(command)
	}
}
