//go:build tools

// Package conformance is never built. It lets `go mod tidy` see the packages of Knative Eventing whose tests judge this project's
// Broker and Channel; they hold nothing but tests, so that no program can import them.
package conformance

import (
	_ "knative.dev/eventing/test/conformance"
	_ "knative.dev/eventing/test/e2e"
	_ "knative.dev/eventing/test/experimental"
	_ "knative.dev/eventing/test/rekt"
)
