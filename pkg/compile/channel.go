package compile

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming/foreign"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// ChannelSource is a Channel of whatever kind, as far as routes are made of it.
type ChannelSource struct {
	Namespace, Name string
	UID             types.UID
	// Annotations are the Channel's. Those of ours are settings of its log, as on a Broker, and go before Log.
	Annotations map[string]string
	// Log is what the Channel's spec says of its log, all of it: Options.Defaults are for a Channel without one.
	Log *route.Log
	// Hosts are the names under which it is served beside its path.
	Hosts []string
	// Delivery is for subscribers that have no delivery spec of their own.
	Delivery *eventingduckv1.DeliverySpec
	// Start is where new subscribers begin.
	Start route.Start
	// MaxInFlight is for its subscribers; 0 leaves it to Options.Defaults.
	MaxInFlight int
	// Paused is why its subscribers are paused; empty when they are not.
	Paused string
	// DeadLetterCopy keeps the dead letters of its subscribers that a sink gets.
	DeadLetterCopy bool
}

// ChannelKey is the address that a Channel becomes.
func ChannelKey(namespace, name string) route.Key {
	return route.Key{Kind: route.KindChannel, Namespace: namespace, Name: name}
}

// Channel makes the address of a Channel. A dead letter sink that is not resolved is a note, not an error. What is wrong with the log
// is at spec.stream, where NatsJetStreamChannel has it.
func Channel(c ChannelSource, o Options) (route.Address, error) {
	address := route.Address{Key: ChannelKey(c.Namespace, c.Name), UID: string(c.UID), Owner: o.Owner, Log: o.Defaults.Log, Paused: c.Paused}
	if c.Log != nil {
		address.Log = *c.Log
	}
	for _, host := range c.Hosts {
		address.Hosts = append(address.Hosts, strings.ToLower(host))
	}
	errs := apply(c.Annotations, "Channel", addressSettings(&address.Log))
	errs = errs.Also(checkStream(address.Log).ViaField("spec", "stream"))
	_, err := compilePolicy(c.Delivery)
	errs = errs.Also(err.ViaField("spec", "delivery"))

	sink, err := locate(sinkOf(c.Delivery), c.Namespace, o.Resolve)
	errs = errs.Also(err.ViaField("spec", "delivery", "deadLetterSink"))
	address.DeadLetter = sink.to
	if sink.unresolved != "" {
		address.Notes = append(address.Notes, "dead letter sink "+sink.unresolved)
	}
	if errs != nil {
		return route.Address{}, errs
	}
	return address, nil
}

func checkStream(log route.Log) (errs *apis.FieldError) {
	if log.Stream != "" && !foreign.LegalStream(log.Stream) {
		errs = errs.Also(apis.ErrInvalidValue(log.Stream, "overrideName", "is not a stream's name"))
	}
	if err := foreign.CheckSubjects(log.Subjects); err != nil {
		errs = errs.Also(&apis.FieldError{Message: err.Error(), Paths: []string{"config.additionalSubjects"}})
	}
	return errs
}
