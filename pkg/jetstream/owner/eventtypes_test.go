package owner

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

func seenAt(source string) eventtype.Record {
	return eventtype.Of(brokerOf("orders", 0), jstest.Event("1", "made").With(event.Source, source))
}

// followEventTypes sends the keys of all records, now and later, until the test ends.
func followEventTypes(t *testing.T, c *jetstream.Client) <-chan string {
	t.Helper()
	keys, ended := make(chan string, 100), make(chan error, 1)
	ctx := t.Context()
	go func() { ended <- buckets.NewEventTypes(c).WatchEventTypes(ctx, func(key string) { keys <- key }) }()
	t.Cleanup(func() { <-ended })
	return keys
}

func nextKey(t *testing.T, keys <-chan string) string {
	t.Helper()
	select {
	case key := <-keys:
		return key
	case <-time.After(jstest.Patience):
		t.Fatal("no key comes")
		return ""
	}
}

func TestEventTypesGoThroughTheBucket(t *testing.T) {
	t.Parallel()
	c := dial(t, natstest.Start(t, nil))
	first, second := seenAt("/one"), seenAt("/two").RepliedBy(route.Target{UID: "t", Key: route.TargetKey{Namespace: "shop", Name: "billing"}})
	if err := routes.NewEventTypes(c).PutEventType(jstest.Context(t), first); !errors.Is(err, natsjs.ErrBucketNotFound) {
		t.Errorf("without a bucket: error %v", err)
	}
	if _, found, err := buckets.NewEventTypes(c).EventType(jstest.Context(t), first.Key()); found || err != nil {
		t.Errorf("without a bucket: found %v, error %v", found, err)
	}
	if err := buckets.NewEventTypes(c).WatchEventTypes(jstest.Context(t), func(string) {}); !errors.Is(err, natsjs.ErrBucketNotFound) {
		t.Errorf("without a bucket: error %v", err)
	}
	jstest.Must(t, buckets.NewEventTypes(c).EnsureEventTypes(jstest.Context(t)))
	jstest.Must(t, buckets.NewEventTypes(c).EnsureEventTypes(jstest.Context(t)))

	jstest.Must(t, routes.NewEventTypes(c).PutEventType(jstest.Context(t), first))
	keys := followEventTypes(t, c)
	if key := nextKey(t, keys); key != first.Key() {
		t.Errorf("first %s", key)
	}
	jstest.Must(t, routes.NewEventTypes(c).PutEventType(jstest.Context(t), second))
	if key := nextKey(t, keys); key != second.Key() {
		t.Errorf("second %s", key)
	}
	jstest.Must(t, routes.NewEventTypes(c).PutEventType(jstest.Context(t), second))
	if key := nextKey(t, keys); key != second.Key() {
		t.Errorf("again %s", key)
	}
	have, found, err := buckets.NewEventTypes(c).EventType(jstest.Context(t), second.Key())
	if err != nil || !found || have.Record != second || time.Since(have.At) > jstest.Patience {
		t.Errorf("%+v, found %v, error %v", have, found, err)
	}
	if _, found, err := buckets.NewEventTypes(c).EventType(jstest.Context(t), seenAt("/none").Key()); found || err != nil {
		t.Errorf("a key of nothing: found %v, error %v", found, err)
	}
}

// What stands at the key of another, or is no record, is told from one that is not there.
func TestAnEventTypeThatCannotBeRead(t *testing.T) {
	t.Parallel()
	c := dial(t, natstest.Start(t, nil))
	jstest.Must(t, buckets.NewEventTypes(c).EnsureEventTypes(jstest.Context(t)))
	bucket, err := c.JetStream().KeyValue(jstest.Context(t), c.Names().EventTypesBucket())
	jstest.Must(t, err)
	stray, err := seenAt("/two").Encode()
	jstest.Must(t, err)
	for what, value := range map[string][]byte{"no JSON": []byte("{"), "another's": stray} {
		_, err := bucket.Put(jstest.Context(t), seenAt("/one").Key(), value)
		jstest.Must(t, err)
		if _, found, err := buckets.NewEventTypes(c).EventType(jstest.Context(t), seenAt("/one").Key()); found || !errors.Is(err, eventtype.ErrRecord) {
			t.Errorf("%s: found %v, error %v", what, found, err)
		}
	}
}

