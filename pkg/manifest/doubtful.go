package manifest

import (
	"cmp"
	"slices"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// doubtful is a Trigger or Subscription that cannot be decoded. That is a problem unless its Broker or Channel is another's, which is
// known only once all files are read.
type doubtful struct {
	document
	header header
	found  problems
}

// decodeLater is decodeAs, but keeps what cannot be decoded for later.
func decodeLater[T any](l *loader, doc document, h header) (*T, place, bool) {
	var found problems
	into, at, ok := decodeAs[T](doc, &found)
	if !ok {
		l.doubtful = append(l.doubtful, doubtful{doc, h, found})
	}
	return into, at, ok
}

// isOthers passes by what belongs to another's Broker or Channel.
func (r *router) isOthers(d doubtful) bool {
	meta, spec, at := d.metadata(), field(d.root, "spec"), newPlace(d.file, d.root.Line)
	meta.namespace = cmp.Or(meta.namespace, defaultNamespace)
	if d.header.kind == "Subscription" {
		channel := field(spec, "channel")
		kind, name := text(field(channel, "kind")), text(field(channel, "name"))
		if slices.Contains(channelKinds(), kind) {
			kind = r.channels[compile.ChannelKey(meta.namespace, name)].kind
		}
		if kind != "" {
			r.ignore(at, "Subscription %v: its channel is a %s", meta, kind)
		}
		return kind != ""
	}
	name := cmp.Or(text(field(spec, "broker")), text(field(field(spec, "brokerRef"), "name")))
	broker, found := r.brokers[compile.BrokerKey(meta.namespace, name)]
	if !found || broker.Annotations[compile.ClassAnnotation] == compile.BrokerClass {
		return false
	}
	r.ignore(at, "Trigger %v: Broker %s is of class %q", meta, name, broker.Annotations[compile.ClassAnnotation])
	return true
}
