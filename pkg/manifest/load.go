package manifest

import (
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	eventingconfig "knative.dev/eventing/pkg/apis/config"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"
)

// defaultNamespace is where a resource without a namespace lives, as with kubectl.
const defaultNamespace = "default"

// apiVersions are the kinds that files may hold.
func apiVersions() map[string]string {
	return map[string]string{
		"Broker":       eventingv1.SchemeGroupVersion.String(),
		"Trigger":      eventingv1.SchemeGroupVersion.String(),
		"Channel":      messagingv1.SchemeGroupVersion.String(),
		"Subscription": messagingv1.SchemeGroupVersion.String(),
		"ConfigMap":    corev1.SchemeGroupVersion.String(),
	}
}

// LoadOptions say how resources become routes.
type LoadOptions = compile.Options

// Load reads the resources in the files and directories. Of a directory these are the *.yaml, *.yml and *.json files that are
// not hidden, without subdirectories; a file may hold many documents. Any problem with any file makes the whole an
// error, which joins one *FileError for each problem, twenty at most.
//
// A Broker of another class or a Channel of another type, and a Trigger or Subscription whose Broker or Channel is such a one or is
// not there, is no problem: it is left out and Resources.Ignored says so.
func Load(paths []string, o LoadOptions) (*Resources, error) {
	return load(read(paths), paths, o)
}

func load(sources []source, paths []string, o LoadOptions) (*Resources, error) {
	l := loader{options: o, homes: map[string]place{}}
	for _, s := range sources {
		for _, doc := range documents(s, &l.problems) {
			l.take(doc)
		}
	}
	resources := l.routes()
	if err := l.problems.err(); err != nil {
		return nil, err
	}
	resources.paths, resources.options, resources.digest = paths, o, digestOf(sources)
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
}

func (l *loader) take(doc document) {
	h, ok := doc.header(&l.problems)
	if !ok {
		return
	}
	switch h.kind {
	case "Broker":
		b, at, ok := decodeAs[eventingv1.Broker](doc, &l.problems)
		if ok && l.claim("Broker", &b.ObjectMeta, at) {
			l.brokers = append(l.brokers, located[*eventingv1.Broker]{at, b})
		}
	case "Trigger":
		t, at, ok := decodeAs[eventingv1.Trigger](doc, &l.problems)
		if ok && l.claim("Trigger", &t.ObjectMeta, at) {
			l.triggers = append(l.triggers, located[*eventingv1.Trigger]{at, t})
		}
	case "Channel":
		c, at, ok := decodeAs[messagingv1.Channel](doc, &l.problems)
		if ok && l.claim("Channel", &c.ObjectMeta, at) {
			l.channels = append(l.channels, located[*messagingv1.Channel]{at, c})
		}
	case "Subscription":
		s, at, ok := decodeAs[messagingv1.Subscription](doc, &l.problems)
		if ok && l.claim("Subscription", &s.ObjectMeta, at) {
			l.subscriptions = append(l.subscriptions, located[*messagingv1.Subscription]{at, s})
		}
	case "ConfigMap":
		cm, at, ok := decodeAs[corev1.ConfigMap](doc, &l.problems)
		if ok && l.claim("ConfigMap", &cm.ObjectMeta, at) {
			l.defaults = readDefaults(cm, at, &l.problems)
		}
	}
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
		if meta.Name != eventingconfig.DefaultsConfigName {
			return problem("metadata.name", "the only ConfigMap that is read is %s, not %s", eventingconfig.DefaultsConfigName, meta.Name)
		}
	}
	if first, taken := l.homes[name]; taken {
		return problem("metadata.name", "%s is defined twice, first in %v", name, first)
	}
	l.homes[name] = at
	return true
}
