package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestDisplayShowsWhatIsSentToItsRoot runs the command as a pod does: named by its Service, without a path.
func TestDisplayShowsWhatIsSentToItsRoot(t *testing.T) {
	reader, writer := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	root := newRootCommand()
	root.SetArgs([]string{"display", "--listen", "127.0.0.1:0", "--quiet"})
	root.SetOut(writer)
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx); writer.Close() }()
	lines := bufio.NewScanner(reader)
	next := func() string { lines.Scan(); return lines.Text() }

	_, url, ok := strings.Cut(next(), "sent to ")
	if !ok {
		t.Fatal("it does not say where to send events")
	}
	for path, want := range map[string]string{"": "display", "/-/display/orders": "orders"} {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Ce-Id": "17", "Ce-Source": "/s", "Ce-Type": "t", "Ce-Specversion": "1.0"} {
			request.Header.Set(name, value)
		}
		shown := make(chan string, 1)
		go func() { shown <- next() }()
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusNoContent {
			t.Errorf("path %q: status %d", path, answer.StatusCode)
		}
		if line := <-shown; !strings.Contains(line, want) || !strings.Contains(line, "17") {
			t.Errorf("path %q: shown %q, want it under %s", path, line, want)
		}
	}
	stop()
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}
