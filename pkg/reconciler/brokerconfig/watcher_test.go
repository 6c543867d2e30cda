package brokerconfig

import (
	"context"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrs "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clientgotesting "k8s.io/client-go/testing"
)

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "config", Name: name}, Data: map[string]string{"key": value}}
}

// Nothing is read of a cluster's ConfigMaps but those that were asked for.
func TestWatcherReadsByName(t *testing.T) {
	client := fake.NewClientset(configMap("other", ""))
	ctx, cancel := context.WithCancel(t.Context())
	w := NewWatcher(ctx, client)
	defer w.Wait()
	defer cancel()
	news := make(chan any, 100)
	w.Listen(func(object any) { news <- object })
	key := types.NamespacedName{Namespace: "config", Name: "c"}
	if _, err := w.Get(key); !apierrs.IsNotFound(err) {
		t.Fatalf("%v, want that there is none", err)
	}
	maps := client.CoreV1().ConfigMaps("config")
	awaitValue := func(want string) {
		t.Helper()
		deadline := time.After(10 * time.Second)
		for {
			got, err := w.Get(key)
			if err == nil && got.Data["key"] == want {
				return
			}
			select {
			case <-news: // somebody is called for each change
			case <-deadline:
				t.Fatalf("waited in vain for %q: %v, %v", want, got, err)
			}
		}
	}
	if _, err := maps.Create(ctx, configMap("c", "1"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	awaitValue("1")
	awaitWatch(t, client)
	if _, err := maps.Update(ctx, configMap("c", "2"), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	awaitValue("2")
	for _, action := range client.Actions() {
		list, isList := action.(clientgotesting.ListAction)
		if isList && list.GetListRestrictions().Fields.String() != "metadata.name=c" {
			t.Errorf("lists %q", list.GetListRestrictions().Fields)
		}
	}
	if watched := slices.Collect(func(yield func(string) bool) {
		for name := range w.watched {
			yield(name.String())
		}
	}); !slices.Equal(watched, []string{"config/c"}) {
		t.Errorf("watches %v", watched)
	}
}

// awaitWatch waits until the client is watched: a fake one tells nobody of what changes between a list and the watch that follows it.
func awaitWatch(t *testing.T, client *fake.Clientset) {
	t.Helper()
	for range 1000 {
		if slices.ContainsFunc(client.Actions(), func(a clientgotesting.Action) bool { return a.GetVerb() == "watch" }) {
			time.Sleep(50 * time.Millisecond) //nolint:forbidigo // the action is noted right before the watch begins, which nothing tells
			return
		}
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // it has no event for that
	}
	t.Fatal("nobody watches")
}
