// Package version says which build a program is. The go command, and with it make and ko, writes that into every program.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// unknown is what the go command writes for a version where it cannot ask git.
const unknown = "(devel)"

// revisionLength is how much of a commit's hash is shown.
const revisionLength = 12

// String is the version in one line: the module's, with the commit, when that is not part of it, and the Go version.
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknown + " " + runtime.Version()
	}
	return describe(info)
}

func describe(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	version := info.Main.Version
	if version == "" {
		version = unknown
	}
	commit := settings["vcs.revision"]
	commit = commit[:min(len(commit), revisionLength)]
	if commit != "" && !strings.Contains(version, commit) {
		version += " (commit " + commit
		if settings["vcs.modified"] == "true" {
			version += ", changed since"
		}
		version += ")"
	}
	return fmt.Sprintf("%s %s %s/%s", version, info.GoVersion, runtime.GOOS, runtime.GOARCH)
}

// Register gives a command the flag --version.
func Register(cmd *cobra.Command) {
	cmd.Version = String()
	cmd.SetVersionTemplate("{{.Name}} {{.Version}}\n")
}

// Command is the command version of a program with commands.
func Command(program string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), program, String())
			return err
		},
	}
}
