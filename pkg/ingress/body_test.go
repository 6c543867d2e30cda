package ingress

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReadBodyLimit(t *testing.T) {
	const limit = 1000
	rows := []struct {
		name    string
		size    int
		wantErr bool
	}{
		{"below", limit - 1, false},
		{"at", limit, false},
		{"above", limit + 1, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(strings.Repeat("x", row.size)))
			r.ContentLength = -1
			held := holding{memory: newMemory(DefaultMemory, 1)}
			body, err := readBody(httptest.NewRecorder(), r, limit, &held)
			if row.wantErr != isA[*http.MaxBytesError](err) || !row.wantErr && len(body) != row.size {
				t.Errorf("%d bytes, error %v", len(body), err)
			}
			if held.bytes > limit+1 || held.bytes < int64(len(body)) {
				t.Errorf("it holds %d bytes, want room for %d", held.bytes, len(body))
			}
		})
	}
}
