package config_test

import (
	"slices"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
)

// Both configurations lead to the port that the controller's pods serve the webhook at, and match nothing until the controller
// says what: a wider rule would have the API server ask us about what is not ours.
func TestWebhookIsFoundAndMatchesNothingElse(t *testing.T) {
	services := map[string]*corev1.Service{}
	var asked []admissionregistrationv1.WebhookClientConfig
	for _, o := range load(t) {
		switch w := o.value.(type) {
		case *corev1.Service:
			services[w.Name] = w
		case *admissionregistrationv1.MutatingWebhookConfiguration:
			if len(w.Webhooks) != 1 || w.Webhooks[0].Name != w.Name || len(w.Webhooks[0].Rules) > 0 {
				t.Errorf("%s: %+v", w.Name, w.Webhooks)
			}
			asked = append(asked, w.Webhooks[0].ClientConfig)
		case *admissionregistrationv1.ValidatingWebhookConfiguration:
			if len(w.Webhooks) != 1 || w.Webhooks[0].Name != w.Name || len(w.Webhooks[0].Rules) > 0 {
				t.Errorf("%s: %+v", w.Name, w.Webhooks)
			}
			asked = append(asked, w.Webhooks[0].ClientConfig)
		}
	}
	if len(asked) != 2 {
		t.Fatalf("%d webhooks", len(asked))
	}
	for _, a := range asked {
		service := services[a.Service.Name]
		if service == nil || a.Service.Namespace != systemNamespace || service.Spec.Ports[0].Port != 443 || len(a.CABundle) > 0 {
			t.Errorf("%+v", a.Service)
			continue
		}
		port := service.Spec.Ports[0].TargetPort.StrVal
		if !slices.ContainsFunc(workloads(t), func(w workload) bool {
			return slices.ContainsFunc(w.pod.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool { return p.Name == port })
		}) {
			t.Errorf("no pod has the port %q", port)
		}
	}
}

// The controller reads and writes the one Secret that its webhook needs, watches Knative's with the keys of RequestReplies, and touches no other.
func TestSecretsAreNamed(t *testing.T) {
	secrets := map[string]bool{}
	for _, o := range load(t) {
		if s, ok := o.value.(*corev1.Secret); ok {
			secrets[s.Name] = true
			if len(s.Data)+len(s.StringData) > 0 {
				t.Errorf("%s holds something", s.Name)
			}
		}
	}
	found := 0
	for _, o := range load(t) {
		for _, rule := range rulesOf(o.value) {
			if !slices.Contains(rule.Resources, "secrets") {
				continue
			}
			_, namespaced := o.value.(*rbacv1.Role)
			found++
			watched := slices.Equal(rule.ResourceNames, []string{requestreply.Secret}) && slices.Equal(rule.Verbs, []string{"list", "watch"})
			if !namespaced || len(rule.ResourceNames) != 1 || !watched && !secrets[rule.ResourceNames[0]] {
				t.Errorf("%s: %s may %v %v", o.file, o.meta.GetName(), rule.Verbs, rule.ResourceNames)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d rules about Secrets", found)
	}
}

// Whoever can write any webhook's configuration can read what every client sends.
func TestWebhookConfigurationsAreWrittenByName(t *testing.T) {
	for _, o := range load(t) {
		for _, rule := range rulesOf(o.value) {
			if !strings.HasSuffix(rule.Resources[0], "webhookconfigurations") {
				continue
			}
			writes := slices.ContainsFunc(rule.Verbs, func(verb string) bool { return verb != "list" && verb != "watch" })
			if writes && len(rule.ResourceNames) != 2 {
				t.Errorf("%s: %+v", o.meta.GetName(), rule)
			}
		}
	}
}

func rulesOf(value any) []rbacv1.PolicyRule {
	switch r := value.(type) {
	case *rbacv1.ClusterRole:
		return r.Rules
	case *rbacv1.Role:
		return r.Rules
	}
	return nil
}
