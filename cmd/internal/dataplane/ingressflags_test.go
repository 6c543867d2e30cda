package dataplane

import "testing"

func TestPublicURL(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"http://host:8080":         "http://host:8080",
		"https://host/behind/":     "https://host/behind",
		"http://host//":            "http://host",
		"host:8080":                "error",
		"ftp://host":               "error",
		"http://":                  "error",
		"http://host/?broker=name": "error",
	} {
		got, err := PublicURL(text)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("PublicURL(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
}
