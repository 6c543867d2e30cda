package delivery_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
)

func TestFailureAttributes(t *testing.T) {
	long := bytes.Repeat([]byte("0123456789"), 200)
	for _, test := range []struct {
		name                         string
		destination                  string
		code                         int
		body                         []byte
		wantDest, wantCode, wantData string
	}{
		{name: "whole", destination: "https://a.b.svc/c?d=e", code: 422, body: []byte("hi"),
			wantDest: "https://a.b.svc/c?d=e", wantCode: "422", wantData: "aGk="},
		{name: "no body", destination: "http://a/", code: 500, wantDest: "http://a/", wantCode: "500"},
		{name: "no response", destination: "http://a/", wantDest: "http://a/", wantCode: "500"},
		{name: "upstream's no response", destination: "http://a/", code: -1, wantDest: "http://a/", wantCode: "500"},
		{name: "long body", destination: "http://a/", code: 500, body: long,
			wantDest: "http://a/", wantCode: "500", wantData: base64.StdEncoding.EncodeToString(long[:768])},
		{name: "secrets stay here", destination: "http://user:secret@a/b", code: 500, wantDest: "http://a/b", wantCode: "500"},
		{name: "secrets of another scheme", destination: "ftp://user:secret@a/b", code: 500, wantDest: "http://a/", wantCode: "500"},
		{name: "host only", destination: "//a", code: 500, wantDest: "http://a/", wantCode: "500"},
		{name: "not a URL", destination: "http://user:sec ret@a", code: 500, wantDest: "http:///", wantCode: "500"},
		{name: "empty", code: 500, wantDest: "http:///", wantCode: "500"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := map[string]string{}
			for _, a := range delivery.FailureAttributes(test.destination, test.code, test.body) {
				got[a.Name] = a.Value
			}
			if got[delivery.ErrorDest] != test.wantDest {
				t.Errorf("destination %q, want %q", got[delivery.ErrorDest], test.wantDest)
			}
			if got[delivery.ErrorCode] != test.wantCode {
				t.Errorf("code %q, want %q", got[delivery.ErrorCode], test.wantCode)
			}
			data, ok := got[delivery.ErrorData]
			if data != test.wantData || ok != (test.wantData != "") {
				t.Errorf("data %q (%t), want %q", data, ok, test.wantData)
			}
			if len(data) > 1024 {
				t.Errorf("data has %d characters", len(data))
			}
		})
	}
}
