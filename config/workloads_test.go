package config_test

import (
	"cmp"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/replykeys"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
)

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
		_, isCRD := o.value.(*apiextensionsv1.CustomResourceDefinition)
		clusterWide := isNamespace || isCRD || strings.HasPrefix(kind, "ClusterRole") || strings.HasSuffix(kind, "WebhookConfiguration")
		if !clusterWide && o.meta.GetNamespace() != systemNamespace {
			t.Errorf("%s: %s is in namespace %q", o.file, id, o.meta.GetNamespace())
		}
		if !isNamespace && !isCRD && !strings.HasPrefix(o.meta.GetName(), "eventing-jetstream-") && !strings.HasPrefix(o.meta.GetName(), "config-br-") {
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
	if folders < 9 {
		t.Errorf("%d folders, want four for ingress and five for filter at least", folders)
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

// The controller tells the pods that have the keys of RequestReplies mounted when these change, and no others.
func TestPodsWithTheKeysAreFound(t *testing.T) {
	selector, err := labels.Parse(replykeys.FilterPods)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workloads(t) {
		mounts := slices.ContainsFunc(w.pod.Spec.Volumes, func(v corev1.Volume) bool {
			return v.Secret != nil && v.Secret.SecretName == requestreply.Secret
		})
		if found := selector.Matches(labels.Set(w.pod.Labels)); found != mounts || mounts != (w.name == "eventing-jetstream-filter") {
			t.Errorf("%s mounts the keys: %t; its pods are told: %t", w.name, mounts, found)
		}
	}
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
