package dataplane

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
)

func TestReplyKeysFollowTheirSecret(t *testing.T) {
	const key = "shop.orders.key"
	folder := filepath.Join(t.TempDir(), "not yet there")
	synctest.Test(t, func(t *testing.T) {
		k := NewReplyKeys(folder, slog.New(slog.DiscardHandler))
		if len(k.current()) > 0 {
			t.Errorf("it starts with %v", k.current())
		}
		follows(t, k.Follow, func() {
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, value := range []string{"first", "second"} {
				put(t, folder, key, value)
				look()
				if want := map[string]string{key: value}; !maps.Equal(k.current(), want) {
					t.Errorf("it has %v, want %v", k.current(), want)
				}
			}
		})
	})
}
