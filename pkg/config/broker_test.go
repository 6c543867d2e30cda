package config_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestParseBroker(t *testing.T) {
	tests := []struct {
		name string
		data map[string]string
		want config.Broker
		// wantKeys are the keys that the error names.
		wantKeys []string
	}{
		{name: "nothing"},
		{name: "comments and examples", data: map[string]string{"_example": "replicas: 2"}},
		{name: "replicas", data: map[string]string{"replicas": "3"}, want: config.Broker{Log: route.Log{Replicas: 3}}},
		{name: "a value as YAML's | leaves it", data: map[string]string{"replicas": " 3\n"}, want: config.Broker{Log: route.Log{Replicas: 3}}},
		{name: "storage", data: map[string]string{"storage": "memory"}, want: config.Broker{Log: route.Log{Memory: true}}},
		{name: "bytes", data: map[string]string{"max-bytes": "1Gi"}, want: config.Broker{Log: route.Log{MaxBytes: 1 << 30}}},
		{name: "durations in both ways", data: map[string]string{"history": "PT1H", "dedup-window": "90s"},
			want: config.Broker{Log: route.Log{History: time.Hour, DedupWindow: 90 * time.Second}}},
		{name: "counts", data: map[string]string{"max-consumers": "5", "max-in-flight": "7"},
			want: config.Broker{Log: route.Log{MaxConsumers: 5}, MaxInFlight: 7}},
		{name: "limits of the dead letters", data: map[string]string{"dead-letter-max-bytes": "1Mi", "dead-letter-max-age": "P7D"},
			want: config.Broker{Log: route.Log{DeadLetterMaxBytes: 1 << 20, DeadLetterMaxAge: 7 * 24 * time.Hour}}},
		{name: "a full dead-letter stream", data: map[string]string{"dead-letter-when-full": "discard-oldest"}, want: config.Broker{Log: route.Log{DiscardOldLetters: true}}},
		{name: "a full dead-letter stream, as by default", data: map[string]string{"dead-letter-when-full": "hold"}},
		{name: "placement", data: map[string]string{"placement-cluster": "east", "placement-tags": "ssd, zone:a"},
			want: config.Broker{Log: route.Log{Placement: route.Placement{Cluster: "east", Tags: "ssd,zone:a"}}}},
		{name: "all that is wrong at once", data: map[string]string{"replicas": "2", "storage": "disk", "max-bytes": "-1", "history": "-PT1S",
			"dedup-window": "long", "max-consumers": "0", "max-in-flight": "10001", "dead-letter-max-bytes": "many", "dead-letter-max-age": "59s", "dead-letter-when-full": "drop", "placement-cluster": "", "placement-tags": "a,,b", "odd": "1"},
			wantKeys: append(config.BrokerKeys(), "odd")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := config.ParseBroker(tt.data)
			if !reflect.DeepEqual(got, tt.want) || (err != nil) != (len(tt.wantKeys) > 0) {
				t.Fatalf("got %+v, %v", got, err)
			}
			for _, key := range tt.wantKeys {
				if !strings.Contains(err.Error(), `key "`+key+`"`) {
					t.Errorf("%v does not name %s", err, key)
				}
			}
		})
	}
}

func TestChannelTemplateIsNoConfig(t *testing.T) {
	_, err := config.ParseBroker(map[string]string{config.ChannelTemplateKey: "kind: InMemoryChannel", "odd": "1"})
	if !errors.Is(err, config.ErrChannelTemplate) {
		t.Errorf("%v", err)
	}
}

func FuzzParseBroker(f *testing.F) {
	f.Add("replicas", "3")
	f.Add("max-bytes", "1e999999999")
	f.Add("placement-tags", ",")
	f.Fuzz(func(t *testing.T, key, value string) {
		got, err := config.ParseBroker(map[string]string{key: value})
		log := got.Log
		if err == nil && (log.MaxBytes < 0 || log.Replicas < 0 || log.History < 0 || log.DedupWindow < 0 || log.DeadLetterMaxBytes < 0 || log.DeadLetterMaxAge < 0 || log.MaxConsumers < 0 || got.MaxInFlight < 0) {
			t.Errorf("%q=%q: %+v", key, value, got)
		}
	})
}
