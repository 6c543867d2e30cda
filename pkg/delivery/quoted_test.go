package delivery_test

import (
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
)

// The reason of a failure has the head of the response's body, in one printable line.
func TestReasonQuotesTheResponse(t *testing.T) {
	policy := delivery.Policy{Retry: 3}
	for name, c := range map[string]struct{ body, want string }{
		"text":                      {"no such table\n", `: "no such table"`},
		"lines":                     {"<html>\r\n <h1>502</h1>\n\n</html>", `: "<html> <h1>502</h1> </html>"`},
		"quotes and controls":       {"a \"b\" \x1b[31m\u202e", `: "a \"b\" \x1b[31m\u202e"`},
		"a long one":                {strings.Repeat("x", 1000), `: "` + strings.Repeat("x", 200) + ` ..."`},
		"a character on the border": {strings.Repeat("x", 199) + "éé", `: "` + strings.Repeat("x", 199) + ` ..."`},
		"nothing":                   {"", ""},
		"blanks":                    {" \n\t", ""},
		"gzip":                      {"\x1f\x8b\x08\x00\x00", ""},
		"another charset":           {"caf\xe9", ""},
	} {
		got := policy.Decide(0, delivery.Result{StatusCode: 503, Body: []byte(c.body)}).Reason
		if want := "status 503 (Service Unavailable)" + c.want; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	got := policy.Decide(3, delivery.Result{StatusCode: 500, Body: []byte("boom")}).Reason
	if want := `status 500 (Internal Server Error): "boom"; retries used up (3)`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
