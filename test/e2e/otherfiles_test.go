package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// backlogs are the Triggers by name, and what each has not delivered.
func (l *laptop) backlogs(t *testing.T) map[string]int {
	t.Helper()
	backlogs := map[string]int{}
	for _, row := range get[triggerRow](t, l, "triggers") {
		backlogs[row.Key.Name] = row.Backlog
	}
	return backlogs
}

// startFull runs files whose Trigger orders has five events that its subscriber, which is away, has not got. Then it stops.
func startFull(t *testing.T, s *subscriber) *laptop {
	t.Helper()
	b := brokerOf("full", "{delivery: {retry: 100, backoffPolicy: linear, backoffDelay: PT0.5S}}")
	l := startLaptop(t, manifest(brokerOf("default", ""), b, triggerOf(b, "orders", s.URL+"/orders")))
	for i := range 5 {
		l.accepts(t, "/default/full", event("order", fmt.Sprint("order-", i)), nil)
	}
	s.gets(t, "/orders", 5)
	l.stop(t)
	return l
}

func (l *laptop) stop(t *testing.T) {
	t.Helper()
	if code := l.terminate(35 * time.Second); code != 0 {
		t.Fatalf("exit code %d", code)
	}
}

// restart runs other files on the same store, and waits until what is in them is served.
func (l *laptop) restart(t *testing.T, manifest string, flags ...string) {
	t.Helper()
	l.save(t, manifest)
	argv, ready := l.argv, strings.Count(l.output.String(), "broker default/default  is ready")
	l.argv = append(l.argv, flags...)
	l.start()
	l.argv = argv
	l.says(t, "broker default/default  is ready", ready+1)
}

// others are files that do not name the Broker full.
func others(s *subscriber) string {
	b := brokerOf("default", "")
	return manifest(b, triggerOf(b, "other", s.URL+"/other"))
}

// TestOtherFilesKeepWhatIsNotDelivered runs other files on a store that has undelivered events, and then the first files again.
func TestOtherFilesKeepWhatIsNotDelivered(t *testing.T) {
	t.Parallel()
	up := make(chan struct{})
	s := subscribe(t, map[string]answers{"/orders": until(up, says(503, ""))})
	l := startFull(t, s)
	first, err := os.ReadFile(l.file)
	if err != nil {
		t.Fatal(err)
	}
	close(up)
	came := len(s.at("/orders"))
	l.restart(t, others(s))
	l.says(t, "trigger default/orders of broker default/full  is in no file: its undelivered events (5) are kept; "+
		"to delete it: kn-jetstream delete trigger orders -n default", 1)
	l.says(t, "broker default/full  is in no file: its log (5 events) and dead letters (0) are kept; it takes no events", 1)
	l.accepts(t, "/default/default", event("t", "1"), nil)
	s.getsEvent(t, "/other", "1") // the filter delivers
	if n := len(s.at("/orders")); n != came {
		t.Errorf("%d requests to the subscriber of a Trigger that is in no file", n-came)
	}
	if got := (call{url: l.url("/default/full"), header: event("t", "2")}).do(t); got.status == 202 || !strings.Contains(got.body, "in no file") {
		t.Errorf("a Broker that is in no file answers %d: %s", got.status, got.body)
	}
	if out := run(t, built.kn, "get", "triggers", "--store", l.store); !strings.Contains(out, "kn-jetstream delete trigger orders -n default") {
		t.Errorf("get does not tell how to delete the Trigger:\n%s", out)
	}
	l.save(t, others(s)+"---\n"+trigger("added", "t", s.URL+"/added")) // a change ends nothing else
	l.says(t, "trigger default/added of broker default/default  is ready", 1)
	if backlogs := l.backlogs(t); backlogs["orders"] != 5 {
		t.Errorf("the backlogs are %v, want 5 events of orders", backlogs)
	}
	l.stop(t)

	l.restart(t, string(first))
	for _, v := range s.gets(t, "/orders", came+5)[came:] {
		if len(s.of("/orders", v.id())) < 2 {
			t.Errorf("%s came for the first time", v.id())
		}
	}
	eventually(t, 20*time.Second, "the Trigger has no backlog", func() error {
		if backlogs := l.backlogs(t); backlogs["orders"] != 0 || len(backlogs) != 3 {
			return fmt.Errorf("%v", backlogs)
		}
		return nil
	})
}

