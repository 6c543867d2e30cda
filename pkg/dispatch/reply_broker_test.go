package dispatch

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// TestRepliedIsCalledForStoredReplies: once for each, however often the store failed before.
func TestRepliedIsCalledForStoredReplies(t *testing.T) {
	for _, test := range []struct {
		name       string
		subscriber host
		storeFails int
		want       []string
	}{
		{name: "202 without a reply", subscriber: status(202)},
		{name: "200 with a reply", subscriber: binaryReply(200), want: []string{"t r"}},
		{name: "200 with a text", subscriber: answer(200, "ok")},
		{name: "200 with a reply, stored at the third try", subscriber: binaryReply(200), storeFails: 2, want: []string{"t r"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL] = test.subscriber
				w.faults["reply"] = test.storeFails
				w.publish(target("t"), "e")
				var mu sync.Mutex
				var replied []string
				p := newProcess(w)
				pool, err := NewPool(Config{Opener: p, Store: p, Sender: p, Replied: func(from route.Target, reply event.Event) {
					mu.Lock()
					defer mu.Unlock()
					replied = append(replied, from.Key.Name+" "+reply.Attr(event.ID))
				}})
				if err != nil {
					t.Fatal(err)
				}
				defer drainNow(pool)
				pool.Sync(t.Context(), []route.Target{target("t")})
				w.awaitSettled(t, target("t"))
				mu.Lock()
				defer mu.Unlock()
				if !slices.Equal(replied, test.want) {
					t.Errorf("called for %v, want %v", replied, test.want)
				}
			})
		})
	}
}

// TestLogStaysFull: an event whose reply finds no room is given up after maxNoRoom deliveries, parked in
// between, and the retries of the policy.
func TestLogStaysFull(t *testing.T) {
	for _, test := range []struct {
		name         string
		policy       delivery.Policy
		wantRequests int
	}{
		{"without retries", delivery.Policy{}, maxNoRoom + 1},
		{"with retries", threeRetries, maxNoRoom + 1 + threeRetries.Retry},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL] = binaryReply(200)
				tt := withPolicy(target("t"), test.policy)
				w.publish(tt, "e")
				p := newProcess(w)
				pool, err := NewPool(Config{Opener: p, Store: refusingStore{p, ErrNoRoom}, Sender: p})
				if err != nil {
					t.Fatal(err)
				}
				defer drainNow(pool)
				pool.Sync(t.Context(), []route.Target{tt})
				<-time.After(time.Hour)
				synctest.Wait()
				if n := w.delivered(subscriberURL)["e"]; n != test.wantRequests {
					t.Errorf("%d requests in an hour, want %d", n, test.wantRequests)
				}
				checkDeadLetter(t, w, "*", 502, test.policy.Retry+1)
			})
		})
	}
}

// TestRefusedReply: a delivery whose reply the log refuses has failed, and ends as a dead letter.
func TestRefusedReply(t *testing.T) {
	for _, test := range []struct {
		name                   string
		err                    error
		wantCode, wantAttempts int
	}{
		{"502: too large", ErrReplyRefused, http.StatusBadGateway, 4},
		{"403: nobody may send", ErrReplyForbidden, http.StatusForbidden, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL] = binaryReply(200)
				tt := withPolicy(target("t"), threeRetries)
				w.publish(tt, "e")
				p := newProcess(w)
				pool, err := NewPool(Config{Opener: p, Store: refusingStore{p, test.err}, Sender: p})
				if err != nil {
					t.Fatal(err)
				}
				defer drainNow(pool)
				pool.Sync(t.Context(), []route.Target{tt})
				w.awaitSettled(t, tt)
				checkDeadLetter(t, w, "*", test.wantCode, test.wantAttempts)
			})
		})
	}
}

// refusingStore refuses every reply with err.
type refusingStore struct {
	*process
	err error
}

func (s refusingStore) Reply(context.Context, route.Target, Work, event.Event) error {
	return fmt.Errorf("for a test: %w", s.err)
}
