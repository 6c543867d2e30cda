package dataplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// Who starts a process while NATS is away reads within seconds what it waits for, and then every ten seconds.
func TestAwaitSaysWhatItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		began := time.Now()
		err := awaitUsable(t.Context(), func(ctx context.Context) error {
			switch after := time.Since(began); {
			case after < 35*time.Second:
				<-ctx.Done() // a server that does not answer
				return errors.New("silent")
			case after < 56*time.Second:
				return errors.New("refused")
			}
			return nil
		}, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil || strings.Count(log.String(), "error=silent") != 5 || strings.Count(log.String(), "error=refused") != 2 {
			t.Errorf("error %v, log:\n%s", err, log.String())
		}
		if !strings.Contains(log.String(), "for=1s") || !strings.Contains(log.String(), "for=11s") || !strings.Contains(log.String(), "for=21s") {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

func TestAwaitEnds(t *testing.T) {
	tooOld := fmt.Errorf("%w (it says 2.9)", jetstream.ErrServerTooOld)
	if err := awaitUsable(t.Context(), func(context.Context) error { return tooOld }, slog.New(slog.DiscardHandler)); !errors.Is(err, tooOld) {
		t.Errorf("error %v, want that the server is too old", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := awaitUsable(ctx, func(context.Context) error { cancel(); return errors.New("away") }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Errorf("error %v after the end of the context", err)
	}
}

func TestPublicURL(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"http://host:8080":         "http://host:8080",
		"https://host/behind/":     "https://host/behind",
		"http://host//":            "http://host",
		"host:8080":                "error",
		"ftp://host":               "error",
		"http://":                  "error",
		"http://host/?broker=name": "error",
	} {
		got, err := PublicURL(text)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("PublicURL(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestNATSFlagsNameAFileThatIsMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for name, flags := range map[string]NATSFlags{
		"creds": {Creds: missing}, "nkey": {NKey: missing}, "tls-ca": {CA: missing}, "tls-cert": {Cert: missing}, "tls-key": {Key: missing},
	} {
		flags.Prefix = naming.DefaultPrefix
		if _, err := flags.Options("test", nil); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// A process that is killed leaves its report behind. Its successor under the same id must not have to wait until that expires.
func TestTheSameIDReplacesTheReportOfAKilledProcess(t *testing.T) {
	nats := natstest.Start(t, nil)
	client := connect(t, nats.URL())
	ctx, cancel := context.WithTimeout(t.Context(), route.ReportTTL/2)
	defer cancel()
	if err := buckets.Ensure(ctx, client); err != nil {
		t.Fatal(err)
	}

	killed := connect(t, nats.URL())
	reporter := routes.NewReporter(killed, func() route.Report {
		return route.Report{Role: route.RoleIngress, ID: "run", URL: "http://killed"}
	})
	reporter.Changed()
	dying, die := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { reporter.Run(dying) })
	awaitReport(ctx, t, client, "http://killed")
	killed.Close() // so that it cannot withdraw its report
	die()
	running.Wait()

	started := make(chan route.Snapshot, 1)
	in, err := NewIngress(IngressConfig{
		Client: client, URL: "http://new", Logger: slog.New(slog.DiscardHandler), ID: "run",
		Started: func(s route.Snapshot) { started <- s },
	})
	must(t, err)
	following, stop := context.WithCancel(ctx)
	running.Go(func() { in.Run(following) })
	awaitReport(ctx, t, client, "http://new")
	if s := <-started; len(s.Addresses) != 0 {
		t.Errorf("it started with %d Brokers", len(s.Addresses))
	}
	stop()
	running.Wait()
}

func connect(t *testing.T, url string) *jetstream.Client {
	t.Helper()
	names, err := naming.New(naming.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	client, err := jetstream.Connect(jetstream.Options{URL: url, Name: "test", Names: names, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := client.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	return client
}

// awaitReport waits until the only report is that of the ingress at the URL.
func awaitReport(ctx context.Context, t *testing.T, client *jetstream.Client, url string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		reports, err := routes.Reports(ctx, client)
		if err == nil && len(reports.Live) == 1 && reports.Live[0].URL == url {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the reports are %+v, %v; want one of %s", reports, err, url)
		}
	}
}
