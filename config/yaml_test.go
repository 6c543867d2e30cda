// Package config_test checks the YAML in these folders: nothing in it is compiled otherwise.
package config_test

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	eventingconfig "knative.dev/eventing/pkg/apis/config"
	"sigs.k8s.io/yaml"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const systemNamespace = "knative-eventing"

var readOnly = []string{"get", "list", "watch"}

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
		"apps/v1/Deployment":                              &appsv1.Deployment{},
		"apps/v1/StatefulSet":                             &appsv1.StatefulSet{},
		"policy/v1/PodDisruptionBudget":                   &policyv1.PodDisruptionBudget{},
		"autoscaling/v2/HorizontalPodAutoscaler":          &autoscalingv2.HorizontalPodAutoscaler{},
		"rbac.authorization.k8s.io/v1/ClusterRole":        &rbacv1.ClusterRole{},
		"rbac.authorization.k8s.io/v1/ClusterRoleBinding": &rbacv1.ClusterRoleBinding{},
		"rbac.authorization.k8s.io/v1/Role":               &rbacv1.Role{},
		"rbac.authorization.k8s.io/v1/RoleBinding":        &rbacv1.RoleBinding{},
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

func TestObjectsAreOurs(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range load(t) {
		kind := reflect.TypeOf(o.value).Elem().Name()
		id := kind + " " + o.meta.GetName()
		if seen[id] {
			t.Errorf("%s: %s is there twice", o.file, id)
		}
		seen[id] = true
		_, isNamespace := o.value.(*corev1.Namespace)
		clusterWide := isNamespace || strings.HasPrefix(kind, "ClusterRole")
		if !clusterWide && o.meta.GetNamespace() != systemNamespace {
			t.Errorf("%s: %s is in namespace %q", o.file, id, o.meta.GetNamespace())
		}
		if !isNamespace && !strings.HasPrefix(o.meta.GetName(), "eventing-jetstream-") && !strings.HasPrefix(o.meta.GetName(), "config-br-") {
			t.Errorf("%s: %s does not have our name", o.file, id)
		}
	}
}

func TestImagesAreBuiltByKo(t *testing.T) {
	for _, w := range workloads(t) {
		for _, c := range w.pod.Spec.Containers {
			path, isKo := strings.CutPrefix(c.Image, "ko://")
			if !isKo {
				t.Errorf("%s: image %s", w.name, c.Image)
			}
			ours, isOurs := strings.CutPrefix(path, "github.com/eventing-jetstream/eventing-jetstream/")
			if _, err := os.Stat(filepath.Join("..", ours, "main.go")); isOurs && err != nil {
				t.Errorf("%s: %v", w.name, err)
			}
		}
	}
}

func TestPodsAreRestricted(t *testing.T) {
	for _, w := range workloads(t) {
		pod := w.pod.Spec.SecurityContext
		if pod == nil || !isTrue(pod.RunAsNonRoot) || pod.SeccompProfile == nil || pod.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: the pod's securityContext is %+v", w.name, pod)
		}
		for _, c := range w.pod.Spec.Containers {
			s := c.SecurityContext
			if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !isTrue(s.ReadOnlyRootFilesystem) ||
				s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
				t.Errorf("%s: the securityContext of %s is %+v", w.name, c.Name, s)
			}
		}
	}
}

func TestPodsAreBounded(t *testing.T) {
	for _, w := range workloads(t) {
		for _, c := range w.pod.Spec.Containers {
			if c.LivenessProbe == nil || c.ReadinessProbe == nil {
				t.Errorf("%s: a probe is missing", w.name)
			}
			limit := c.Resources.Limits.Memory()
			if limit.IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
				t.Errorf("%s: resources %+v", w.name, c.Resources)
			}
			goLimit, err := resource.ParseQuantity(strings.TrimSuffix(envOf(c, "GOMEMLIMIT"), "B"))
			if share := goLimit.AsApproximateFloat64() / limit.AsApproximateFloat64(); err != nil || share < 0.85 || share > 0.93 {
				t.Errorf("%s: GOMEMLIMIT is %.2f of the memory limit (%v)", w.name, share, err)
			}
		}
	}
}

// A pod that is killed in the middle of its drain leaves requests without an answer.
func TestGraceOutlastsTheDrain(t *testing.T) {
	drains := 0
	for _, w := range workloads(t) {
		for _, c := range w.pod.Spec.Containers {
			drain, err := time.ParseDuration(cmp.Or(flagOf(c, "drain"), "0s"))
			if err != nil || drain == 0 {
				continue
			}
			drains++
			delay, err := time.ParseDuration(cmp.Or(flagOf(c, "drain-delay"), "0s"))
			grace := w.pod.Spec.TerminationGracePeriodSeconds
			if err != nil || grace == nil || time.Duration(*grace)*time.Second <= delay+drain {
				t.Errorf("%s: takes %s and %s to end, within %v s (%v)", w.name, delay, drain, grace, err)
			}
		}
	}
	if drains != 2 {
		t.Errorf("%d pods drain, want ingress and filter", drains)
	}
}

