package cesql_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
)

// likeBySpec follows the text of the specification, however long it takes.
func likeBySpec(text, pattern string) bool {
	if pattern == "" {
		return text == ""
	}
	_, size := utf8.DecodeRuneInString(text)
	switch {
	case pattern[0] == '%':
		return likeBySpec(text, pattern[1:]) || size > 0 && likeBySpec(text[size:], pattern)
	case pattern[0] == '_':
		return size > 0 && likeBySpec(text[size:], pattern[1:])
	case strings.HasPrefix(pattern, `\%`) || strings.HasPrefix(pattern, `\_`):
		pattern = pattern[1:]
	}
	_, patternSize := utf8.DecodeRuneInString(pattern)
	return size > 0 && text[:size] == pattern[:patternSize] && likeBySpec(text[size:], pattern[patternSize:])
}

func likes(t testing.TB, text, pattern string) bool {
	t.Helper()
	// In these patterns no backslash comes before a quote.
	return compile(t, "text LIKE '"+pattern+"'").Matches(attributes("text", text))
}

func TestLike(t *testing.T) {
	for _, test := range []struct {
		text, pattern string
		want          bool
	}{
		{"dir/100%", "dir/%", true},
		{"dir/%41bc", "dir/%", true},
		{"%%", "%", true},
		{"50% off", `%\% off`, true},
		{"50 off", `%\% off`, false},
		{`a\b`, `a\b`, true},
		{`a\%`, `a\%`, false},
		{"a%", `a\%`, true},
		{`a\\b`, `a\\b`, true},
		{`a\b`, `a\\b`, false},
		{`\\%`, `\\%`, false},
		{`\%`, `\\%`, true},
		{"é", "_", true},
		{"é", "__", false},
		{"日本語", "_本_", true},
		{"日本語", "%_本%", true},
		{"x日本語", "%_語", true},
		{"", "", true},
		{"", "%", true},
		{"", "%%", true},
		{"", "_", false},
		{"a", "", false},
		{"aab", "%ab", true},
		{"ab", "%ab%ab", false},
		{"abab", "%ab%ab", true},
		{"aba", "ab%ba", false},
		{"ABC", "abc", false},
		{"aXbXc", "a_b%_c", true},
		{"abc.d\nef", "abc%ef", true},
	} {
		if got := likes(t, test.text, test.pattern); got != test.want {
			t.Errorf("%q LIKE %q: got %v", test.text, test.pattern, got)
		}
		if got := likeBySpec(test.text, test.pattern); got != test.want {
			t.Errorf("%q LIKE %q by the specification: got %v", test.text, test.pattern, got)
		}
	}
}

// likesAsSpecified draws from few characters, so that patterns often match.
func likesAsSpecified(t *rapid.T) {
	text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "é", "%", "_", `\`}), 0, 12).Draw(t, "text"), "")
	pattern := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "é", "%", "_", `\%`, `\_`, `\a`}), 0, 8).Draw(t, "pattern"), "")
	x, err := cesql.Compile("text LIKE '"+pattern+"'", untyped())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := x.Matches(attributes("text", text)), likeBySpec(text, pattern); got != want {
		t.Errorf("%q LIKE %q: got %v", text, pattern, got)
	}
}

func TestLikeIsAsSpecified(t *testing.T) {
	for range 50 {
		rapid.Check(t, likesAsSpecified)
	}
}

// TestLikeDoesNotBacktrack would not end if the matcher tried every place for each %, and would be
// slow if it compared a segment anew at every place.
func TestLikeDoesNotBacktrack(t *testing.T) {
	text := strings.Repeat("a", 64<<10)
	for _, pattern := range []string{
		strings.Repeat("%a", 5000) + "%b",
		"%" + strings.Repeat("a", 10_000) + "b%",
		"%" + strings.Repeat("a_", 5000) + "b%",
		"%" + strings.Repeat("_", 10_000) + "b",
		strings.Repeat("%a_", 4000) + "b%",
	} {
		if likes(t, text, pattern) {
			t.Errorf("%.20s matches", pattern)
		}
		if !likes(t, text+"b", pattern) {
			t.Errorf("%.20s does not match", pattern)
		}
	}
}

// TestLikeAcrossWords has segments that fill the words of the search's state, and longer ones.
func TestLikeAcrossWords(t *testing.T) {
	for _, length := range []int{2, 3, 63, 64, 65, 127, 128, 129, 200} {
		segment := strings.Repeat("ab", length)[:length-1]
		for text, want := range map[string]bool{
			"ab" + segment + "xc": true, segment + "é": true, segment: false, "b" + segment[:length/2]: false,
		} {
			if got := likes(t, text, "%"+segment+"_%"); got != want {
				t.Errorf("%d characters in %q: got %v", length, text, got)
			}
		}
	}
}
