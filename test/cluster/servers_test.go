//go:build cluster

package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// threeServers is the name of a NATS of three servers: of its Service, its StatefulSet and, with a number, its pods.
const threeServers = "nats"

// TestReadyMeansDeliveredOnThreeServers moves the installation to a NATS of three servers, as an operator would: by its ConfigMap.
func TestReadyMeansDeliveredOnThreeServers(t *testing.T) {
	n := newNamespace(t)
	n.startThreeServers()
	useNATS(t, fmt.Sprintf("nats://%s.%s.svc:4222", threeServers, n.name))
	n.startSubscriber()
	b := n.broker("default")
	b.Annotations["jetstream.eventing.knative.dev/replicas"] = "3"
	n.createBroker(b)
	n.readyMeansDelivered(env.triggers)

	hand := newHandOf(t, n.name, threeServers)
	stream, err := hand.JetStream.Stream(t.Context(), hand.names.Log(compile.BrokerKey(n.name, "default")))
	must(t, err)
	if info := stream.CachedInfo(); info.Config.Replicas != 3 || info.Cluster == nil || len(info.Cluster.Replicas) != 2 {
		t.Errorf("the log has %d replicas: %s", info.Config.Replicas, asJSON(info.Cluster))
	}
}

// useNATS names another NATS in the ConfigMap of the installation, and names the old one again when the test ends.
func useNATS(t *testing.T, url string) {
	t.Helper()
	before := nameNATS(t, url)
	t.Cleanup(func() { nameNATS(t, before) })
}

// nameNATS starts all pods anew: they would find out by themselves, but a mounted ConfigMap is late by a minute.
func nameNATS(t *testing.T, url string) (before string) {
	t.Helper()
	ctx := background(t)
	maps := env.kube.CoreV1().ConfigMaps(systemNamespace)
	m, err := maps.Get(ctx, "eventing-jetstream-nats", metav1.GetOptions{})
	must(t, err)
	if before = m.Data["url"]; url == "" {
		delete(m.Data, "url")
	} else {
		m.Data["url"] = url
	}
	_, err = maps.Update(ctx, m, metav1.UpdateOptions{})
	must(t, err)
	for _, deployment := range []string{controllerDeployment, ingressDeployment, filterDeployment} {
		restart(t, deployment)
	}
	return before
}

// startThreeServers runs the image of config/nats as a cluster of three.
func (n *namespace) startThreeServers() {
	n.t.Helper()
	ctx := n.t.Context()
	single, err := env.kube.AppsV1().StatefulSets(systemNamespace).Get(ctx, natsStatefulSet, metav1.GetOptions{})
	must(n.t, err)
	labels := map[string]string{"app": threeServers}
	_, err = env.kube.CoreV1().Services(n.name).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: threeServers},
		// They find each other before they are ready.
		Spec: corev1.ServiceSpec{Selector: labels, ClusterIP: corev1.ClusterIPNone, PublishNotReadyAddresses: true,
			Ports: []corev1.ServicePort{{Name: "nats", Port: 4222, TargetPort: intstr.FromInt32(4222)}}},
	}, metav1.CreateOptions{})
	must(n.t, err)

	var routes []string
	for i := range 3 {
		routes = append(routes, fmt.Sprintf("nats://%s-%d.%s.%s.svc:6222", threeServers, i, threeServers, n.name))
	}
	spec := *single.Spec.Template.Spec.DeepCopy()
	spec.ServiceAccountName, spec.DeprecatedServiceAccount, spec.TerminationGracePeriodSeconds = "", "", new(int64)
	c := &spec.Containers[0]
	c.Args = append(c.Args, "--name=$(POD_NAME)", "--cluster_name=three", "--cluster=nats://0.0.0.0:6222", "--routes="+strings.Join(routes, ","))
	c.Env = append(c.Env, corev1.EnvVar{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}})
	replicas := int32(3)
	_, err = env.kube.AppsV1().StatefulSets(n.name).Create(ctx, &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: threeServers},
		Spec: appsv1.StatefulSetSpec{
			ServiceName: threeServers, Replicas: &replicas, PodManagementPolicy: appsv1.ParallelPodManagement,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec},
		},
	}, metav1.CreateOptions{})
	must(n.t, err)
	awaitNATS(n.t, types.NamespacedName{Namespace: n.name, Name: threeServers}, 3)
}
