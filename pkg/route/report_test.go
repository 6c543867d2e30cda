package route

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestReady(t *testing.T) {
	made := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	const key, revision = "target.x", uint64(10)
	ingress := func(id string, revision uint64) Report {
		return Report{Role: RoleIngress, ID: id, Revision: revision, Bucket: made}
	}
	filter := func(id string, revision uint64) Report {
		return Report{Role: RoleFilter, ID: id, Revision: revision, Bucket: made}
	}
	failed := func(r Report, key string) Report {
		r.Failures = map[string]string{key: "the record is garbled"}
		return r
	}
	for _, c := range []struct {
		name    string
		reports []Report
		want    bool
		why     string
	}{
		{name: "no process", why: "no filter process is running"},
		{name: "only another role", reports: []Report{ingress("i", 99)}, why: "no filter process is running"},
		{name: "one has applied it", reports: []Report{filter("a", 10)}, want: true},
		{name: "one has applied a later revision", reports: []Report{filter("a", 11)}, want: true},
		{name: "one is behind", reports: []Report{filter("a", 9)}, why: "filter a has not applied it yet"},
		{name: "one of two is behind", reports: []Report{filter("a", 12), filter("b", 9)}, why: "filter b has not applied it yet"},
		{name: "all have applied it", reports: []Report{filter("a", 12), filter("b", 10), ingress("i", 0)}, want: true},
		{name: "one has failed on it", reports: []Report{filter("a", 10), failed(filter("b", 10), key)}, why: "filter b: the record is garbled"},
		{name: "one has failed on an earlier revision", reports: []Report{failed(filter("b", 9), key)}, why: "filter b has not applied it yet"},
		{name: "one has failed on another record", reports: []Report{failed(filter("a", 10), "target.y")}, want: true},
		{name: "one has applied a later revision of an older bucket", reports: []Report{{Role: RoleFilter, ID: "a", Revision: 11, Bucket: made.Add(-time.Second)}},
			why: "filter a has not applied it yet"},
		{name: "another role has failed on it", reports: []Report{filter("a", 10), failed(ingress("i", 10), key)}, want: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, why := Ready(Reports{Live: c.reports}, RoleFilter, Place{Key: key, Revision: revision, Bucket: made})
			if got != c.want || why != c.why {
				t.Errorf("got %v, %q; want %v, %q", got, why, c.want, c.why)
			}
		})
	}
}

func TestReportsAreBounded(t *testing.T) {
	report := func(failures int) Report {
		r := Report{Role: RoleFilter, ID: "f", Revision: 7, Failures: map[string]string{}}
		for n := range failures {
			r.Failures[fmt.Sprintf("target.%0250d", n)] = strings.Repeat("\u00e4", 1000)
		}
		return r
	}
	full := report(maxFailures).Bounded()
	data, err := json.Marshal(full)
	if err != nil || len(data) > 1<<20 || len(full.Failures) != maxFailures || full.Revision != 7 {
		t.Errorf("%d bytes, %d failures, revision %d, error %v", len(data), len(full.Failures), full.Revision, err)
	}
	if over := report(maxFailures + 1).Bounded(); over.Revision != 0 || len(over.Failures) != 0 {
		t.Errorf("%d failures at revision %d: whoever is not named seems to be well", len(over.Failures), over.Revision)
	}
	if short := (Report{Revision: 7, Failures: map[string]string{"k": "odd"}}).Bounded(); short.Failures["k"] != "odd" || short.Revision != 7 {
		t.Errorf("%+v", short)
	}
}

func TestKeyStrings(t *testing.T) {
	key := target("one").Target.Key
	if s := key.String(); s != "trigger shop/one of broker shop/orders" || !strings.HasSuffix(s, key.Address.String()) {
		t.Errorf("got %q", s)
	}
}