// A flag that names a folder nobody mounts reads nothing: credentials, log level and metrics would be ignored in silence.
func TestFoldersAreMounted(t *testing.T) {
	folders := 0
	for _, w := range workloads(t) {
		for _, c := range w.pod.Spec.Containers {
			mounts := map[string]bool{}
			for _, m := range c.VolumeMounts {
				mounts[m.MountPath] = m.ReadOnly
			}
			for _, argument := range c.Args {
				_, folder, _ := strings.Cut(argument, "=")
				if !strings.HasPrefix(folder, "/etc/") {
					continue
				}
				folders++
				if !mounts[folder] {
					t.Errorf("%s: nothing is mounted, read-only, for %s", w.name, argument)
				}
			}
		}
	}
	if folders < 8 {
		t.Errorf("%d folders, want four for ingress and four for filter at least", folders)
	}
}

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
			check(r.Name, r.Rules)
		case *rbacv1.Role:
			check(r.Name, r.Rules)
		}
	}
	if len(checked) != len(allowed) {
		t.Errorf("%d resources in the rules, %d expected", len(checked), len(allowed))
	}
}

// A selector that selects nothing is an object that does nothing.
func TestSelectorsSelect(t *testing.T) {
	pods, names := []labels.Set{}, map[string]bool{}
	for _, w := range workloads(t) {
		pods, names[w.name] = append(pods, w.pod.Labels), true
		if !labels.SelectorFromSet(w.selector.MatchLabels).Matches(labels.Set(w.pod.Labels)) {
			t.Errorf("%s does not select its own pods", w.name)
		}
	}
	for _, o := range load(t) {
		var selector map[string]string
		switch s := o.value.(type) {
		case *corev1.Service:
			selector = s.Spec.Selector
		case *policyv1.PodDisruptionBudget:
			selector = s.Spec.Selector.MatchLabels
		case *autoscalingv2.HorizontalPodAutoscaler:
			if !names[s.Spec.ScaleTargetRef.Name] {
				t.Errorf("%s scales %s", o.file, s.Spec.ScaleTargetRef.Name)
			}
			continue
		default:
			continue
		}
		selected := 0
		for _, pod := range pods {
			if labels.SelectorFromSet(selector).Matches(pod) {
				selected++
			}
		}
		if len(selector) == 0 || selected != 1 {
			t.Errorf("%s: %s selects %d workloads", o.file, o.meta.GetName(), selected)
		}
	}
}

// What the example of our ConfigMap says is what the controller reads, with all its keys.
func TestBrokerConfigExample(t *testing.T) {
	m := configMap(t, "config-br-jetstream")
	if got, err := config.ParseBroker(m.Data); err != nil || got != (config.Broker{}) {
		t.Errorf("as applied it sets %+v, %v", got, err)
	}
	example := map[string]string{}
	if err := yaml.UnmarshalStrict([]byte(m.Data["_example"]), &example); err != nil {
		t.Fatal(err)
	}
	got, err := config.ParseBroker(example)
	want := config.Broker{MaxInFlight: 100, Log: route.Log{
		Replicas: 3, MaxBytes: 1 << 30, History: 24 * time.Hour, DedupWindow: 2 * time.Minute, MaxConsumers: 1000,
		Placement: route.Placement{Cluster: "east", Tags: "ssd,zone-a"},
	}}
	if err != nil || got != want || len(example) != len(config.BrokerKeys()) {
		t.Errorf("got %+v, %v; %d of %d keys", got, err, len(example), len(config.BrokerKeys()))
	}
}

func TestBrokerDefaultsGiveOurClassItsConfigMap(t *testing.T) {
	defaults, err := eventingconfig.NewDefaultsConfigFromConfigMap(configMap(t, "config-br-defaults"))
	if err != nil {
		t.Fatal(err)
	}
	class := compile.BrokerClass
	got, err := defaults.GetBrokerConfig("any", &class)
	if err != nil || got.Kind != "ConfigMap" || got.Name != "config-br-jetstream" || got.Namespace != systemNamespace {
		t.Fatalf("%+v, %v", got, err)
	}
	if d := got.Delivery; d == nil || *d.Retry != 10 || *d.BackoffPolicy != "exponential" || *d.BackoffDelay != "PT0.2S" {
		t.Errorf("delivery %+v", got.Delivery)
	}
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

// flagOf returns the value of a flag, and "" when it is not set.
func flagOf(c corev1.Container, name string) string {
	for _, argument := range c.Args {
		if value, is := strings.CutPrefix(argument, "--"+name+"="); is {
			return value
		}
	}
	return ""
}

func envOf(c corev1.Container, name string) string {
	for _, e := range c.Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

func isTrue(b *bool) bool { return b != nil && *b }
