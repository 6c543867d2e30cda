package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Protocols of metrics.
const (
	ProtocolNone         = "none"
	ProtocolPrometheus   = "prometheus"
	ProtocolGRPC         = "grpc"
	ProtocolHTTPProtobuf = "http/protobuf"
)

// DefaultRuntimeInterval is how often the Go runtime's memory statistics are read when nobody says so.
const DefaultRuntimeInterval = 15 * time.Second

// Observability is what the ConfigMap config-observability says of metrics and profiling.
type Observability struct {
	// Protocol is one of the constants above; Endpoint is where to listen (prometheus; "" is port 9090) or where to send to.
	Protocol, Endpoint string
	// ExportInterval is the time between two exports; 0 is OpenTelemetry's own.
	ExportInterval time.Duration
	// Profiling serves the Go runtime's profiles.
	Profiling bool
	// RuntimeInterval is the least time between two reads of the Go runtime's memory statistics.
	RuntimeInterval time.Duration
}

// ParseObservability reads the data of config-observability. Keys that say nothing of metrics and profiling belong to others.
// Errors: all keys that are wrong, each with what its value must be.
func ParseObservability(data map[string]string) (Observability, error) {
	o := Observability{Protocol: ProtocolNone, RuntimeInterval: DefaultRuntimeInterval}
	settings := map[string]Setting{
		"metrics-protocol":        func(v string) (err error) { o.Protocol, err = parseProtocol(v); return err },
		"metrics-endpoint":        func(v string) error { o.Endpoint = v; return nil },
		"metrics-export-interval": func(v string) (err error) { o.ExportInterval, err = parseInterval(v); return err },
		"runtime-profiling":       func(v string) (err error) { o.Profiling, err = parseEnabled(v); return err },
		"runtime-export-interval": func(v string) (err error) { o.RuntimeInterval, err = parseInterval(v); return err },
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		value, set := data[key]
		if !set {
			continue
		}
		if err := settings[key](value); err != nil {
			errs = append(errs, fmt.Errorf("key %q: %w", key, err))
		}
	}
	if err := checkEndpoint(o.Protocol, o.Endpoint); err != nil {
		errs = append(errs, fmt.Errorf(`key "metrics-endpoint": %w`, err))
	}
	if len(errs) > 0 {
		return Observability{}, errors.Join(errs...)
	}
	return o, nil
}

func parseProtocol(value string) (string, error) {
	switch value {
	case ProtocolNone, ProtocolPrometheus, ProtocolGRPC, ProtocolHTTPProtobuf:
		return value, nil
	}
	return "", errors.New("must be none, prometheus, grpc or http/protobuf")
}

// checkEndpoint knows what each protocol wants; "" is a protocol that is wrong itself.
func checkEndpoint(protocol, endpoint string) error {
	switch protocol {
	case ProtocolNone:
		if endpoint != "" {
			return errors.New("must not be set unless metrics-protocol says how to export")
		}
	case ProtocolPrometheus:
		if endpoint == "" {
			return nil
		}
		_, port, err := net.SplitHostPort(endpoint)
		if number, portErr := strconv.Atoi(port); err != nil || portErr != nil || number < 1024 || number > 65535 {
			return errors.New("must be host:port to listen on, with a port from 1024 to 65535")
		}
	case ProtocolGRPC, ProtocolHTTPProtobuf:
		if _, err := url.Parse(endpoint); endpoint == "" || err != nil {
			return fmt.Errorf("must be the URL of a collector when metrics-protocol is %s", protocol)
		}
	}
	return nil
}

func parseInterval(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, errors.New("must be a duration that is not negative, such as 30s")
	}
	return d, nil
}

func parseEnabled(value string) (bool, error) {
	switch value {
	case "enabled":
		return true, nil
	case "disabled":
		return false, nil
	}
	return false, errors.New("must be enabled or disabled")
}
