package config_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
)

func channelCRD(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	for _, o := range load(t) {
		if crd, ok := o.value.(*apiextensionsv1.CustomResourceDefinition); ok {
			return crd
		}
	}
	t.Fatal("no CRD")
	return nil
}

// What knative/specs wants of a channel's CRD.
func TestChannelIsAChannel(t *testing.T) {
	crd := channelCRD(t)
	for _, label := range []string{"messaging.knative.dev/subscribable", "duck.knative.dev/addressable", "knative.dev/crd-install"} {
		if crd.Labels[label] != "true" {
			t.Errorf("label %s is %q", label, crd.Labels[label])
		}
	}
	names := crd.Spec.Names
	if names.Kind != v1alpha1.Kind || crd.Name != names.Plural+"."+v1alpha1.SchemeGroupVersion.Group || crd.Spec.Scope != apiextensionsv1.NamespaceScoped {
		t.Errorf("%s, %s, %+v", crd.Name, crd.Spec.Scope, names)
	}
	for _, category := range []string{"all", "knative", "messaging", "channel"} {
		if !slices.Contains(names.Categories, category) {
			t.Errorf("it is not in category %s", category)
		}
	}
	version := crd.Spec.Versions[0]
	if len(crd.Spec.Versions) != 1 || version.Name != v1alpha1.SchemeGroupVersion.Version || version.Subresources.Status == nil {
		t.Errorf("versions %+v", crd.Spec.Versions)
	}
	var columns []string
	for _, c := range version.AdditionalPrinterColumns {
		columns = append(columns, c.Name)
	}
	if !slices.Equal(columns, []string{"URL", "Age", "Ready", "Reason", "Ignored"}) {
		t.Errorf("columns %v", columns)
	}
}

func TestChannelSchemaIsStructural(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	var internal apiextensions.JSONSchemaProps
	written := channelCRD(t).Spec.Versions[0].Schema.OpenAPIV3Schema
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(written, &internal, nil); err != nil {
		t.Fatal(err)
	}
	structural, err := schema.NewStructural(&internal)
	if err != nil {
		t.Fatal(err)
	}
	if errs := schema.ValidateStructural(nil, structural); len(errs) > 0 {
		t.Error(errs)
	}
}

// The API server drops what the schema does not know, and our types refuse what they do not: they must be the same.
func TestChannelSchemaIsThatOfTheTypes(t *testing.T) {
	root := channelCRD(t).Spec.Versions[0].Schema.OpenAPIV3Schema
	compareSchema(t, "spec", root.Properties["spec"], reflect.TypeFor[v1alpha1.NatsJetStreamChannelSpec]())
	compareSchema(t, "status", root.Properties["status"], reflect.TypeFor[v1alpha1.NatsJetStreamChannelStatus]())
	if len(root.Properties) != 2 {
		t.Errorf("%d properties", len(root.Properties))
	}
}

func compareSchema(t *testing.T, path string, written apiextensionsv1.JSONSchemaProps, of reflect.Type) {
	t.Helper()
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if want := schemaType(of); written.Type != want {
		t.Errorf("%s is %q, want %q", path, written.Type, want)
	}
	if written.Description == "" && !strings.HasSuffix(path, "[]") {
		t.Errorf("%s has no description", path)
	}
	switch {
	case written.XPreserveUnknownFields != nil:
	case written.Type == "array" && written.Items != nil:
		compareSchema(t, path+"[]", *written.Items.Schema, of.Elem())
	case written.Type == "object":
		fields := map[string]reflect.Type{}
		addFields(fields, of)
		names, documented := slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(written.Properties))
		if !slices.Equal(names, documented) {
			t.Errorf("%s has the fields\n%v, its schema\n%v", path, names, documented)
		}
		for name, property := range written.Properties {
			if fields[name] != nil {
				compareSchema(t, path+"."+name, property, fields[name])
			}
		}
	}
}

func addFields(fields map[string]reflect.Type, of reflect.Type) {
	for i := range of.NumField() {
		f := of.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "" && strings.HasPrefix(options, "inline"):
			addFields(fields, f.Type)
		case name != "-":
			fields[name] = f.Type
		}
	}
}

func schemaType(of reflect.Type) string {
	switch {
	case of == reflect.TypeFor[runtime.RawExtension]():
		return "object"
	case reflect.PointerTo(of).Implements(reflect.TypeFor[json.Marshaler]()):
		return "string"
	}
	switch of.Kind() {
	case reflect.Slice:
		return "array"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint64:
		return "integer"
	}
	return "object"
}

// Knative adds these roles to its own, by their labels.
func TestKnativeMayUseChannels(t *testing.T) {
	want := map[string][]string{
		"duck.knative.dev/channelable": {"create", "delete", "get", "list", "patch", "update", "watch"},
		"duck.knative.dev/addressable": {"get", "list", "watch"},
	}
	for _, o := range load(t) {
		role, ok := o.value.(*rbacv1.ClusterRole)
		if !ok {
			continue
		}
		for label, verbs := range want {
			if role.Labels[label] != "true" {
				continue
			}
			delete(want, label)
			rule := role.Rules[0]
			slices.Sort(rule.Verbs)
			if len(role.Rules) != 1 || !slices.Equal(rule.Verbs, verbs) || !slices.Equal(rule.APIGroups, []string{v1alpha1.SchemeGroupVersion.Group}) ||
				!slices.Equal(rule.Resources, []string{"natsjetstreamchannels", "natsjetstreamchannels/status"}) {
				t.Errorf("%s: %+v", role.Name, role.Rules)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("no role for %v", want)
	}
}
