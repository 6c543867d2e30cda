// Package config_test checks the YAML in these folders: nothing in it is compiled otherwise.
package config_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const systemNamespace = "knative-eventing"

// object is one document, decoded into its own type.
type object struct {
	file string
	meta metav1.Object
	// value is a pointer to the type.
	value any
}

// newOf makes the type of a kind; a kind that is not here is a failure.
func newOf(kind string) any {
	return map[string]any{
		"v1/Namespace":                                    &corev1.Namespace{},
		"v1/ServiceAccount":                               &corev1.ServiceAccount{},
		"v1/ConfigMap":                                    &corev1.ConfigMap{},
		"v1/Service":                                      &corev1.Service{},
		"v1/Secret":                                       &corev1.Secret{},
		"apps/v1/Deployment":                              &appsv1.Deployment{},
		"apps/v1/StatefulSet":                             &appsv1.StatefulSet{},
		"policy/v1/PodDisruptionBudget":                   &policyv1.PodDisruptionBudget{},
		"autoscaling/v2/HorizontalPodAutoscaler":          &autoscalingv2.HorizontalPodAutoscaler{},
		"rbac.authorization.k8s.io/v1/ClusterRole":        &rbacv1.ClusterRole{},
		"rbac.authorization.k8s.io/v1/ClusterRoleBinding": &rbacv1.ClusterRoleBinding{},
		"rbac.authorization.k8s.io/v1/Role":               &rbacv1.Role{},
		"rbac.authorization.k8s.io/v1/RoleBinding":        &rbacv1.RoleBinding{},
		"admissionregistration.k8s.io/v1/MutatingWebhookConfiguration":   &admissionregistrationv1.MutatingWebhookConfiguration{},
		"admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration": &admissionregistrationv1.ValidatingWebhookConfiguration{},
		"apiextensions.k8s.io/v1/CustomResourceDefinition":               &apiextensionsv1.CustomResourceDefinition{},
	}[kind]
}

// load reads every document of the folders, strictly.
func load(t *testing.T) []object {
	t.Helper()
	var objects []object
	for _, pattern := range []string{"core/*.yaml", "nats/*.yaml", "defaults/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files (%v)", pattern, err)
		}
		for _, file := range files {
			objects = append(objects, loadFile(t, file)...)
		}
	}
	return objects
}

func loadFile(t *testing.T, file string) []object {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var objects []object
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var what metav1.TypeMeta
		if err := yaml.Unmarshal(document, &what); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		value := newOf(what.APIVersion + "/" + what.Kind)
		if value == nil {
			t.Fatalf("%s: %s %s is not expected here", file, what.APIVersion, what.Kind)
		}
		if err := yaml.UnmarshalStrict(document, value); err != nil {
			t.Fatalf("%s: %s: %v", file, what.Kind, err)
		}
		objects = append(objects, object{file: file, meta: value.(metav1.Object), value: value})
	}
}

// workload is what a Deployment and a StatefulSet have in common.
type workload struct {
	name     string
	selector *metav1.LabelSelector
	pod      corev1.PodTemplateSpec
}

func workloads(t *testing.T) []workload {
	t.Helper()
	var found []workload
	for _, o := range load(t) {
		switch w := o.value.(type) {
		case *appsv1.Deployment:
			found = append(found, workload{w.Name, w.Spec.Selector, w.Spec.Template})
		case *appsv1.StatefulSet:
			found = append(found, workload{w.Name, w.Spec.Selector, w.Spec.Template})
		}
	}
	if len(found) != 4 {
		t.Fatalf("%d workloads", len(found))
	}
	return found
}

func configMap(t *testing.T, name string) *corev1.ConfigMap {
	t.Helper()
	for _, o := range load(t) {
		if m, ok := o.value.(*corev1.ConfigMap); ok && m.Name == name {
			return m
		}
	}
	t.Fatalf("no ConfigMap %s", name)
	return nil
}
