package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kn runs kn-jetstream on the laptop's store, and returns what it prints and its exit code.
func (l *laptop) kn(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), built.kn, append(args, "--store", l.store)...) //nolint:gosec // the test's own program
	said, err := cmd.CombinedOutput()
	return string(said), exitCode(err)
}

// does is kn for a command that is to succeed and to say this.
func (l *laptop) does(t *testing.T, want string, args ...string) {
	t.Helper()
	if said, code := l.kn(t, args...); code != 0 || !strings.Contains(said, want) {
		t.Fatalf("%v ends with %d and says\n%s\nwant %q", args, code, said, want)
	}
}

// TestPauseAndResumeByCommandAlone is docs/operations.md, "A subscriber is to get nothing for a while": no file is edited.
func TestPauseAndResumeByCommandAlone(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b, triggerOf(b, "goes-on", s.URL+"/goes-on"), triggerOf(b, "orders", s.URL+"/orders")))
	l.does(t, "trigger default/orders is paused since ", "pause", "trigger", "orders", "--reason", "the shop moves")
	waits := func(events int) {
		t.Helper()
		eventually(t, 20*time.Second, "get shows who is paused, why, and how many events wait", func() error {
			for _, row := range get[triggerRow](t, l, "triggers") {
				if row.Key.Name == "orders" && (!row.Ready || row.Backlog < events ||
					!strings.HasPrefix(row.Reason, "paused since 20") || !strings.HasSuffix(row.Reason, ": the shop moves")) {
					return fmt.Errorf("%+v", row)
				}
			}
			return nil
		})
	}
	waits(0)
	const events = 20
	for i := range events {
		l.accepts(t, "/default/default", event("t", fmt.Sprint(i)), nil)
		s.getsEvent(t, "/goes-on", fmt.Sprint(i))
	}
	l.kill()
	l.start()
	l.says(t, "embedded; with its token in", 2)
	waits(events)
	if got := s.at("/orders"); len(got) > 0 {
		t.Fatalf("%d events came while the Trigger was paused", len(got))
	}
	if said, code := l.kn(t, "pause", "trigger", "other"); code != 1 || !strings.Contains(said, "trigger default/other: not found") {
		t.Errorf("pausing what is not there ends with %d and says %s", code, said)
	}
	l.does(t, "trigger default/orders is resumed", "resume", "trigger", "orders")
	for i := range events {
		s.getsEvent(t, "/orders", fmt.Sprint(i))
	}
	l.drained(t)
}

// TestAnAnnotationInAFileGoesBeforeTheCommand pauses by a file what the command resumes, and by the command what the file resumes.
func TestAnAnnotationInAFileGoesBeforeTheCommand(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	resumed := triggerOf(b, "orders", s.URL+"/orders")
	paused := resumed
	paused.annotations = map[string]string{"jetstream.eventing.knative.dev/paused": "an audit"}
	l := startLaptop(t, manifest(b, paused))
	if said, code := l.kn(t, "resume", "trigger", "orders"); code != 1 || !strings.Contains(said, "annotation in its file") || !strings.Contains(said, "an audit") {
		t.Errorf("resume ends with %d and says %s", code, said)
	}
	l.does(t, "annotation in its file, which goes first: an audit", "pause", "trigger", "orders", "--reason", "the shop moves")
	l.save(t, manifest(b, resumed))
	eventually(t, 20*time.Second, "the command's reason counts once the annotation is gone", func() error {
		if rows := get[triggerRow](t, l, "triggers"); len(rows) != 1 || !strings.HasSuffix(rows[0].Reason, ": the shop moves") {
			return fmt.Errorf("%+v", rows)
		}
		return nil
	})
	l.accepts(t, "/default/default", event("t", "1"), nil)
	l.does(t, "trigger default/orders is resumed", "resume", "trigger", "orders")
	s.getsEvent(t, "/orders", "1")
}

// TestPauseChoosesTheCluster asks the cluster of a kubeconfig, and says which one; nobody listens there.
func TestPauseChoosesTheCluster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "config")
	text := `
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: here, context: {cluster: c, namespace: shop}}]
current-context: here
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name              string
		args, environment []string
		want              string
		code              int
	}{
		{"a file", []string{"--kubeconfig", file}, nil, "trigger shop/orders at http://127.0.0.1:1: ", 1},
		{"a context", []string{"--context", "here", "-n", "other"}, []string{"KUBECONFIG=" + file}, "trigger other/orders at http://127.0.0.1:1: ", 1},
		{"no run on this machine", nil, []string{"KUBECONFIG=" + file, "XDG_DATA_HOME=" + dir}, "trigger shop/orders at http://127.0.0.1:1: ", 1},
		{"nothing", nil, []string{"KUBECONFIG=", "HOME=" + dir, "XDG_DATA_HOME=" + dir}, "nor is there a kubeconfig", 1},
		{"no such context", []string{"--kubeconfig", file, "--context", "there"}, nil, `"there" does not exist`, 1},
		{"a cluster and a NATS", []string{"--kubeconfig", file, "--nats", "nats://127.0.0.1:1"}, nil, "none of the others can be", 2},
		{"too long a reason", []string{"--kubeconfig", file, "--reason", big(300)}, nil, "--reason must say why", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), built.kn, append([]string{"pause", "trigger", "orders"}, test.args...)...) //nolint:gosec // the test's own program
			cmd.Env = append(cmd.Environ(), test.environment...)
			said, err := cmd.CombinedOutput()
			if exitCode(err) != test.code || !strings.Contains(string(said), test.want) {
				t.Errorf("it ends with %d and says %s, want %d and %q", exitCode(err), said, test.code, test.want)
			}
		})
	}
}
