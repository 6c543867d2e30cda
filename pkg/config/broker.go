package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// ChannelTemplateKey is what upstream's own Broker class reads from its ConfigMap. A Broker gets such a ConfigMap from the
// cluster's defaults when nobody chose one for our class, so it means that nothing is configured.
const ChannelTemplateKey = "channel-template-spec"

// ErrChannelTemplate means that a ConfigMap belongs to a Broker class that is built from Channels, and says nothing to us.
var ErrChannelTemplate = errors.New("the ConfigMap configures a Broker that is made of Channels")

// Broker is what a Broker's ConfigMap says. An annotation of the Broker itself, or of a Trigger, goes before it.
type Broker struct {
	Log route.Log
	// MaxInFlight is for Triggers that ask for none; 0 when the ConfigMap is silent.
	MaxInFlight int
}

// ParseBroker reads the data of a Broker's ConfigMap. Keys that begin with an underscore are examples and comments.
// Errors: ErrChannelTemplate; else all keys that are wrong, each with what its value must be.
func ParseBroker(data map[string]string) (Broker, error) {
	if _, ok := data[ChannelTemplateKey]; ok {
		return Broker{}, ErrChannelTemplate
	}
	var out Broker
	settings := brokerSettings(&out)
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if strings.HasPrefix(key, "_") {
			continue
		}
		set, known := settings[key]
		if !known {
			errs = append(errs, fmt.Errorf("key %q is unknown (known: %s)", key, strings.Join(BrokerKeys(), ", ")))
			continue
		}
		if err := set(strings.TrimSpace(data[key])); err != nil {
			errs = append(errs, fmt.Errorf("key %q: %w", key, err))
		}
	}
	if len(errs) > 0 {
		return Broker{}, errors.Join(errs...)
	}
	return out, nil
}

func brokerSettings(b *Broker) map[string]Setting {
	settings := LogSettings(&b.Log)
	maps.Copy(settings, TargetSettings(&b.MaxInFlight))
	settings["placement-cluster"] = func(v string) (err error) { b.Log.Placement.Cluster, err = parsePlacementName(v); return err }
	settings["placement-tags"] = func(v string) (err error) { b.Log.Placement.Tags, err = parsePlacementTags(v); return err }
	return settings
}

// BrokerKeys are the keys that a Broker's ConfigMap may have, sorted.
func BrokerKeys() []string { return slices.Sorted(maps.Keys(brokerSettings(&Broker{}))) }
