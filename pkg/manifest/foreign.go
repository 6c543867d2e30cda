package manifest

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"knative.dev/eventing/pkg/apis/eventing"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/apis/messaging"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// apiVersions are the kinds that are read.
func apiVersions() map[string]string {
	return map[string]string{
		"Broker":       eventingv1.SchemeGroupVersion.String(),
		"Trigger":      eventingv1.SchemeGroupVersion.String(),
		"Channel":      messagingv1.SchemeGroupVersion.String(),
		"Subscription": messagingv1.SchemeGroupVersion.String(),
		"ConfigMap":    corev1.SchemeGroupVersion.String(),
	}
}

// wrongHeader is what is wrong with a header that says neither of a kind that is read nor of somebody else's.
type wrongHeader struct {
	// field is the one of the header that is wrong.
	field string
	err   error
}

// judge tells whether a resource is read. One of another API group is somebody else's: not read, and no problem. In the groups whose
// Brokers and Channels are served here, every kind that would change what is delivered, and by whose leave, is a problem: a file that
// asks for an EventPolicy must not run without it.
func (h header) judge() (read bool, wrong *wrongHeader) {
	want, known := apiVersions()[h.kind]
	group, _, named := strings.Cut(h.apiVersion, "/")
	if !named {
		group = ""
	}
	wantGroup, _, _ := strings.Cut(want, "/")
	switch {
	case known && h.apiVersion == want:
		return true, nil
	case known && (group == "" || group == wantGroup || strings.Contains(strings.ToLower(group), "knative")):
		return false, &wrongHeader{"apiVersion", fmt.Errorf("unknown apiVersion %q of a %s: want %s", h.apiVersion, h.kind, want)}
	case group != eventing.GroupName && group != messaging.GroupName, h.isOthers(group):
		return false, nil
	}
	return false, &wrongHeader{"kind", h.unknownKind()}
}

// isOthers knows the kinds in our groups that others implement, and without which our own deliver the same: EventTypes only describe; the
// others are addresses, which a reference does not find.
func (h header) isOthers(group string) bool {
	if group == messaging.GroupName {
		return h.kind != compile.ChannelKind && strings.HasSuffix(h.kind, "Channel") && h.kind != "Channel"
	}
	return slices.Contains([]string{"EventType", "EventTransform", "KafkaSink"}, h.kind)
}

func (h header) unknownKind() error {
	if h.kind == compile.ChannelKind {
		return fmt.Errorf("unknown kind %q: in files it is a Channel (%s), with its settings as annotations, %s*", h.kind,
			messagingv1.SchemeGroupVersion, compile.AnnotationPrefix)
	}
	if slices.Contains([]string{"EventPolicy", "RequestReply"}, h.kind) {
		return fmt.Errorf("kind %q has no effect without a cluster, and is not passed by, as events would go other ways than with it", h.kind)
	}
	return fmt.Errorf("unknown kind %q: known are %s", h.kind, strings.Join(slices.Sorted(maps.Keys(apiVersions())), ", "))
}

// isKustomization tells of the file in which kustomize lists the others in a folder. It need not say what it is.
func isKustomization(path string) bool {
	return slices.Contains([]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}, filepath.Base(path))
}

// metadata is what a document that is not decoded says of itself.
type metadata struct {
	namespace, name, class string
}

func (doc document) metadata() metadata {
	meta := field(doc.root, "metadata")
	return metadata{
		namespace: text(field(meta, "namespace")), name: text(field(meta, "name")),
		class: text(field(field(meta, "annotations"), compile.ClassAnnotation)),
	}
}

// String is how the resource is called in a note.
func (m metadata) String() string {
	if m.namespace == "" {
		return m.name
	}
	return m.namespace + "/" + m.name
}

// maxMerged bounds what the merge keys of one mapping bring in while a field is looked for: there can be maxItems mappings.
const maxMerged = 1000

// field is the value of a mapping's key, merge keys followed; nil when it is not there, or n is no mapping.
func field(n *yaml.Node, name string) *yaml.Node {
	n = followed(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	d := &decoder{problems: &problems{}, nodes: maxNodes - maxMerged}
	for _, p := range d.pairs(n, reflect.TypeFor[map[string]any](), "") {
		if p.name == name {
			return followed(p.value)
		}
	}
	return nil
}

func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// followed is what an alias stands for.
func followed(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// maxItems bounds the resources in all lists, which aliases can make many of a few.
const maxItems = 20_000

var errManyItems = errors.New("the lists are too deep or hold too many items")

// isList tells of a list of resources, as kubectl get prints them. Its items may leave out what they are if it is a list of one kind.
func (doc document) isList(h header) bool {
	_, known := apiVersions()[h.kind]
	return h.kind == "List" || !known && strings.HasSuffix(h.kind, "List") && field(doc.root, "items") != nil
}

// takeItems takes each item of a list as a document of its own.
func (l *loader) takeItems(doc document, list header) {
	items := field(doc.root, "items")
	if items == nil || items.Kind == yaml.ScalarNode && items.ShortTag() == "!!null" {
		return
	}
	if items.Kind != yaml.SequenceNode {
		l.problems.add(doc.file, items.Line, fmt.Errorf("items: must be a list, not %s", shown(items)))
		return
	}
	for _, item := range items.Content {
		if l.items++; l.items > maxItems || doc.depth >= maxDepth {
			if !l.manyItems {
				l.manyItems = true
				l.problems.add(doc.file, item.Line, errManyItems)
			}
			return
		}
		one := document{file: doc.file, root: followed(item), depth: doc.depth + 1}
		if kind := strings.TrimSuffix(list.kind, "List"); kind != "" {
			one.implied = header{list.apiVersion, kind}
		}
		l.take(one)
	}
}
