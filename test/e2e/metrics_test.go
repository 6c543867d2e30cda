package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"knative.dev/eventing/pkg/observability"
)

// series are the samples of one name that an endpoint shows, as sets of labels.
type series []map[string]string

// scrape reads a Prometheus endpoint.
func scrape(t *testing.T, address string) (string, error) {
	t.Helper()
	got, err := call{method: http.MethodGet, url: "http://" + address + "/metrics"}.try(t)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("status %d", got.status)
	}
	return got.body, err
}

var label = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)

// named finds the samples of a name. The labels that say where an instrument comes from are left out.
func named(text, name string) series {
	var found series
	for line := range strings.Lines(text) {
		labels, ok := strings.CutPrefix(line, name+"{")
		if !ok {
			continue
		}
		set := map[string]string{}
		for _, match := range label.FindAllStringSubmatch(labels, -1) {
			if !strings.HasPrefix(match[1], "otel_scope_") {
				set[match[1]] = match[2]
			}
		}
		found = append(found, set)
	}
	return found
}

// rendered writes upstream's attributes as Prometheus shows them.
func rendered(attributes map[string]string) map[string]string {
	labels := map[string]string{}
	for name, value := range attributes {
		labels[strings.ReplaceAll(name, ".", "_")] = value
	}
	return labels
}

// statusCode is OpenTelemetry's name, which upstream takes from there.
const statusCode = "http.response.status_code"

func with(attributes map[string]string, name, value string) map[string]string {
	all := maps.Clone(attributes)
	all[name] = value
	return all
}

// upstreamBounds are the bounds of upstream's histograms (knative.dev/eventing pkg/broker/ingress/ingress_handler.go).
func upstreamBounds() []string {
	return []string{"0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1", "2.5", "5", "7.5", "10", "+Inf"}
}

// hasHistogram checks that the only histogram of the name has these labels, and upstream's bounds.
func hasHistogram(text, name string, labels map[string]string) error {
	if counts := named(text, name+"_count"); len(counts) != 1 || !maps.Equal(counts[0], labels) {
		return fmt.Errorf("%s is there with %v, want %v", name, counts, labels)
	}
	var bounds []string
	for _, bucket := range named(text, name+"_bucket") {
		bounds = append(bounds, bucket["le"])
	}
	if !slices.Equal(bounds, upstreamBounds()) || !strings.Contains(text, "# TYPE "+name+" histogram\n") {
		return fmt.Errorf("%s has the bounds %v", name, bounds)
	}
	return nil
}

// TestMetricsHaveUpstreamsNames scrapes an ingress and a filter.
func TestMetricsHaveUpstreamsNames(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	natsURL := startNATS(t, manifest(b, triggerOf(b, "all", s.URL+"/all")))
	observed := func(address string) string {
		return mounted(t, map[string]string{"metrics-protocol": "prometheus", "metrics-endpoint": address})
	}
	listen, ofIngress, ofFilter := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	startPart(t, built.ingress, natsURL, "--listen", listen, "--observability-config", observed(ofIngress))
	startPart(t, built.filter, natsURL, "--observability-config", observed(ofFilter))
	if got := (call{url: "http://" + listen + "/default/default", header: event("com.example", "1")}).do(t); got.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	s.getsEvent(t, "/all", "1")

	processed := map[string]string{
		string(observability.BrokerName): "default", string(observability.BrokerNamespace): "default",
		string(observability.CloudEventType):           "com.example",
		string(observability.MessagingSystem):          observability.KnativeMessagingSystem,
		string(observability.MessagingOperationName):   "send",
		string(observability.MessagingDestinationName): "trigger:all.default",
	}
	taken := with(processed, string(observability.MessagingDestinationName), "broker:default.default")
	taken = with(with(taken, string(observability.RequestScheme), "http"), statusCode, "202")
	for _, want := range []struct {
		address, name string
		attributes    map[string]string
	}{
		{ofIngress, "kn_eventing_dispatch_duration_seconds", taken},
		{ofFilter, "kn_eventing_process_duration_seconds", processed},
		{ofFilter, "kn_eventing_dispatch_duration_seconds", with(processed, statusCode, "200")},
	} {
		eventually(t, 10*time.Second, "the metrics of "+want.address, func() error {
			text, err := scrape(t, want.address)
			if err != nil {
				return err
			}
			return hasHistogram(text, want.name, rendered(want.attributes))
		})
	}
}
