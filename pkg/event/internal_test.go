package event

import (
	"mime"
	"net/url"
	"strings"
	"testing"
)

// FuzzPercent checks that decoding undoes encoding, and that encoded values are printable ASCII
// without spaces.
func FuzzPercent(f *testing.F) {
	for _, seed := range []string{"", "plain", `"quoted"`, "100%", "%41", "Euro € 😀", "\r\n", "\xff\x00", `"a\"b"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		encoded := encodeValue(value)
		for i := range len(encoded) {
			if c := encoded[i]; c <= ' ' || c > '~' || c == '"' {
				t.Fatalf("%q holds %q", encoded, c)
			}
		}
		if decoded, ok := decodePercent(unquote(encoded)); decoded != value || !ok {
			t.Fatalf("got %q, want %q", decoded, value)
		}
	})
}

// FuzzShortcuts compares the checks that save allocations with the standard library.
func FuzzShortcuts(f *testing.F) {
	for _, seed := range []string{"/a/b", "http://h:80/", "urn:x", "a:b:c", "1:b", ":", "//", "#", "?", "http://[", "a/b:c",
		"text/plain", "text/plain; charset=utf-8", "text/", "a/b/c", "/", "x; charset=utf-8", "//a=b&c?d#e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if isSimpleReference(value) {
			u, err := url.Parse(value)
			if err != nil || strings.TrimSpace(u.String()) == "" {
				t.Errorf("%q: taken for a simple reference, the library has %v, error %v", value, u, err)
			}
		}
		if _, _, err := mime.ParseMediaType(value); isMediaType(value) != (err == nil && !hasControl(value)) {
			t.Errorf("%q: isMediaType is %v, the library says %v", value, isMediaType(value), err)
		}
	})
}

func TestCommonValuesCostNoAllocation(t *testing.T) {
	for _, source := range []string{"/a/b", "https://example.com/x?y=1#z", "urn:example-x", "//host/p", "dev.knative.eventing"} {
		if !isSimpleReference(source) {
			t.Errorf("%q takes the long way", source)
		}
	}
	allocations := testing.AllocsPerRun(10, func() {
		for _, contentType := range []string{"application/json", "application/vnd.x+xml", "text/plain; charset=UTF-8"} {
			if !isMediaType(contentType) {
				t.Errorf("%q is refused", contentType)
			}
		}
	})
	if allocations != 0 {
		t.Errorf("usual media types cost %v allocations", allocations)
	}
}
