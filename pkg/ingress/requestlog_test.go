package ingress

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Failures within a second log one warning; the next warning counts the suppressed ones.
func TestWarningsAreRare(t *testing.T) {
	var lines bytes.Buffer
	log := &requestLog{logger: slog.New(slog.NewTextHandler(&lines, nil))}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/default/orders", nil)
	for range 100 {
		log.refused(r, 400, ErrMalformedPath)
		log.refused(r, 503, ErrUnavailable)
	}
	if got := strings.Count(lines.String(), "\n"); got != 1 || !strings.Contains(lines.String(), "level=WARN") {
		t.Fatalf("%d lines, want one warning: %s", got, lines.String())
	}
	log.lastWarning.Store(0)
	log.refused(r, 503, ErrUnavailable)
	if !strings.Contains(lines.String(), "suppressed=99") {
		t.Errorf("the next warning does not count those left out: %s", lines.String())
	}
}
