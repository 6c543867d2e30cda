package ingress

import (
	"cmp"
	"errors"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestAddressKey(t *testing.T) {
	rows := []struct {
		path            string
		kind            route.Kind // the zero one is a Broker's
		namespace, name string
		wantErr         error
	}{
		{path: "/ns/name", namespace: "ns", name: "name"},
		{path: "/ns/name/", namespace: "ns", name: "name"},
		{path: "/channels/name", namespace: "channels", name: "name"},
		{path: "/a/" + strings.Repeat("n", 63), namespace: "a", name: strings.Repeat("n", 63)},
		{path: "", wantErr: ErrNoPath},
		{path: "/", wantErr: ErrNoPath},
		{path: "//", wantErr: ErrMalformedPath},
		{path: "/ns", wantErr: ErrMalformedPath},
		{path: "/ns/", wantErr: ErrMalformedPath},
		{path: "/ns//", wantErr: ErrMalformedPath},
		{path: "//name", wantErr: ErrMalformedPath},
		{path: "/ns/name//", wantErr: ErrMalformedPath},
		{path: "/ns/name/more", wantErr: ErrMalformedPath},
		{path: "ns/name", wantErr: ErrMalformedPath},
		{path: "*", wantErr: ErrMalformedPath},
		{path: "/channels", wantErr: ErrMalformedPath},
		{path: "/channels/", wantErr: ErrMalformedPath},
		{path: "/channels//name", wantErr: ErrMalformedPath},
		{path: "/channels/ns//", wantErr: ErrMalformedPath},
		{path: "/channels/ns/name/more", wantErr: ErrMalformedPath},
		{path: "/channels/ns/name", kind: route.KindChannel, namespace: "ns", name: "name"},
		{path: "/channels/ns/name/", kind: route.KindChannel, namespace: "ns", name: "name"},
		{path: "/channels/channels/channels", kind: route.KindChannel, namespace: "channels", name: "channels"},
	}
	for _, row := range rows {
		t.Run(row.path, func(t *testing.T) {
			got, err := addressKey(row.path)
			if !errors.Is(err, row.wantErr) {
				t.Fatalf("error %v, want %v", err, row.wantErr)
			}
			want := route.Key{Kind: cmp.Or(row.kind, route.KindBroker), Namespace: row.namespace, Name: row.name}
			if err == nil && got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// The host is compared in lower case, without port and final dot.
func TestHostName(t *testing.T) {
	for host, want := range map[string]string{
		"a.b.svc": "a.b.svc", "A.b.SVC:80": "a.b.svc", "a.b.svc.": "a.b.svc", "a.b.svc.:8080": "a.b.svc", "": "", ":80": "", "localhost": "localhost",
	} {
		if got := hostName(host); got != want {
			t.Errorf("%q became %q, want %q", host, got, want)
		}
	}
}

// Any path stands for at most one address. An address has one path, with or without a trailing
// slash.
func FuzzAddressKey(f *testing.F) {
	for _, seed := range []string{"", "/", "/a/b", "/a/b/", "/a/b//", "//", "/channels/a/b", "/%2F/b", "a/b", "/a/b/c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		key, err := addressKey(path)
		if err != nil {
			return
		}
		if key.Namespace == "" || key.Name == "" || strings.Contains(key.Namespace+key.Name, "/") {
			t.Fatalf("%q gave %q", path, key)
		}
		if canonical := key.Path(); path != canonical && path != canonical+"/" {
			t.Fatalf("%q is not %q", path, canonical)
		}
	})
}
