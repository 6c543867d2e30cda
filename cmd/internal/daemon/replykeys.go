package daemon

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
)

// replyKeysEvery is how often keys are read if nothing reports changes. Replies wait for new keys.
const replyKeysEvery = time.Second

// ReplyKeys are the keys of Knative's RequestReplies, as the mounted Secret has them.
type ReplyKeys struct {
	folder config.Folder
	held   atomic.Pointer[map[string]string]
	log    *slog.Logger
}

// NewReplyKeys reads the keys. A missing folder has none: then no reply matches.
func NewReplyKeys(folder string, log *slog.Logger) *ReplyKeys {
	k := &ReplyKeys{folder: config.Folder(folder), log: log}
	k.held.Store(&map[string]string{})
	k.apply(k.folder.Read())
	return k
}

// Functions returns the CESQL function that checks a reply's id with the keys.
func (k *ReplyKeys) Functions() []cesql.Function {
	return []cesql.Function{requestreply.Function(k.current)}
}

// Follow reads the keys again whenever they have changed, until ctx ends.
func (k *ReplyKeys) Follow(ctx context.Context) {
	k.folder.FollowClosely(ctx, replyKeysEvery, k.current(), k.apply)
}

func (k *ReplyKeys) current() map[string]string { return *k.held.Load() }

// apply takes over the keys. If they cannot be read the last ones stay.
func (k *ReplyKeys) apply(held map[string]string, err error) {
	if err != nil {
		k.log.Error("the keys of RequestReplies cannot be read; they stay as they were", "error", err)
		return
	}
	var added []string
	for name := range held {
		if _, known := k.current()[name]; !known {
			added = append(added, name)
		}
	}
	k.held.Store(&held)
	if slices.Sort(added); len(added) > 0 {
		k.log.Info("new keys of RequestReplies are read", "keys", added)
	}
}
