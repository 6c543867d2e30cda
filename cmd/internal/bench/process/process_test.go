package process_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/process"
)

func never(context.Context) error { return errors.New("not yet") }

func TestStopEndsTheProcess(t *testing.T) {
	p, err := process.Start("sleep", nil, "sleep", "1000")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Err(); err != nil {
		t.Errorf("it runs, and yet: %v", err)
	}
	p.Stop()
	if err := p.Err(); err == nil {
		t.Error("it has not ended")
	}
	if _, known := process.UsageOf(p.Pid()); known {
		t.Error("it still uses something")
	}
}

func TestAProcessThatEndsIsNotWaitedFor(t *testing.T) {
	p, err := process.Start("failing", nil, "sh", "-c", "echo why it failed >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Await(t.Context(), never); err == nil || !strings.Contains(err.Error(), "why it failed") {
		t.Errorf("error %v, want what it has written", err)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	p, err := process.Start("sleep", nil, "sleep", "1000")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Await(ctx, never); err == nil || !strings.Contains(err.Error(), "not yet") {
		t.Errorf("error %v, want why it is not ready", err)
	}
}

func TestUsageIsTheOperatingSystems(t *testing.T) {
	u, known := process.UsageOf(os.Getpid())
	if known != (runtime.GOOS == "linux") {
		t.Fatalf("known: %t", known)
	}
	if known && (u.Resident <= 0 || u.Peak < u.Resident/2) {
		t.Errorf("%+v", u)
	}
}

func TestAProgramThatIsNowhereIsSaid(t *testing.T) {
	if got, err := process.Find("x", os.Args[0]); err != nil || got != os.Args[0] {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := process.Find("x", "/some/where"); err == nil {
		t.Error("a file that is not there is taken for a program")
	}
	if _, err := process.Find("no-such-program", ""); err == nil || !strings.Contains(err.Error(), "--no-such-program-program") {
		t.Errorf("error %v, want the flag that names it", err)
	}
}
