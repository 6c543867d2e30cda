package daemon

import (
	"context"
	"log/slog"
	"os"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
)

// logs is a logger whose level follows the ConfigMap config-logging.
type logs struct {
	*slog.Logger
	level     *slog.LevelVar
	folder    config.Folder
	component string
	held      map[string]string
}

// newLogs returns a logger that writes to standard error, as text lines or JSON objects.
func newLogs(component string, flags Flags) *logs {
	l := &logs{level: &slog.LevelVar{}, folder: config.Folder(flags.Logging), component: component}
	options := &slog.HandlerOptions{Level: l.level}
	if flags.JSONLogs {
		l.Logger = slog.New(slog.NewJSONHandler(os.Stderr, options))
	} else {
		l.Logger = slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	held, err := l.folder.Read()
	l.held = held
	l.apply(held, err)
	return l
}

// follow sets the level after each change, until ctx ends.
func (l *logs) follow(ctx context.Context) { l.folder.Follow(ctx, lookEvery, l.held, l.apply) }

// apply sets the level that config-logging asks for, and keeps the last one if that names none.
func (l *logs) apply(held map[string]string, err error) {
	level := slog.LevelInfo
	if err == nil {
		level, err = config.LogLevel(held, l.component)
	}
	if err != nil {
		l.Error("config-logging does not say at which level to log; it stays as it was", "level", l.level.Level(), "error", err)
		return
	}
	if before := l.level.Level(); before != level {
		l.level.Set(min(before, level)) // so that the next line is written at either level
		l.Info("the log level changes", "before", before, "now", level)
		l.level.Set(level)
	}
}
