package daemon

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestReplyKeysFollowTheirSecret(t *testing.T) {
	const key = "shop.orders.key"
	folder := filepath.Join(t.TempDir(), "not yet there")
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
			awaitKeys(t, k, map[string]string{key: value})
		}
	})
}

func awaitKeys(t *testing.T, k *ReplyKeys, want map[string]string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for !maps.Equal(k.current(), want) {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("it has %v, want %v", k.current(), want)
		}
	}
}
