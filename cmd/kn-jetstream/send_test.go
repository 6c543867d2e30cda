package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/send"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

func TestSendFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(file, []byte(`{"from":"file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		args     []string
		wantAttr map[string]string
		wantData string
	}{
		{
			name: "attributes", args: []string{"--type", "order.created", "--source", "/shop", "--subject", "s", "--id", "7", "--extension", "zone=a=b", "--extension", "tenant="},
			wantAttr: map[string]string{"type": "order.created", "source": "/shop", "subject": "s", "id": "7", "zone": "a=b", "tenant": ""},
		},
		{name: "data", args: []string{"--data", "hello", "--content-type", "text/plain"}, wantAttr: map[string]string{"datacontenttype": "text/plain"}, wantData: "hello"},
		{name: "data from a file", args: []string{"--data-file", file}, wantAttr: map[string]string{"datacontenttype": "application/json"}, wantData: `{"from":"file"}`},
		{name: "data from standard input", args: []string{"--data-file", "-", "--mode", "structured"}, wantData: "from stdin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got event.Event
			url := startReceiver(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				var err error
				if got, err = event.FromHTTP(r.Header, body); err != nil {
					t.Error(err)
				}
				w.WriteHeader(http.StatusAccepted)
			})
			output, err := executeSend(append(test.args, url)...)
			if err != nil || !strings.HasPrefix(output, "sent 1, accepted 1, refused 0") {
				t.Fatalf("error %v, output %q", err, output)
			}
			for name, want := range test.wantAttr {
				if value, ok := got.Get(name); value != want || !ok {
					t.Errorf("attribute %s is %q, want %q", name, value, want)
				}
			}
			if string(got.Data) != test.wantData {
				t.Errorf("data %q, want %q", got.Data, test.wantData)
			}
		})
	}
}

func TestSendSize(t *testing.T) {
	size := int64(0)
	url := startReceiver(t, func(_ http.ResponseWriter, r *http.Request) { size = r.ContentLength })
	if _, err := executeSend("--to", url, "--size", "1024"); err != nil || size != 1024 {
		t.Errorf("error %v, %d bytes came in, want 1024", err, size)
	}
}

func TestSendSaysWhatWasRefused(t *testing.T) {
	url := startReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the log is full", http.StatusInsufficientStorage)
	})
	output, err := executeSend(url, "--count", "3")
	if !errors.Is(err, send.ErrNotAccepted) || !strings.Contains(err.Error(), "507 Insufficient Storage: the log is full") {
		t.Errorf("error is %v", err)
	}
	if !strings.HasPrefix(output, "sent 3, accepted 0, refused 3 (507: 3)") {
		t.Errorf("output is %q", output)
	}
}

func TestSendRefusesFlags(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"two URLs", []string{"http://a/", "--to", "http://b/"}, "the URL is given twice"},
		{"extension without a value", []string{"--extension", "zone"}, "is not of the form name=value"},
		{"two kinds of data", []string{"--data", "a", "--size", "3"}, "none of the others can be"},
		{"missing file", []string{"--data-file", "/does/not/exist"}, "no such file"},
		{"negative size", []string{"--size", "-1"}, "--size must be from 0"},
		{"batch size alone", []string{"--batch-size", "3"}, "--batch-size needs --mode batch"},
		{"empty type", []string{"--type", ""}, `attribute "type"`},
		{"a file of events and a type", []string{"--file", "-", "--type", "a"}, "none of the others can be"},
		{"a missing file of events", []string{"--file", "/does/not/exist"}, "--file: open /does/not/exist"},
		{"a file that holds no events", []string{"--file", "-"}, "--file -: line 1: malformed CloudEvents JSON"},
	} {
		t.Run(test.name, func(t *testing.T) {
			output, err := executeSend(test.args...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q in it; output %q", err, test.want, output)
			}
		})
	}
}

func startReceiver(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// executeSend runs `send` and returns what it printed on the standard output.
func executeSend(args ...string) (string, error) {
	var output bytes.Buffer
	command := newSendCommand()
	command.SilenceUsage, command.SilenceErrors = true, true
	command.SetArgs(args)
	command.SetIn(strings.NewReader("from stdin"))
	command.SetOut(&output)
	command.SetErr(io.Discard)
	err := command.Execute()
	return output.String(), err
}
