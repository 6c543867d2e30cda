package send

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestRetries(t *testing.T) {
	for _, test := range []struct {
		name         string
		answers      []answer
		retries      int
		wantAccepted int
		wantRequests int
		wantRefused  map[int]int
	}{
		{name: "busy, then fine", answers: []answer{{429, "0", ""}, {503, "0", ""}, {507, "0", ""}}, retries: 3, wantAccepted: 1, wantRequests: 4},
		{name: "connection broken, then fine", answers: []answer{{0, "", ""}}, retries: 1, wantAccepted: 1, wantRequests: 2},
		{name: "out of retries", answers: []answer{{503, "0", ""}, {503, "0", ""}}, retries: 1, wantRequests: 2, wantRefused: map[int]int{503: 1}},
		{name: "no retries", answers: []answer{{503, "0", ""}}, wantRequests: 1, wantRefused: map[int]int{503: 1}},
		{name: "never repeated", answers: []answer{{400, "0", ""}}, retries: 3, wantRequests: 1, wantRefused: map[int]int{400: 1}},
		{name: "a redirect is a refusal", answers: []answer{{307, "", ""}}, retries: 3, wantRequests: 1, wantRefused: map[int]int{307: 1}},
		{name: "no answer", answers: []answer{{0, "", ""}}, wantRequests: 1, wantRefused: map[int]int{0: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ingress := newIngress(t, test.answers...)
			options := ingress.options()
			options.Retries, options.Event.ID = test.retries, "same"
			report, err := Run(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			if test.wantRefused == nil {
				test.wantRefused = map[int]int{}
			}
			if report.Accepted != test.wantAccepted || !reflect.DeepEqual(report.Refused, test.wantRefused) {
				t.Errorf("accepted %d, refused %v; want %d, %v", report.Accepted, report.Refused, test.wantAccepted, test.wantRefused)
			}
			if (report.Err() == nil) != (test.wantAccepted == 1) {
				t.Errorf("error is %v", report.Err())
			}
			seen := ingress.seen()
			if seen.requests != test.wantRequests || report.Retries != test.wantRequests-1 {
				t.Errorf("%d requests, %d retries reported; want %d requests", seen.requests, report.Retries, test.wantRequests)
			}
			if len(seen.events) != 1 {
				t.Errorf("%d different ids, want the same in each request", len(seen.events))
			}
		})
	}
}

func TestBatchStoredInPart(t *testing.T) {
	ingress := newIngress(t, answer{status: 507, body: `{"stored":3,"total":10,"error":"the log is full"}`})
	options := ingress.options()
	options.Mode, options.Count, options.BatchSize = Batch, 10, 10
	report, err := Run(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if report.Accepted != 3 || report.Refused[507] != 7 || report.Err() == nil {
		t.Errorf("report %v, want 3 accepted and 7 refused with 507", report)
	}
	if report.First == nil || !strings.Contains(report.First.String(), "the log is full") {
		t.Errorf("first refusal %v does not quote the answer", report.First)
	}
}

func TestDelay(t *testing.T) {
	for _, test := range []struct {
		name       string
		retryAfter string
		attempt    int
		min, max   time.Duration
	}{
		{"seconds", "3", 0, 3 * time.Second, 3 * time.Second},
		{"too many seconds", "999999999999", 0, time.Minute, time.Minute},
		{"a date", time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat), 0, 18 * time.Second, 20 * time.Second},
		{"a date that has passed", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), 0, 0, 0},
		{"none", "", 0, 50 * time.Millisecond, 100 * time.Millisecond},
		{"nonsense", "soon", 2, 200 * time.Millisecond, 400 * time.Millisecond},
		{"negative", "-1", 40, 5 * time.Second, 10 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := outcome{retryAfter: test.retryAfter}.delay(test.attempt)
			if got < test.min || got > test.max {
				t.Errorf("waits %v, want %v to %v", got, test.min, test.max)
			}
		})
	}
}
