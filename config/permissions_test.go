package config_test

import (
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

var readOnly = []string{"get", "list", "watch"}

// The data plane's service accounts have no token and no role.
func TestDataPlaneHasNoAccessToTheAPI(t *testing.T) {
	without := map[string]bool{}
	for _, w := range workloads(t) {
		if w.name != "eventing-jetstream-controller" {
			without[w.pod.Spec.ServiceAccountName] = true
			if mounted := w.pod.Spec.AutomountServiceAccountToken; mounted == nil || *mounted {
				t.Errorf("%s mounts a token", w.name)
			}
		}
	}
	for _, o := range load(t) {
		var subjects []rbacv1.Subject
		switch b := o.value.(type) {
		case *rbacv1.ClusterRoleBinding:
			subjects = b.Subjects
		case *rbacv1.RoleBinding:
			subjects = b.Subjects
		}
		for _, s := range subjects {
			if s.Kind != rbacv1.ServiceAccountKind || s.Name != "eventing-jetstream-controller" || s.Namespace != systemNamespace {
				t.Errorf("%s: %s gives %s %s a role", o.file, o.meta.GetName(), s.Kind, s.Name)
			}
		}
	}
	if len(without) != 3 || without[""] || without["default"] {
		t.Errorf("service accounts %v", without)
	}
}

func TestControllerHasLeastPrivilege(t *testing.T) {
	allowed := map[string][]string{
		"brokers": append(slices.Clone(readOnly), "knsubscribe"), "triggers": readOnly, "eventpolicies": readOnly, "configmaps": readOnly,
		"brokers/status": {"update"}, "triggers/status": {"update"}, "events": {"create", "patch"},
		"leases": {"get", "create", "update"}, "eventtypes": {"get", "list", "watch", "create"},
		"natsjetstreamchannels": readOnly, "natsjetstreamchannels/status": {"update"},
		"services":                        append(slices.Clone(readOnly), "create", "update"),
		"secrets":                         append(slices.Clone(readOnly), "update"), // two of them, as another test says
		"pods":                            {"list"},
		"pods/status":                     {"patch"},
		"mutatingwebhookconfigurations":   append(slices.Clone(readOnly), "update"),
		"validatingwebhookconfigurations": append(slices.Clone(readOnly), "update"),
	}
	checked := map[string]bool{}
	check := func(name string, rules []rbacv1.PolicyRule) {
		for _, rule := range rules {
			for _, r := range rule.Resources {
				checked[r] = true
				for _, verb := range rule.Verbs {
					if !slices.Contains(allowed[r], verb) {
						t.Errorf("%s: %s %s", name, verb, r)
					}
				}
			}
		}
	}
	for _, o := range load(t) {
		switch r := o.value.(type) {
		case *rbacv1.ClusterRole:
			if !forKnative(r) {
				check(r.Name, r.Rules)
			}
		case *rbacv1.Role:
			check(r.Name, r.Rules)
		}
	}
	if len(checked) != len(allowed) {
		t.Errorf("%d resources in the rules, %d expected", len(checked), len(allowed))
	}
}

// Pods are of the controller's concern where the filter pods are, and nowhere else.
func TestPodsAreReadInOneNamespace(t *testing.T) {
	found := 0
	for _, o := range load(t) {
		for _, rule := range rulesOf(o.value) {
			if !slices.Contains(rule.Resources, "pods") && !slices.Contains(rule.Resources, "pods/status") {
				continue
			}
			found++
			if role, is := o.value.(*rbacv1.Role); !is || role.Namespace != systemNamespace {
				t.Errorf("%s: %s may %v %v", o.file, o.meta.GetName(), rule.Verbs, rule.Resources)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d rules about pods", found)
	}
}

// forKnative reports whether a role is one that Knative adds to its own; the controller has no part in it.
func forKnative(r *rbacv1.ClusterRole) bool {
	return r.Labels["duck.knative.dev/channelable"] == "true" || r.Labels["duck.knative.dev/addressable"] == "true"
}
