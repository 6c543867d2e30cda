//go:build cluster

// Package cluster_test runs this project on a real Kubernetes cluster: the one that KUBECONFIG names, after make deploy.
// It is built with the tag cluster only; make e2e runs it.
package cluster_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	eventingclient "knative.dev/eventing/pkg/client/clientset/versioned"

	messagingclient "github.com/eventing-jetstream/eventing-jetstream/pkg/client/clientset/versioned"
)

const systemNamespace = "knative-eventing"

// environment is what all tests share. It does not change once the tests run.
type environment struct {
	config   *rest.Config
	kube     kubernetes.Interface
	eventing eventingclient.Interface
	// messaging knows our own Channel type.
	messaging messagingclient.Interface
	// image is kn-jetstream's: the subscriber and the sender of the tests.
	image string
	// triggers is how often TestReadyMeansDelivered makes a Trigger.
	triggers int
}

var env environment //nolint:gochecknoglobals // set once, by TestMain

func TestMain(m *testing.M) {
	flag.StringVar(&env.image, "image", "", "image of cmd/kn-jetstream")
	flag.IntVar(&env.triggers, "triggers", 100, "how often a Trigger is made in the loop that waits for Ready and sends")
	flag.Parse()
	if err := connect(); err != nil {
		fmt.Fprintln(os.Stderr, "cluster tests:", err)
		os.Exit(2)
	}
	os.Exit(m.Run())
}

func connect() (err error) {
	if env.image == "" {
		return fmt.Errorf("-image must name the image of cmd/kn-jetstream")
	}
	if env.config, err = clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")); err != nil {
		return err
	}
	// The tests' own requests must not be what they wait for.
	env.config.QPS, env.config.Burst = 200, 400
	if env.kube, err = kubernetes.NewForConfig(env.config); err != nil {
		return err
	}
	if env.eventing, err = eventingclient.NewForConfig(env.config); err != nil {
		return err
	}
	if env.messaging, err = messagingclient.NewForConfig(env.config); err != nil {
		return err
	}
	_, err = env.kube.Discovery().ServerVersion()
	return err
}

// must ends the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// background outlives a test's own context: to look at things, and to clean up, after it has failed.
func background(t testing.TB) context.Context { return context.WithoutCancel(t.Context()) }
