package manifest

import (
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	eventingconfig "knative.dev/eventing/pkg/apis/config"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// defaultNamespace is where a resource without a namespace lives, as with kubectl.
const defaultNamespace = "default"

// LoadOptions say how resources become routes.
type LoadOptions = compile.Options

// Load reads the resources in the files and directories. Of a directory these are the *.yaml, *.yml and *.json files that are
// not hidden, without subdirectories; a file may hold many documents. Any problem with any file makes the whole an
// error, which joins one *FileError for each problem, twenty at most.
//
// What is somebody else's is no problem: it is left out and Resources.Ignored says so. That is every resource of another API group, a
// Broker of another class or a Channel of another type, a Trigger or Subscription whose Broker or Channel is such a one or is not
// there, every ConfigMap but config-br-defaults, and what kustomize reads.
func Load(paths []string, o LoadOptions) (*Resources, error) { return LoadWith(nil, paths, o) }

// LoadWith is Load where a path "-" means what standardInput holds.
func LoadWith(standardInput io.Reader, paths []string, o LoadOptions) (*Resources, error) {
	in := readInput(paths, standardInput)
	resources, err := load(read(paths, in), o)
	if err != nil {
		return nil, err
	}
	resources.paths, resources.input = paths, in
	return resources, nil
}

func load(sources []source, o LoadOptions) (*Resources, error) {
	l := loader{options: o, homes: map[string]place{}}
	for _, s := range sources {
		if isKustomization(s.path) {
			l.ignored = append(l.ignored, s.path+": is for kustomize: ignored")
			continue
		}
		for _, doc := range documents(s, &l.problems) {
			l.take(doc)
		}
	}
	resources := l.routes()
	resources.Ignored = append(l.ignored, resources.Ignored...)
	if err := l.problems.err(); err != nil {
		return nil, err
	}
	resources.options, resources.digest = o, digestOf(sources)
	return resources, nil
}

// located is a resource and its home.
type located[T any] struct {
	place
	resource T
}

// loader gathers the resources of all files before any gets its defaults: config-br-defaults may come last.
type loader struct {
	options  LoadOptions
	problems problems
	defaults *eventingconfig.Defaults
	brokers  []located[*eventingv1.Broker]
	triggers []located[*eventingv1.Trigger]

	channels      []located[*messagingv1.Channel]
	subscriptions []located[*messagingv1.Subscription]
	// homes finds names that are taken.
	homes map[string]place
	// doubtful are Triggers and Subscriptions that cannot be decoded.
	doubtful []doubtful
	// ignored are lines about what is not read.
	ignored []string
	// items counts those of all lists; manyItems is set once that is too many.
	items     int
	manyItems bool
}

func (l *loader) take(doc document) {
	h, ok := doc.header(&l.problems)
	if !ok {
		return
	}
	if doc.isList(h) {
		l.takeItems(doc, h)
		return
	}
	read, wrong := h.judge()
	switch {
	case wrong != nil:
		l.problems.add(doc.file, doc.lineOf(wrong.field), wrong.err)
	case !read:
		l.ignore(doc, h, fmt.Sprintf("(%s) is somebody else's", h.apiVersion))
	default:
		l.decode(doc, h)
	}
}

func (l *loader) ignore(doc document, h header, why string) {
	l.ignored = append(l.ignored, fmt.Sprintf("%v: %s %v %s: ignored", newPlace(doc.file, doc.root.Line), h.kind, doc.metadata(), why))
}

// decode decodes a document of a kind that is read.
func (l *loader) decode(doc document, h header) {
	switch h.kind {
	case "Broker":
		b, at, ok := l.decodeBroker(doc)
		if ok && l.claim("Broker", &b.ObjectMeta, at) {
			l.brokers = append(l.brokers, located[*eventingv1.Broker]{at, b})
		}
	case "Trigger":
		t, at, ok := decodeLater[eventingv1.Trigger](l, doc, h)
		if ok && l.claim("Trigger", &t.ObjectMeta, at) {
			l.triggers = append(l.triggers, located[*eventingv1.Trigger]{at, t})
		}
	case "Channel":
		c, at, ok := decodeAs[messagingv1.Channel](doc, &l.problems)
		if ok && l.claim("Channel", &c.ObjectMeta, at) {
			l.channels = append(l.channels, located[*messagingv1.Channel]{at, c})
		}
	case "Subscription":
		s, at, ok := decodeLater[messagingv1.Subscription](l, doc, h)
		if ok && l.claim("Subscription", &s.ObjectMeta, at) {
			l.subscriptions = append(l.subscriptions, located[*messagingv1.Subscription]{at, s})
		}
	case "ConfigMap":
		if doc.metadata().name != eventingconfig.DefaultsConfigName {
			l.ignore(doc, h, "is not "+eventingconfig.DefaultsConfigName)
			return
		}
		cm, at, ok := decodeAs[corev1.ConfigMap](doc, &l.problems)
		if ok && l.claim("ConfigMap", &cm.ObjectMeta, at) {
			l.defaults = readDefaults(cm, at, &l.problems)
		}
	}
}

// decodeBroker takes of a Broker of another class no more than its name when the rest is not what this version of upstream's types can
// say: it is not for us to judge.
func (l *loader) decodeBroker(doc document) (*eventingv1.Broker, place, bool) {
	var found problems
	b, at, ok := decodeAs[eventingv1.Broker](doc, &found)
	if meta := doc.metadata(); !ok && meta.class != "" && meta.class != compile.BrokerClass {
		b = &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{Namespace: meta.namespace, Name: meta.name}}
		b.Annotations = map[string]string{compile.ClassAnnotation: meta.class}
		return b, at, true
	}
	l.problems.all = append(l.problems.all, found.all...)
	return b, at, ok
}

// claim checks a resource's name and takes it. The rules are the API server's: a DNS subdomain in a namespace that is
// a DNS label.
func (l *loader) claim(kind string, meta *metav1.ObjectMeta, at place) bool {
	if meta.Namespace == "" {
		meta.Namespace = defaultNamespace
	}
	problem := func(field, format string, args ...any) bool {
		l.problems.add(at.file, at.at(field), fmt.Errorf(field+": "+format, args...))
		return false
	}
	if meta.Name == "" {
		return problem("metadata.name", "must not be empty")
	}
	if wrong := validation.IsDNS1123Subdomain(meta.Name); len(wrong) > 0 {
		return problem("metadata.name", "%q is not a name: %s", meta.Name, wrong[0])
	}
	if wrong := validation.IsDNS1123Label(meta.Namespace); len(wrong) > 0 {
		return problem("metadata.namespace", "%q is not a namespace: %s", meta.Namespace, wrong[0])
	}
	name := kind + " " + meta.Namespace + "/" + meta.Name
	if kind == "ConfigMap" {
		// There is one for everything; the namespace of Knative's installation means nothing here.
		name = kind + " " + meta.Name
	}
	if first, taken := l.homes[name]; taken {
		return problem("metadata.name", "%s is defined twice, first in %v", name, first)
	}
	l.homes[name] = at
	return true
}
