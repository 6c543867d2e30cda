package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

const (
	loggerConfigKey = "zap-logger-config"
	logLevelPrefix  = "loglevel."
)

// LogLevel returns the level that the ConfigMap config-logging gives a component: its key loglevel.COMPONENT, else the level
// in zap-logger-config, else info. All other settings of a zap logger mean nothing to us.
// Errors: a value that is no level, with the name of its key.
func LogLevel(data map[string]string, component string) (slog.Level, error) {
	key := logLevelPrefix + component
	if text := strings.TrimSpace(data[key]); text != "" {
		level, err := parseLevel(text)
		if err != nil {
			return 0, fmt.Errorf("key %q: %w", key, err)
		}
		return level, nil
	}
	text := strings.TrimSpace(data[loggerConfigKey])
	if text == "" {
		return slog.LevelInfo, nil
	}
	var logger struct {
		Level string `json:"level"`
	}
	if err := json.Unmarshal([]byte(text), &logger); err != nil {
		return 0, fmt.Errorf("key %q: must be a JSON object: %w", loggerConfigKey, err)
	}
	level, err := parseLevel(logger.Level)
	if err != nil {
		return 0, fmt.Errorf("key %q: level %w", loggerConfigKey, err)
	}
	return level, nil
}

// aboveError is a level at which we log nothing.
const aboveError = slog.LevelError + 4

func parseLevel(text string) (slog.Level, error) {
	switch strings.ToLower(text) {
	case "debug":
		return slog.LevelDebug, nil
	case "info", "":
		return slog.LevelInfo, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	case "dpanic", "panic", "fatal":
		return aboveError, nil
	}
	return 0, errors.New("must be debug, info, warn, error, dpanic, panic or fatal")
}