func TestTheEventTypesBucketIsBounded(t *testing.T) {
	t.Parallel()
	c := dial(t, natstest.Start(t, nil))
	jstest.Must(t, buckets.NewEventTypes(c).EnsureEventTypes(jstest.Context(t)))
	stream, err := c.JetStream().Stream(jstest.Context(t), "KV_"+c.Names().EventTypesBucket())
	jstest.Must(t, err)
	config := stream.CachedInfo().Config
	if config.MaxBytes != buckets.EventTypesBytes || config.MaxAge != eventtype.RecordTTL || config.MaxMsgsPerSubject != 1 || config.MaxMsgSize != buckets.EventTypeBytes {
		t.Errorf("%+v", config)
	}
	// The longest record that a recorder lets through, with names as long as Kubernetes takes them, is taken.
	name := strings.Repeat(strings.Repeat("n", 62)+".", 4) + "n"
	address := route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: name[:63], Name: name}, UID: strings.Repeat("u", 36)}
	long := eventtype.Of(address, jstest.Event("1", "t").With(event.Source, strings.Repeat("<", eventtype.MaxTextBytes-len("t1.0")))).
		RepliedBy(route.Target{UID: address.UID, Key: route.TargetKey{Namespace: name[:63], Name: name}})
	jstest.Must(t, routes.NewEventTypes(c).PutEventType(jstest.Context(t), long))

	config.MaxBytes = 20 << 10
	_, err = c.JetStream().UpdateStream(jstest.Context(t), config)
	jstest.Must(t, err)
	put := func(n int) error {
		return routes.NewEventTypes(c).PutEventType(jstest.Context(t), seenAt(fmt.Sprintf("/%d/%s", n, strings.Repeat("s", 500))))
	}
	n := 0
	for err = put(n); err == nil && n < 100; n++ {
		err = put(n)
	}
	if err == nil || n < 2 {
		t.Fatalf("it is full after %d more: %v", n, err)
	}
	if _, found, err := buckets.NewEventTypes(c).EventType(jstest.Context(t), long.Key()); !found || err != nil {
		t.Errorf("a full bucket drops what it holds: found %v, error %v", found, err)
	}
}

func TestAWatchOfEventTypesEndsWithItsBucket(t *testing.T) {
	t.Parallel()
	c := dial(t, natstest.Start(t, nil), brisk)
	jstest.Must(t, buckets.NewEventTypes(c).EnsureEventTypes(jstest.Context(t)))
	jstest.Must(t, routes.NewEventTypes(c).PutEventType(jstest.Context(t), seenAt("/one")))
	seen, ended := make(chan string, 10), make(chan error, 1)
	go func() {
		ended <- buckets.NewEventTypes(c).WatchEventTypes(jstest.Context(t), func(key string) { seen <- key })
	}()
	nextKey(t, seen)
	jstest.Must(t, c.JetStream().DeleteKeyValue(jstest.Context(t), c.Names().EventTypesBucket()))
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it does not say why")
		}
	case <-time.After(jstest.Patience):
		t.Error("it goes on")
	}
}

// The least that ingress and filter need to record event types, and what they can't do with it.
func TestRecordingNeedsNoMoreThanWriting(t *testing.T) {
	t.Parallel()
	bucket := "kn_eventtypes"
	s := natstest.Start(t, func(o *server.Options) {
		o.Users = []*server.User{
			{Username: "owner", Password: "o"},
			{Username: "filter", Password: "f", Permissions: &server.Permissions{
				Publish: &server.SubjectPermission{Allow: []string{
					"$JS.API.INFO", "$JS.API.STREAM.INFO.KV_" + bucket, "$KV." + bucket + ".>",
				}},
				Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
			}},
		}
	})
	as := func(user string) *jetstream.Client {
		names, err := naming.New(naming.DefaultPrefix)
		jstest.Must(t, err)
		url := strings.Replace(s.URL(), "//", "//"+user+"@", 1)
		c, err := jetstream.Connect(jetstream.Options{URL: url, Names: names, Logger: slog.New(slog.DiscardHandler)})
		jstest.Must(t, err)
		t.Cleanup(func() { kill(c) })
		jstest.Must(t, c.Wait(jstest.Context(t)))
		return c
	}
	owner, filter := as("owner:o"), as("filter:f")
	jstest.Must(t, buckets.Ensure(jstest.Context(t), owner))
	jstest.Must(t, buckets.NewEventTypes(owner).EnsureEventTypes(jstest.Context(t)))
	jstest.Must(t, routes.NewEventTypes(filter).PutEventType(jstest.Context(t), seenAt("/one")))
	if _, found, err := buckets.NewEventTypes(owner).EventType(jstest.Context(t), seenAt("/one").Key()); !found || err != nil {
		t.Errorf("found %v, error %v", found, err)
	}
	routes, err := owner.JetStream().KeyValue(jstest.Context(t), owner.Names().RoutesBucket())
	jstest.Must(t, err)
	jstest.Must(t, filter.Conn().Publish("$KV."+owner.Names().RoutesBucket()+".address.broker.shop.x", []byte("{}")))
	jstest.Must(t, filter.Conn().Flush())
	if _, err := routes.Get(jstest.Context(t), "address.broker.shop.x"); !errors.Is(err, natsjs.ErrKeyNotFound) {
		t.Errorf("a route was written: error %v", err)
	}
}
