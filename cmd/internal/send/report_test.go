package send

import (
	"errors"
	"testing"
	"time"
)

func TestReportReads(t *testing.T) {
	report := Report{
		Asked: 10, Sent: 9, Accepted: 5, Refused: map[int]int{503: 3, 0: 1}, Retries: 2,
		Duration: 2500 * time.Millisecond, P50: 1234567, P99: 98765432,
		First: &Refusal{Status: 503, Body: "event storage\nis \x1b[2Junavailable\n"},
	}
	const line = "sent 9, accepted 5, refused 4 (no answer: 1, 503: 3), retries 2, 2.5s, 2/s, p50 1.23ms, p99 98.8ms"
	if got := report.String(); got != line {
		t.Errorf("line is\n%s, want\n%s", got, line)
	}
	err := report.Err()
	if !errors.Is(err, ErrNotAccepted) {
		t.Errorf("error %v is not ErrNotAccepted", err)
	}
	const text = "not every event was accepted: 5 of 10; first refusal: 503 Service Unavailable: event storage is [2Junavailable"
	if got := err.Error(); got != text {
		t.Errorf("error is\n%s, want\n%s", got, text)
	}
}

func TestAllAcceptedIsNoError(t *testing.T) {
	report := Report{Asked: 2, Sent: 2, Accepted: 2, Duration: time.Second}
	if err := report.Err(); err != nil {
		t.Error(err)
	}
	if got, want := report.String(), "sent 2, accepted 2, refused 0, 1s, 2/s, p50 0s, p99 0s"; got != want {
		t.Errorf("line is %q, want %q", got, want)
	}
}
