package filter

import (
	"net/url"
	"testing"
)

// FuzzPrintedURI holds the short way against the long one.
func FuzzPrintedURI(f *testing.F) {
	for _, value := range []string{"", "/", "//", "///a", "/a//b", "a/b", "http://", "http:///a", "https://Host/a", "http://-", "HTTP://a", "a:b", "/é", "./a", "http://a_b~c"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		want := value
		if u, err := url.Parse(value); err == nil {
			want = u.String()
		}
		if got := printedURI(value); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	})
}
