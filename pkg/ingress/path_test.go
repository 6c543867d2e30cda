package ingress

import (
	"errors"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestBrokerKey(t *testing.T) {
	rows := []struct {
		path            string
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
		{path: "/channels/ns/name", wantErr: ErrChannelPath},
		{path: "/channels/ns/name/", wantErr: ErrChannelPath},
	}
	for _, row := range rows {
		t.Run(row.path, func(t *testing.T) {
			got, err := brokerKey(row.path)
			if !errors.Is(err, row.wantErr) {
				t.Fatalf("error %v, want %v", err, row.wantErr)
			}
			want := route.Key{Kind: route.KindBroker, Namespace: row.namespace, Name: row.name}
			if err == nil && got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// Whatever a path is, it names no Broker or exactly one, and only with or without one trailing slash.
func FuzzBrokerKey(f *testing.F) {
	for _, seed := range []string{"", "/", "/a/b", "/a/b/", "/a/b//", "//", "/channels/a/b", "/%2F/b", "a/b", "/a/b/c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		key, err := brokerKey(path)
		if err != nil {
			return
		}
		if key.Namespace == "" || key.Name == "" || strings.Contains(key.Namespace+key.Name, "/") {
			t.Fatalf("%q gave %q", path, key)
		}
		if canonical := "/" + key.Namespace + "/" + key.Name; path != canonical && path != canonical+"/" {
			t.Fatalf("%q is not %q", path, canonical)
		}
	})
}