// TestPruneDeletesWhatIsInNoFile tells how much goes.
func TestPruneDeletesWhatIsInNoFile(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/orders": says(503, "")})
	l := startFull(t, s)
	l.restart(t, others(s), "--prune")
	l.says(t, "trigger default/orders of broker default/full  is removed; its undelivered events (5) are kept for 30 s", 1)
	l.says(t, "broker default/full  is removed; its log (5 events) and dead letters (0) are kept for 30 s", 1)
	if backlogs := l.backlogs(t); len(backlogs) != 1 {
		t.Errorf("the Triggers are %v, want other alone", backlogs)
	}
}

// TestARemovalTellsWhatItHeld takes a Trigger that has undelivered events out of a file that is watched.
func TestARemovalTellsWhatItHeld(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/orders": says(503, "")})
	b := brokerOf("default", "{delivery: {retry: 100, backoffPolicy: linear, backoffDelay: PT0.5S}}")
	l := startLaptop(t, manifest(b, triggerOf(b, "orders", s.URL+"/orders")))
	l.accepts(t, "/default/default", event("order", "1"), nil)
	s.getsEvent(t, "/orders", "1")
	l.save(t, manifest(b))
	l.says(t, "trigger default/orders of broker default/default  is removed; its undelivered events (1) are kept for 30 s", 1)
}

// TestDeleteByName deletes what is in no file, and nothing that a file names.
func TestDeleteByName(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/orders": says(503, "")})
	l := startFull(t, s)
	l.restart(t, others(s))
	l.says(t, "broker default/full  is in no file", 1)
	deleted := func(args ...string) (string, int) {
		t.Helper()
		command := exec.CommandContext(t.Context(), built.kn, append([]string{"delete", "--store", l.store}, args...)...) //nolint:gosec // the program under test
		out, _ := command.CombinedOutput()
		return string(out), command.ProcessState.ExitCode()
	}
	for _, refused := range []struct {
		args, want string
		code       int
	}{
		{"trigger other", `trigger default/other is not deleted: it is served for the owner "run"`, 1},
		{"broker default", `broker default/default is not deleted`, 1},
		{"trigger orders -n elsewhere", "there is no trigger elsewhere/orders", 1},
		{"channel full", "there is no channel default/full", 1},
		{"topic orders", `there is no kind "topic"`, 2},
		{"trigger", "either -f or one kind and name", 2},
		{"trigger orders -f " + l.file, "either -f or one kind and name", 2},
	} {
		if out, code := deleted(strings.Fields(refused.args)...); code != refused.code || !strings.Contains(out, refused.want) {
			t.Errorf("delete %s: exit code %d, want %d and %q:\n%s", refused.args, code, refused.code, refused.want, out)
		}
	}
	if backlogs := l.backlogs(t); len(backlogs) != 2 {
		t.Errorf("the Triggers are %v, want both", backlogs)
	}
	if out, code := deleted("triggers", "orders"); code != 0 || !strings.Contains(out, "deleted; its undelivered events (5) are kept for 30 s") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if out, code := deleted("broker", "full"); code != 0 || !strings.Contains(out, "broker default/full deleted; its log (5 events)") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if rows := get[brokerRow](t, l, "brokers"); len(rows) != 1 || len(l.backlogs(t)) != 1 {
		t.Errorf("the Brokers are %+v, the Triggers %v", rows, l.backlogs(t))
	}
}
