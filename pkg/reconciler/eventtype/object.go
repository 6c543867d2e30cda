package eventtype

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"knative.dev/eventing/pkg/apis/eventing/v1beta3"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
)

// description is upstream's, by which its users tell such objects from those that people make.
const description = "Event Type auto-created by controller"

// objectOf makes the EventType that stands for the record. It says what upstream's Broker says of such an event
// (knative.dev/eventing pkg/eventtype/eventtypes.go), and has our label besides.
func objectOf(r eventtype.Record, o owners) *v1beta3.EventType {
	owner, reference := o.of()
	label, uid := o.label()
	return &v1beta3.EventType{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       reference.Namespace,
			Name:            nameOf(r, reference.Name),
			Labels:          map[string]string{label: string(uid)},
			OwnerReferences: []metav1.OwnerReference{owner},
		},
		Spec: v1beta3.EventTypeSpec{
			Reference:   reference,
			Description: description,
			Attributes: []v1beta3.EventAttributeDefinition{
				{Name: "type", Value: r.Type, Required: true},
				{Name: "source", Value: r.Source, Required: true},
				{Name: "schemadata", Value: r.Schema, Required: true},
				{Name: "specversion", Value: r.SpecVersion, Required: true},
				{Name: "id", Required: true},
			},
		},
	}
}

// nameOf is "et-", the owner's name and a hash, as upstream's. The hash is that of the record's key, which knows more than
// upstream's: a Broker and a Trigger may have the same name, and one that was deleted the name of its successor.
func nameOf(r eventtype.Record, owner string) string {
	key := r.Key()
	hash := key[strings.LastIndexByte(key, '.')+1:]
	room := validation.DNS1123SubdomainMaxLength - len("et-") - len("-") - len(hash)
	return "et-" + strings.TrimRight(owner[:min(len(owner), room)], "-.") + "-" + hash
}
