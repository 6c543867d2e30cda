package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestValid(t *testing.T) {
	for _, body := range []string{
		``, ` `, `null`, ` true `, `false`, `nul`, `nulll`, `0`, `-0`, `01`, `-`, `1.`, `.5`, `1.5e`, `1E+07`, `1e-`, `0x1`, `+1`, `Infinity`,
		`""`, `"`, `"\"`, `"\\"`, `"\u00e9\uD800"`, `"\u00g0"`, `"\u00"`, `"\x"`, "\"\t\"", "\"\x7f\xff\"", `"a"b`,
		`[]`, `[ ]`, `[1]`, `[1,]`, `[,1]`, `[1 2]`, `[1,[2,{"a":[]}]]`, `[`, `]`, `[}`, `{]`,
		`{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":1,"b":{"c":null}}`, `{1:2}`, `{"a":1]`, `{"a",1}`,
		"\xef\xbb\xbf{}", "{}\x00", "\x00", `{} {}`,
		strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999), strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000),
		strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001), strings.Repeat(`{"a":`, 10_001), strings.Repeat("[", 1<<20),
	} {
		if got, want := Valid([]byte(body)), json.Valid([]byte(body)); got != want {
			t.Errorf("%.40q: %t, want %t", body, got, want)
		}
	}
}

func FuzzValidAgreesWithEncodingJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1,-2.5e+3,"\u00e9\\\"",{}],"b":null , "c":[true,false]}`))
	f.Add([]byte(`[[[]],{"":{}}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if got, want := Valid(body), json.Valid(body); got != want {
			t.Errorf("%q: %t, want %t", body, got, want)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	body := []byte(`{"specversion":"1.0","data":{"text":"` + strings.Repeat("x", 64<<10) + `"}}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		Valid(body)
	}
}

func BenchmarkValidEncodingJSON(b *testing.B) {
	body := []byte(`{"specversion":"1.0","data":{"text":"` + strings.Repeat("x", 64<<10) + `"}}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		json.Valid(body)
	}
}
