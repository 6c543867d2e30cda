package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestATriggerIsTestedWithAnEvent is docs/operations.md, "A Trigger does not get an event that it should get".
func TestATriggerIsTestedWithAnEvent(t *testing.T) {
	t.Parallel()
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b, triggerOf(b, "orders", "http://127.0.0.1:1/", `filters: [{exact: {type: order}}, {cesql: "total > 100"}]`)))
	const one = `{"specversion": "1.0", "id": %q, "source": "/e2e", "type": %q, "total": %d}`
	file := filepath.Join(l.dir, "event.json")
	save := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save(fmt.Sprintf(one, "1", "order", 101))
	l.does(t, "1  matches", "test", "trigger", "orders", "--file", file)

	save("[" + fmt.Sprintf(one, "1", "order", 101) + ",\n" + fmt.Sprintf(one, "2", "refund", 99) + "]")
	said, code := l.kn(t, "test", "trigger", "orders", "--file", file)
	if code != 1 || !inOrder(said, "1  matches", "2  does not match", `filters[0].exact: type must be "order"; type is "refund"`,
		`filters[1].cesql: total > 100 is false; total is "99"`, "not every event matches") {
		t.Errorf("it ends with %d and says\n%s", code, said)
	}
	save("{}")
	if said, code := l.kn(t, "test", "trigger", "orders", "--file", file); code != 2 || !strings.Contains(said, `attribute "specversion"`) {
		t.Errorf("a file without an event ends with %d and says %s", code, said)
	}
	save(fmt.Sprintf(one, "1", "order", 101))
	if said, code := l.kn(t, "test", "trigger", "none", "--file", file); code != 1 || !strings.Contains(said, "not found") {
		t.Errorf("a test of nobody ends with %d and says %s", code, said)
	}
}

// inOrder tells whether the text has the parts one after the other.
func inOrder(text string, parts ...string) bool {
	for _, part := range parts {
		_, rest, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = rest
	}
	return true
}
