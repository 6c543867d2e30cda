package body_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/body"
	"github.com/eventing-jetstream/eventing-jetstream/test/coded"
)

func TestDecode(t *testing.T) {
	const limit = 64 << 10
	once := coded.Gzip("hello")
	damaged := []byte(once)
	damaged[len(damaged)-6] ^= 1 // its checksum
	for _, test := range []struct {
		name    string
		codings []string
		body    string
		want    string
		wantErr error
	}{
		{"none", nil, "hello", "hello", nil},
		{"identity", []string{"identity"}, "hello", "hello", nil},
		{"gzip", []string{"gzip"}, once, "hello", nil},
		{"x-gzip, upper case", []string{"X-GZIP"}, once, "hello", nil},
		{"in a list", []string{"identity, gzip ,"}, once, "hello", nil},
		{"twice, in a list", []string{"gzip, gzip"}, coded.Gzip(once), "hello", nil},
		{"twice, in two headers", []string{"gzip", "gzip"}, coded.Gzip(once), "hello", nil},
		{"two members", []string{"gzip"}, once + coded.Gzip(" world"), "hello world", nil},
		{"nothing", []string{"gzip"}, "", "", nil},
		{"an empty member", []string{"gzip"}, coded.Gzip(""), "", nil},
		{"as large as allowed", []string{"gzip"}, coded.Gzip(strings.Repeat("x", limit)), strings.Repeat("x", limit), nil},
		{"a byte too many", []string{"gzip"}, coded.Gzip(strings.Repeat("x", limit+1)), "", body.ErrTooLarge},
		{"a bomb", []string{"gzip"}, coded.Gzip(strings.Repeat("x", 64<<20)), "", body.ErrTooLarge},
		{"a bomb in a bomb", []string{"gzip,gzip"}, coded.Gzip(coded.Gzip(strings.Repeat("x", 64<<20))), "", body.ErrTooLarge},
		{"not coded", []string{"gzip"}, "hello", "", body.ErrCoded},
		{"cut off", []string{"gzip"}, once[:len(once)-3], "", body.ErrCoded},
		{"damaged", []string{"gzip"}, string(damaged), "", body.ErrCoded},
		{"something behind", []string{"gzip"}, once + "garbage", "", body.ErrCoded},
		{"another coding", []string{"br"}, "hello", "", body.ErrCoding},
		{"another one below", []string{"deflate, gzip"}, once, "", body.ErrCoding},
		{"too many", []string{"gzip,gzip,gzip,gzip,gzip"}, once, "", body.ErrCoding},
	} {
		t.Run(test.name, func(t *testing.T) {
			grown := 0
			h := http.Header{"Content-Encoding": test.codings}
			decoded, err := body.Decode(h, []byte(test.body), body.Room{Limit: limit, Grow: func(n int) error { grown += n; return nil }})
			if !errors.Is(err, test.wantErr) || string(decoded) != test.want {
				t.Errorf("%d bytes, error %v; want %d and %v", len(decoded), err, len(test.want), test.wantErr)
			}
			if most := 2 * (limit + 1 + 44<<10); grown > most { // two codings, each with a reader
				t.Errorf("%d bytes were asked for, want %d at most", grown, most)
			}
		})
	}
}

func TestDecodingEndsWhenThereIsNoRoom(t *testing.T) {
	errFull := errors.New("full")
	h := http.Header{"Content-Encoding": {"gzip"}}
	_, err := body.Decode(h, []byte(coded.Gzip("hello")), body.Room{Limit: 100, Grow: func(int) error { return errFull }})
	if !errors.Is(err, errFull) {
		t.Errorf("error %v", err)
	}
}
