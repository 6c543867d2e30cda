package ingress

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/body"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// statusRow is an error with its status. TestStatusNamesEverySentinel looks for the name.
type statusRow struct {
	sentinel   string
	err        error
	want       int
	retryAfter bool
}

func statusRows() []statusRow {
	return []statusRow{
		{"ErrNoPath", ErrNoPath, 404, false},
		{"ErrMalformedPath", ErrMalformedPath, 400, false},
		{"ErrUnknownBroker", ErrUnknownBroker, 404, false},
		{"ErrUnknownChannel", ErrUnknownChannel, 404, false},
		{"ErrRefused", ErrRefused, 403, false},
		{"ErrNoHTTPS", ErrNoHTTPS, 404, false},
		{"ErrBusy", ErrBusy, 429, true},
		{"ErrBodyTimeout", ErrBodyTimeout, 408, false},
		{"ErrBody", ErrBody, 400, false},
		{"ErrUnavailable", ErrUnavailable, 503, true},
		{"ErrAttributesTooLarge", ErrAttributesTooLarge, 431, false},
		{"ErrEventTooLarge", ErrEventTooLarge, 413, false},
		{"ErrLogFull", ErrLogFull, 507, true},
		{"LogFullError", &LogFullError{}, 507, true},
		{"event.ErrNotCloudEvent", event.ErrNotCloudEvent, 400, false},
		{"event.ErrMalformed", event.ErrMalformed, 400, false},
		{"event.ErrBatchTooLong", event.ErrBatchTooLong, 413, false},
		{"event.ErrCharset", event.ErrCharset, 415, false},
		{"body.ErrCoding", body.ErrCoding, 415, false},
		{"body.ErrCoded", body.ErrCoded, 400, false},
		{"body.ErrTooLarge", body.ErrTooLarge, 413, false},
		{"event.ErrHopsExhausted", event.ErrHopsExhausted, 400, false},
		{"event.AttributeError", &event.AttributeError{}, 400, false},
		{"event.BatchError", &event.BatchError{Err: errors.New("odd")}, 400, false},
		{"event too large in a batch", &event.BatchError{Err: ErrEventTooLarge}, 413, false},
		{"attributes too large in a batch", &event.BatchError{Err: ErrAttributesTooLarge}, 431, false},
		{"http.MaxBytesError", &http.MaxBytesError{}, 413, false},
		{"publish deadline", context.DeadlineExceeded, 503, true},
		{"client gone", context.Canceled, 503, true},
		{"anything else", errors.New("odd"), 500, false},
	}
}

func TestStatusOfEveryError(t *testing.T) {
	for _, row := range statusRows() {
		for how, err := range map[string]error{
			"bare": row.err, "wrapped": fmt.Errorf("while testing: %w", row.err), "from the store": &storeError{cause: row.err},
		} {
			t.Run(row.sentinel+" "+how, func(t *testing.T) {
				got := answerTo(err)
				if got.status != row.want || (got.retryAfter > 0) != row.retryAfter {
					t.Errorf("status %d, Retry-After %v; want %d, %t", got.status, got.retryAfter, row.want, row.retryAfter)
				}
			})
		}
	}
}

// A sentinel without a row would become a 500. The test reads the sentinels' names from the source.
func TestStatusNamesEverySentinel(t *testing.T) {
	named := map[string]bool{}
	for _, row := range statusRows() {
		named[row.sentinel] = true
	}
	for file, prefix := range map[string]string{"errors.go": "", "../event/errors.go": "event.", "../body/errors.go": "body."} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		ast.Inspect(parsed, func(node ast.Node) bool {
			for _, name := range declared(node) {
				if !isErrorName(name) {
					continue
				}
				found++
				if !named[prefix+name] {
					t.Errorf("%s: %s has no row in statusRows", file, name)
				}
			}
			return true
		})
		if found == 0 {
			t.Errorf("%s declares no errors", file)
		}
	}
}

// declared returns the names that a variable or type declaration introduces.
func declared(node ast.Node) []string {
	var names []string
	switch spec := node.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			names = append(names, name.Name)
		}
	case *ast.TypeSpec:
		names = append(names, spec.Name.Name)
	}
	return names
}

// isErrorName tells exported errors by Go's naming: ErrX for values, XError for types.
func isErrorName(name string) bool {
	return strings.HasPrefix(name, "Err") || strings.HasSuffix(name, "Error") && ast.IsExported(name)
}

func TestPublicTextHidesCauses(t *testing.T) {
	const secret = "nats://user:password@host"
	cause := errors.New(secret)
	holder := route.TargetKey{Namespace: "ns", Name: "slow"}
	rows := []struct {
		name, want string
		err        error
	}{
		{"unavailable", ErrUnavailable.Error(), fmt.Errorf("%w: %w", ErrUnavailable, cause)},
		{"log full", "trigger ns/slow", fmt.Errorf("%w: %w", &LogFullError{Holder: &holder}, cause)},
		{"log full, holder unknown", ErrLogFull.Error(), fmt.Errorf("%w: %w", ErrLogFull, cause)},
		{"unknown", "internal error", cause},
		{"body timeout", ErrBodyTimeout.Error(), fmt.Errorf("%w: %w", ErrBodyTimeout, cause)},
		{"body", ErrBody.Error(), fmt.Errorf("%w: %w", ErrBody, cause)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := publicText(&storeError{cause: row.err})
			if strings.Contains(got, secret) || !strings.Contains(got, row.want) {
				t.Errorf("%q does not say %q, or says more", got, row.want)
			}
		})
	}
}

func TestPublicTextIsBounded(t *testing.T) {
	long := &event.AttributeError{Attribute: strings.Repeat("ä", 5000), Reason: "is odd"}
	if got := publicText(long); len(got) > maxErrorText || got != strings.ToValidUTF8(got, "?") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

func TestBodyErrors(t *testing.T) {
	rows := []struct {
		err  error
		want error
	}{
		{os.ErrDeadlineExceeded, ErrBodyTimeout},
		{io.ErrUnexpectedEOF, ErrBody},
		{io.EOF, ErrBody},
	}
	for _, row := range rows {
		if got := bodyError(row.err); !errors.Is(got, row.want) || !errors.Is(got, row.err) {
			t.Errorf("bodyError(%v) = %v, want it to be %v", row.err, got, row.want)
		}
	}
}
