package readiness

import (
	"errors"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

var (
	noon    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	errAway = errors.New("connection refused")
)

func after(d time.Duration) time.Time { return noon.Add(d) }

func filters(ids ...string) []route.Report {
	var reports []route.Report
	for _, id := range ids {
		reports = append(reports, route.Report{Role: route.RoleFilter, ID: id, Revision: 7})
	}
	return reports
}

func live(reports []route.Report) route.Reports { return route.Reports{Live: reports} }

func lost(reports []route.Report, at time.Time) reading {
	return reading{reports: route.Reports{Live: reports, Lost: at}, at: at}
}

func TestView(t *testing.T) {
	tests := []struct {
		name     string
		readings []reading
		wantIDs  []string
		// wantOutage is since when NATS is said to be away; zero is not at all.
		wantOutage time.Time
		wantKnown  bool
	}{
		{name: "nothing was read"},
		{name: "reports", readings: []reading{{reports: live(filters("a", "b")), at: noon}}, wantIDs: []string{"a", "b"}, wantKnown: true},
		{name: "one expired", readings: []reading{{reports: live(filters("a", "b")), at: noon}, {reports: live(filters("b")), at: after(time.Second)}},
			wantIDs: []string{"b"}, wantKnown: true},
		{name: "a short failure is no outage", readings: []reading{{reports: live(filters("a")), at: noon}, {err: errAway, at: after(time.Second)},
			{err: errAway, at: after(3 * time.Second)}}, wantIDs: []string{"a"}, wantKnown: true},
		{name: "failures that go on are one, since the first", readings: []reading{{reports: live(filters("a")), at: noon}, {err: errAway, at: after(time.Second)},
			{err: errAway, at: after(5 * time.Second)}, {err: errAway, at: after(time.Hour)}}, wantIDs: []string{"a"}, wantOutage: after(time.Second), wantKnown: true},
		{name: "two short failures with a success between are none", readings: []reading{{err: errAway, at: noon}, {at: after(2 * time.Second)},
			{err: errAway, at: after(4 * time.Second)}}, wantKnown: true},
		{name: "an outage from the start", readings: []reading{{err: errAway, at: noon}, {err: errAway, at: after(4 * time.Second)}}, wantOutage: noon},
		{name: "reports that expired in an outage are kept for a while", readings: []reading{{reports: live(filters("a")), at: noon}, {err: errAway, at: after(time.Second)},
			{err: errAway, at: after(time.Minute)}, {at: after(61 * time.Second)}, {at: after(70 * time.Second)}}, wantIDs: []string{"a"}, wantKnown: true},
		{name: "and then no more", readings: []reading{{reports: live(filters("a")), at: noon}, {err: errAway, at: after(time.Second)},
			{err: errAway, at: after(time.Minute)}, {at: after(61 * time.Second)}, {at: after(90 * time.Second)}}, wantKnown: true},
		{name: "a report that is renewed after an outage is there once", readings: []reading{{reports: live(filters("a")), at: noon}, {err: errAway, at: after(time.Second)},
			{err: errAway, at: after(time.Minute)}, {reports: live(filters("a")), at: after(61 * time.Second)}}, wantIDs: []string{"a"}, wantKnown: true},
		{name: "reports are lost, and nobody knows of any", readings: []reading{lost(filters("a"), noon)}},
		{name: "reports are lost: those from before count", readings: []reading{{reports: live(filters("a", "b")), at: noon}, lost(filters("c"), after(time.Second))},
			wantIDs: []string{"a", "b"}, wantKnown: true},
		{name: "and no more when all had the time to report again", readings: []reading{{reports: live(filters("a", "b")), at: noon}, lost(filters("c"), after(time.Second)),
			{reports: live(filters("c")), at: after(time.Minute)}}, wantIDs: []string{"c"}, wantKnown: true},
		{name: "lost reports are no outage", readings: []reading{{err: errAway, at: noon}, {err: errAway, at: after(4 * time.Second)}, lost(nil, after(5*time.Second))}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var v View
			for _, r := range tt.readings {
				v = v.next(r)
			}
			var ids []string
			for _, r := range v.Reports {
				ids = append(ids, r.ID)
			}
			if !slices.Equal(ids, tt.wantIDs) || v.Known != tt.wantKnown {
				t.Errorf("reports of %v, known %t", ids, v.Known)
			}
			if (v.Outage != nil) != !tt.wantOutage.IsZero() || v.Outage != nil && !v.Outage.Since.Equal(tt.wantOutage) {
				t.Errorf("outage %+v, want since %v", v.Outage, tt.wantOutage)
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	question := Question{Role: route.RoleFilter, Place: route.Place{Key: "k", Revision: 7}}
	failed := route.Report{Role: route.RoleFilter, ID: "bad", Revision: 7, Failures: map[string]string{"k": "odd"}}
	behind := route.Report{Role: route.RoleFilter, ID: "late", Revision: 6}
	tests := []struct {
		name       string
		view       View
		wantStatus corev1.ConditionStatus
		wantReason string
	}{
		{"nothing read yet", View{}, corev1.ConditionUnknown, ReasonNotKnown},
		{"no process", View{Known: true}, corev1.ConditionUnknown, ReasonNoProcess},
		{"only the other role", View{Known: true, Reports: []route.Report{{Role: route.RoleIngress, ID: "i", Revision: 9}}}, corev1.ConditionUnknown, ReasonNoProcess},
		{"applied", View{Known: true, Reports: filters("a")}, corev1.ConditionTrue, ""},
		{"applied by all", View{Known: true, Reports: filters("a", "b")}, corev1.ConditionTrue, ""},
		{"one is behind", View{Known: true, Reports: append(filters("a"), behind)}, corev1.ConditionUnknown, ReasonNotApplied},
		{"one cannot", View{Known: true, Reports: append(filters("a"), failed)}, corev1.ConditionFalse, ReasonFailed},
		{"one is about to read", View{Known: true, Reports: []route.Report{{Role: route.RoleFilter, ID: "a", Revision: 7,
			Failures: map[string]string{"k": route.NotRead}}}}, corev1.ConditionUnknown, ReasonNotApplied},
		{"one is behind, another cannot", View{Known: true, Reports: []route.Report{behind, failed}}, corev1.ConditionFalse, ReasonFailed},
		{"one could not apply what was there before", View{Known: true, Reports: []route.Report{{Role: route.RoleFilter, ID: "old", Revision: 6,
			Failures: map[string]string{"k": "odd"}}}}, corev1.ConditionUnknown, ReasonNotApplied},
		{"lost reports: it was applied before", View{Known: true, Reports: filters("a"), Lost: noon}, corev1.ConditionTrue, ""},
		{"lost reports: it was not applied before", View{Known: true, Reports: append(filters("a"), behind), Lost: noon}, corev1.ConditionUnknown, ReasonLost},
		{"lost reports: nobody was there before", View{Known: true, Lost: noon}, corev1.ConditionUnknown, ReasonLost},
		{"another record cannot be applied", View{Known: true, Reports: []route.Report{{Role: route.RoleFilter, Revision: 7, Failures: map[string]string{"x": "odd"}}}},
			corev1.ConditionTrue, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.view.answer(question); got.Status != tt.wantStatus || got.Reason != tt.wantReason {
				t.Errorf("%+v", got)
			}
		})
	}
}
