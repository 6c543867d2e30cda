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
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	clientgotesting "k8s.io/client-go/testing"
)

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "config", Name: name}, Data: map[string]string{"key": value}}
}

// Nothing is read of a cluster's ConfigMaps but those that were asked for.
func TestWatcherReadsByName(t *testing.T) {
	client := fake.NewClientset(configMap("other", ""))
	begun := watching(client)
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
	<-begun
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

// watching returns a channel that has a token when a watch of the client's has begun: a fake client tells nobody of what changes
// between a list and the watch that follows.
func watching(client *fake.Clientset) <-chan struct{} {
	begun := make(chan struct{}, 10)
	client.PrependWatchReactor("configmaps", func(action clientgotesting.Action) (bool, watch.Interface, error) {
		w, err := client.Tracker().Watch(action.GetResource(), action.GetNamespace())
		begun <- struct{}{}
		return true, w, err
	})
	return begun
}
