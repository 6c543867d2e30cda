package route

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
)

func TestRecordRoundTrip(t *testing.T) {
	limit := 3 * time.Second
	full := target("one")
	full.Target.UID, full.Target.Consumer, full.Target.NotReady, full.Target.MaxInFlight = "uid", "trigger_shop_one", "why", 7
	full.Target.Subscriber = &Destination{URL: "https://a/", CACerts: "pem", Audience: "me"}
	full.Target.DeadLetter, full.Target.DeadLetterCopy = &Destination{URL: "http://b/"}, true
	full.Target.Delivery = delivery.Policy{Retry: 3, Backoff: delivery.LinearBackoff, Delay: time.Second, Timeout: time.Minute, RetryAfterMax: &limit}
	full.Target.Filter = filter.Spec{Filters: []filter.Expression{{Not: &filter.Expression{CESQL: "type = 'a'"}}}}
	swept := tombstone(full)
	utc := swept.DeletedAt.UTC().Round(0)
	swept.DeletedAt, swept.Swept = &utc, true
	log := address("orders")
	log.Address.Log = Log{MaxBytes: 1 << 20, Replicas: 3, Memory: true, History: time.Hour, DedupWindow: time.Minute, MaxConsumers: 9,
		DeadLetterMaxBytes: 1 << 19, DeadLetterMaxAge: 24 * time.Hour, DiscardOldLetters: true}
	log.Address.Notes = []string{"a note"}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	log.Address.Paused, log.Address.PausedSince = "an audit", at
	channel := channel("c", "c.svc", "c.svc.cluster.local")
	channel.Address.Log = Log{Stream: "ORDERS", Subjects: []string{"orders.>"}}
	subscriber := target("one")
	subscriber.Target.Key.Address.Kind, subscriber.Target.Name, subscriber.Target.Reply = KindChannel, "sub", &Destination{URL: "http://c/", CACerts: "pem"}
	subscriber.Target.Start = Start{Policy: StartTime, Sequence: 7, Time: &at}
	subscriber.Target.Stream, subscriber.Target.Subjects = "ORDERS", []string{"orders.>"}
	for name, want := range map[string]Record{"address": log, "target": full, "tombstone": swept, "channel": channel, "subscriber": subscriber} {
		t.Run(name, func(t *testing.T) {
			data, err := want.Encode()
			if err != nil {
				t.Fatal(err)
			}
			got, err := DecodeRecord(data)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s became %+v, error %v", data, got, err)
			}
			if got.Owner() != "tests" {
				t.Errorf("its owner is %q", got.Owner())
			}
		})
	}
}

// A reader refuses a later format, which may change what the record means.
func TestRecordFormat(t *testing.T) {
	data, err := address("orders").Encode()
	if err != nil || !strings.HasPrefix(string(data), `{"format":1,`) {
		t.Errorf("%s, error %v", data, err)
	}
	if _, err := DecodeRecord([]byte(strings.Replace(string(data), `"format":1`, `"format":2`, 1))); !errors.Is(err, ErrRecord) || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("a record of format 2: error %v", err)
	}
}

func TestDecodeRecordRefuses(t *testing.T) {
	for _, data := range []string{"", "{", "[]", "7", `"x"`, "null", "{}", `{"address":null}`, `{"address":{},"target":{}}`, `{"target":7}`, `{"deletedAt":"2026-01-01T00:00:00Z"}`,
		`{"format":2,"address":{}}`} {
		if r, err := DecodeRecord([]byte(data)); !errors.Is(err, ErrRecord) {
			t.Errorf("%q is read as %+v, error %v; want ErrRecord", data, r, err)
		}
	}
	if owner := (Record{}).Owner(); owner != "" {
		t.Errorf("an empty record has the owner %q", owner)
	}
}

// A record of a later version may have fields that this version does not know.
func TestUnknownFieldsAreLeftOut(t *testing.T) {
	r, err := DecodeRecord([]byte(`{"address":{"key":{"kind":"broker","namespace":"a","name":"b"},"owner":"o","colour":"red"},"x":1}`))
	if err != nil || r.Address.Key.Name != "b" {
		t.Errorf("got %+v, error %v", r, err)
	}
}

// A Broker's record has no field that an earlier version does not know, and means the same.
func TestBrokersRecordsAreAsBefore(t *testing.T) {
	for name, r := range map[string]Record{"address": address("orders"), "target": target("one")} {
		data, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{"hosts", "stream", "subjects", "reply", "start", "name\":\"\""} {
			if strings.Contains(string(data), `"`+field) {
				t.Errorf("the %s has %s: %s", name, field, data)
			}
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(`{"address":{"owner":"o"}}`))
	f.Add([]byte(`{"target":{"owner":"o","delivery":{"retry":-1}},"deletedAt":"2026-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := DecodeRecord(data)
		if (err != nil) != errors.Is(err, ErrRecord) {
			t.Errorf("error %v is not ErrRecord", err)
		}
		if err == nil && (r.Address == nil) == (r.Target == nil) {
			t.Errorf("%s is read as %+v", data, r)
		}
		r.Owner()
	})
}
