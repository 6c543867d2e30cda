package manifest

import (
	"fmt"

	eventingconfig "knative.dev/eventing/pkg/apis/config"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// router gives resources their defaults, validates them, and makes their routes.
type router struct {
	options  LoadOptions
	defaults *eventingconfig.Defaults
	// assumed is set when the defaults come from no file.
	assumed  bool
	problems *problems
	brokers  map[route.Key]*eventingv1.Broker
	channels map[route.Key]knownChannel
	out      *Resources
}

func (l *loader) routes() *Resources {
	r := router{
		options:  l.options,
		defaults: l.defaults,
		problems: &l.problems,
		brokers:  map[route.Key]*eventingv1.Broker{},
		channels: map[route.Key]knownChannel{},
		out:      &Resources{},
	}
	r.options.Resolve = l.resolver()
	if r.defaults == nil {
		r.defaults, r.assumed = withoutConfigMap(), true
	}
	for _, b := range l.brokers {
		r.addBroker(b.place, b.resource)
	}
	for _, t := range l.triggers {
		r.addTrigger(t.place, t.resource)
	}
	for _, c := range l.channels {
		r.addChannel(c.place, c.resource)
	}
	for _, s := range l.subscriptions {
		r.addSubscription(s.place, s.resource)
	}
	for _, d := range l.doubtful {
		if !r.isOthers(d) {
			r.problems.all = append(r.problems.all, d.found.all...)
		}
	}
	return r.out
}

func (r *router) addBroker(at place, b *eventingv1.Broker) {
	r.brokers[compile.BrokerKey(b.Namespace, b.Name)] = b
	notes := r.defaultBroker(b)
	errs := b.Validate(upstreamContext(r.defaults))
	class := b.Annotations[compile.ClassAnnotation]
	if class != "" && class != compile.BrokerClass {
		r.ignore(at, "Broker %s/%s is of class %q, not %s", b.Namespace, b.Name, class, compile.BrokerClass)
		return
	}
	address, err := compile.Broker(b, r.options)
	at.fieldProblems(r.problems, fieldError(err), errs)
	address.Notes = append(notes, address.Notes...)
	for _, note := range address.Notes {
		r.note(at, "Broker %s/%s: %s", b.Namespace, b.Name, note)
	}
	r.out.desired.Addresses = append(r.out.desired.Addresses, address)
}

// defaultBroker gives a Broker its defaults and returns what a reader of the file cannot see.
func (r *router) defaultBroker(b *eventingv1.Broker) (notes []string) {
	_, classGiven := b.Annotations[compile.ClassAnnotation]
	deliveryGiven, config := b.Spec.Delivery != nil, b.Spec.Config
	b.SetDefaults(upstreamContext(r.defaults))
	if _, classKnown := b.Annotations[compile.ClassAnnotation]; !classKnown {
		if b.Annotations == nil {
			b.Annotations = map[string]string{}
		}
		b.Annotations[compile.ClassAnnotation] = compile.BrokerClass
	}
	if class := b.Annotations[compile.ClassAnnotation]; !classGiven {
		notes = append(notes, "no class annotation: taken as "+class)
	}
	if r.assumed && !deliveryGiven {
		notes = append(notes, fmt.Sprintf("no spec.delivery and no %s: Knative's default delivery applies (retry 10, exponential, PT0.2S)",
			eventingconfig.DefaultsConfigName))
	}
	if config != nil {
		notes = append(notes, fmt.Sprintf("spec.config (%s %s/%s) is not read: settings are annotations, %s*",
			config.Kind, config.Namespace, config.Name, compile.AnnotationPrefix))
	}
	return notes
}

func (r *router) addTrigger(at place, t *eventingv1.Trigger) {
	t.SetDefaults(upstreamContext(r.defaults))
	errs := validateTrigger(upstreamContext(r.defaults), t)
	name, _ := compile.BrokerName(t) // compile.Trigger has the error
	broker, found := r.brokers[compile.BrokerKey(t.Namespace, name)]
	if found && broker.Annotations[compile.ClassAnnotation] != compile.BrokerClass {
		r.ignore(at, "Trigger %s/%s: Broker %s is of class %q", t.Namespace, t.Name, name, broker.Annotations[compile.ClassAnnotation])
		return
	}
	if !found {
		// The Trigger is checked all the same: its Broker may come with the next change.
		broker = &eventingv1.Broker{}
		broker.Namespace, broker.Name = t.Namespace, name
	}
	target, err := compile.Trigger(t, broker, r.options)
	at.fieldProblems(r.problems, fieldError(err), errs)
	switch {
	case name == "":
		return
	case !found:
		r.ignore(at, "Trigger %s/%s: Broker %s not found", t.Namespace, t.Name, name)
		return
	}
	for _, note := range compile.FilterNotes(t.Spec) {
		r.note(at, "Trigger %s/%s: %s", t.Namespace, t.Name, note)
	}
	if target.NotReady != "" {
		r.note(at, "Trigger %s/%s is not ready: %s", t.Namespace, t.Name, target.NotReady)
	}
	if target.Paused != "" {
		r.note(at, "Trigger %s/%s is paused: %s", t.Namespace, t.Name, target.Paused)
	}
	r.out.desired.Targets = append(r.out.desired.Targets, target)
}

func (r *router) note(at place, format string, args ...any) {
	r.out.desired.Notes = append(r.out.desired.Notes, fmt.Sprintf("%v: ", at)+fmt.Sprintf(format, args...))
}

func (r *router) ignore(at place, format string, args ...any) {
	r.out.Ignored = append(r.out.Ignored, fmt.Sprintf("%v: ", at)+fmt.Sprintf(format, args...)+": ignored")
}
