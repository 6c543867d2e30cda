package display

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for _, test := range []struct{ name, value, keep, want string }{
		{"plain", "order.created", "", "order.created"},
		{"other scripts", "Zürich 東京 🚀", "", "Zürich 東京 🚀"},
		{"clear screen", "a\x1b[2Jb", "", `a\x1b[2Jb`},
		{"line break", "a\nb\rc", "", `a\nb\rc`},
		{"C1 control", "a\u009bb", "", `a\u009bb`},
		{"right to left override", "a\u202eb", "", `a\u202eb`},
		{"not UTF-8", "a\xffb", "", `a\xffb`},
		{"the replacement character itself", "a\ufffdb", "", "a\ufffdb"},
		{"kept", "a\tb\x00", "\t", "a\tb\\x00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Escape(test.value, test.keep); got != test.want {
				t.Errorf("Escape(%q) = %q, want %q", test.value, got, test.want)
			}
		})
	}
}

func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", "plain", "\x1b]0;title\a", "a\xc3\x28b", "\u202e\u2066", "\U000e0001"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		escaped := Escape(value, "")
		if !utf8.ValidString(escaped) {
			t.Fatalf("Escape(%q) = %q is not UTF-8", value, escaped)
		}
		for _, r := range escaped {
			if !unicode.IsPrint(r) {
				t.Fatalf("Escape(%q) = %q still holds %U", value, escaped, r)
			}
		}
	})
}
