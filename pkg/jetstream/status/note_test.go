package status

import (
	"errors"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/handles"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// TestAnAddressSaysThatItIsPaused though it has no target: by an annotation, which goes first, or by a
// handle. One that is paused already stays paused since then.
func TestAnAddressSaysThatItIsPaused(t *testing.T) {
	c := jstest.Connect(t, natstest.Start(t, nil))
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now := began
	c.Timing().Now = func() time.Time { return now }
	ctx := jstest.Context(t)
	jstest.Must(t, buckets.Ensure(ctx, c))
	channel := route.Key{Kind: route.KindChannel, Namespace: "shop", Name: "orders"}
	of := handles.Named{Of: route.KindChannel, Namespace: "shop", Name: "orders"}
	put := func(annotation string) func() error {
		return func() error {
			_, err := owner.New(c, "files", time.Minute).PutAddress(ctx, route.Address{Key: channel, Log: route.Log{MaxBytes: 1 << 20}, Paused: annotation})
			return err
		}
	}
	for hours, step := range []struct {
		name   string
		do     func() error
		paused string
		since  int // hours after the first step
		handle bool
	}{
		{"nobody has", put(""), "", 0, false},
		{"the command", func() error { _, err := handles.New(c).Pause(ctx, of, "it moves"); return err }, "it moves", 1, true},
		{"the file too", put("an audit"), "an audit", 2, false},
		{"the file, for another reason", put("a new audit"), "a new audit", 2, false},
		{"the command alone", put(""), "it moves", 1, true},
		{"the file again", put("an audit"), "an audit", 5, false},
		{"the file alone", func() error { _, err := handles.New(c).Resume(ctx, of); return err }, "an audit", 5, false},
		{"nobody any more", put(""), "", 0, false},
		{"a handle that cannot be read", func() error {
			jstest.Must(t, buckets.EnsureHandles(ctx, c))
			bucket, err := c.JetStream().KeyValue(ctx, buckets.Handles(c))
			jstest.Must(t, err)
			_, err = bucket.PutString(ctx, naming.AddressKey(channel), "odd")
			return err
		}, "", 0, false},
	} {
		now = began.Add(time.Duration(hours) * time.Hour)
		jstest.Must(t, step.do())
		s, err := Read(ctx, c)
		jstest.Must(t, err)
		a, since := s.Addresses[0], time.Time{}
		if step.paused != "" {
			since = began.Add(time.Duration(step.since) * time.Hour)
		}
		if a.Paused != step.paused || !a.PausedSince.Equal(since) || a.PausedByHandle != step.handle {
			t.Errorf("%s: paused %q since %s, by a handle: %t; want %q, %s, %t", step.name, a.Paused, a.PausedSince, a.PausedByHandle, step.paused, since, step.handle)
		}
	}
}

func TestTheReasonOfAnAddressThatIsPaused(t *testing.T) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		name           string
		ready          bool
		reason, paused string
		handle         buckets.Handle
		want           string
	}{
		{"nobody has", true, "", "", buckets.Handle{}, ""},
		{"an annotation", true, "", "an audit", buckets.Handle{}, "paused: an audit"},
		{"a handle", true, "", "", buckets.Handle{Paused: "it moves", Since: since}, "paused since 2026-01-02T03:04:05Z: it moves"},
		{"both", true, "", "an audit", buckets.Handle{Paused: "it moves", Since: since}, "paused: an audit"},
		{"it takes no events besides", true, "no TLS", "an audit", buckets.Handle{}, "no TLS; paused: an audit"},
		{"it is not ready", false, "no ingress", "an audit", buckets.Handle{}, "no ingress"},
		{"a handle that cannot be read", true, "", "", buckets.Handle{Unreadable: errors.New("odd")}, "odd"},
	} {
		a := AddressStatus{Address: route.Address{Paused: test.paused}, Ready: test.ready, Reason: test.reason}
		if a.pause(test.handle); a.Reason != test.want {
			t.Errorf("%s: %q, want %q", test.name, a.Reason, test.want)
		}
	}
}
