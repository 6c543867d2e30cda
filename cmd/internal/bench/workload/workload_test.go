package workload_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
)

func usual() workload.Workload {
	return workload.Workload{Types: 3, FanOut: 2, Filter: workload.FilterType, Size: 100, Mode: workload.Binary}
}

func TestIDsTellTheEventAndWhenItWasDue(t *testing.T) {
	for _, i := range []int{0, 7, 49_999_999} {
		id := string(workload.AppendID(nil, "RUN", i, 90*time.Minute))
		if got, due, ok := workload.ParseID(id, "RUN"); !ok || got != i || due != 90*time.Minute {
			t.Errorf("%s: %d, %s, %t", id, got, due, ok)
		}
		if len(id) != len("RUN")+2*14 {
			t.Errorf("%s has another length", id)
		}
	}
	for _, id := range []string{"", "RUN", "RUN.1", "RUN.-1.5", "RUN.x.5", "OTHER.1.5", "RUN.1.-5"} {
		if _, _, ok := workload.ParseID(id, "RUN"); ok {
			t.Errorf("%q is taken for one of ours", id)
		}
	}
}

// What the requests say is what an ingress reads.
func TestRequestsCarryTheEvents(t *testing.T) {
	for mode, count := range map[workload.Mode]int{workload.Binary: 1, workload.Structured: 1, workload.Batch: 3} {
		w := usual()
		w.Mode, w.Batch = mode, count
		var request fasthttp.Request
		encoder := workload.NewEncoder(w, "RUN")
		for _, first := range []int{0, 5} { // a request is used again
			encoder.Encode(&request, first, count, time.Second)
			for n, e := range decode(t, &request) {
				if i, due, ok := workload.ParseID(e.Attr(event.ID), "RUN"); !ok || i != first+n || due != time.Second {
					t.Errorf("%s: id %q for event %d", mode, e.Attr(event.ID), first+n)
				}
				if want := workload.TypeName((first + n) % w.Types); e.Attr(event.Type) != want || len(e.Data) != w.Size {
					t.Errorf("%s: type %q, want %q; %d bytes of data", mode, e.Attr(event.Type), want, len(e.Data))
				}
			}
		}
	}
}

func decode(t *testing.T, r *fasthttp.Request) []event.Event {
	t.Helper()
	header := http.Header{}
	for name, value := range r.Header.All() {
		header.Set(string(name), string(value))
	}
	if event.IsBatch(header.Get("Content-Type")) {
		events, err := event.DecodeBatch(header, r.Body())
		if err != nil {
			t.Fatal(err)
		}
		return events
	}
	e, err := event.FromHTTP(header, r.Body())
	if err != nil {
		t.Fatal(err)
	}
	return []event.Event{e}
}

// The YAML is read as a user's is, and its filters select what the targets say.
func TestManifestSelectsWhatTheTargetsSay(t *testing.T) {
	for _, by := range []workload.Filter{
		workload.FilterNone, workload.FilterType, workload.FilterPrefix, workload.FilterSuffix, workload.FilterCESQL,
	} {
		w := usual()
		w.Types, w.Filter, w.Idle, w.Replies = 12, by, 2, by != workload.FilterNone
		routes := load(t, w)
		targets := w.Targets()
		if len(routes.Targets) != len(targets) {
			t.Fatalf("%s: %d Triggers, want %d", by, len(routes.Targets), len(targets))
		}
		for n, target := range targets {
			matcher, err := filter.Compile(routes.Targets[n].Filter)
			if err != nil {
				t.Fatal(err)
			}
			if want := "http://127.0.0.1:1/s/"; !strings.HasPrefix(routes.Targets[n].Subscriber.URL, want) {
				t.Errorf("subscriber %s", routes.Targets[n].Subscriber.URL)
			}
			for i := range 2 * w.Types {
				e := event.Event{}.With(event.SpecVersion, "1.0").With(event.ID, "1").With(event.Source, workload.Source).
					With(event.Type, workload.TypeName(i%w.Types))
				want := target.Selects(i) && target.Type != workload.ReplyType
				if got := matcher.Match(e); got != want {
					t.Errorf("filter %s, Trigger %d, event %d: matches %t, want %t", by, n, i, got, want)
				}
			}
		}
	}
}

func load(t *testing.T, w workload.Workload) manifest.Desired {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bench.yaml")
	yaml := w.YAML(workload.Manifest{
		Delivery:    workload.Delivery{Retry: 3, Policy: "linear", Delay: "PT0.2S"},
		Annotations: map[string]string{compile.ClassAnnotation: compile.BrokerClass, compile.MaxBytesAnnotation: "1000000"},
		Subscriber:  "http://127.0.0.1:1/s/", Sink: "http://127.0.0.1:1/dead/",
	})
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	resources, err := manifest.Load([]string{file}, manifest.LoadOptions{Owner: "test"})
	if err != nil {
		t.Fatalf("%v\n%s", err, yaml)
	}
	return resources.Desired()
}

func TestValidateNamesTheFlag(t *testing.T) {
	if err := usual().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*workload.Workload){
		"--types":         func(w *workload.Workload) { w.Types = 0 },
		"--triggers":      func(w *workload.Workload) { w.FanOut = -1 },
		"--idle-triggers": func(w *workload.Workload) { w.Idle = 20_000 },
		"--filter":        func(w *workload.Workload) { w.Filter = "sql" },
		"--size":          func(w *workload.Workload) { w.Size = -1 },
		"--mode":          func(w *workload.Workload) { w.Mode = "xml" },
		"--batch-size":    func(w *workload.Workload) { w.Mode = workload.Batch },
		"--replies":       func(w *workload.Workload) { w.Replies, w.Filter = true, workload.FilterNone },
	} {
		w := usual()
		change(&w)
		if err := w.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s in it", err, want)
		}
	}
}
