package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/apis/feature"
	eventingclient "knative.dev/eventing/pkg/client/injection/client"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"
	rtesting "knative.dev/pkg/reconciler/testing"

	_ "knative.dev/eventing/pkg/client/injection/client/fake"
	_ "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker/fake"
	_ "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/trigger/fake"
	_ "knative.dev/eventing/pkg/client/injection/informers/eventing/v1alpha1/eventpolicy/fake"
	_ "knative.dev/eventing/pkg/client/injection/informers/eventing/v1beta3/eventtype/fake"
	_ "knative.dev/pkg/client/injection/ducks/duck/v1/addressable/fake"
	_ "knative.dev/pkg/client/injection/ducks/duck/v1/source/fake"
	_ "knative.dev/pkg/client/injection/kube/informers/core/v1/service/filtered/fake"
	_ "knative.dev/pkg/client/injection/kube/informers/factory/filtered/fake"
	_ "knative.dev/pkg/injection/clients/dynamicclient/fake"
	_ "knative.dev/pkg/system/testing"

	"go.uber.org/zap"

	_ "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/client/fake"
	_ "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/informers/messaging/v1alpha1/natsjetstreamchannel/fake"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/dataplane"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// patience is how long a test waits for something that is to happen.
const patience = 20 * time.Second

// cluster is everything but the API server: the controllers on fake clients with working watches, a real NATS, and the very
// ingress and filter that run in pods.
type cluster struct {
	t       *testing.T
	ctx     context.Context
	nats    *natstest.Server
	client  *jetstream.Client
	process *process
	ingress string
	// features are the data of config-features.
	features map[string]string
	// grace is how long the process keeps what was deleted.
	grace time.Duration
	// counted are the controllers' reconcilers.
	counted map[string]*countedReconciler
}

// start runs a cluster until the test ends. These features are on.
func start(t *testing.T, features ...string) *cluster {
	t.Helper()
	return startWithGrace(t, time.Millisecond, features...)
}

// startWithGrace is start for a cluster that keeps what was deleted for this long.
func startWithGrace(t *testing.T, grace time.Duration, features ...string) *cluster {
	t.Helper()
	c := newCluster(t, grace)
	for _, name := range features {
		c.features[name] = string(feature.Enabled)
	}
	c.startControllers()
	c.startFilter()
	c.startIngress()
	return c
}

// newCluster is one of which nothing runs yet.
func newCluster(t *testing.T, grace time.Duration) *cluster {
	t.Helper()
	c := &cluster{t: t, nats: natstest.Start(t, nil), features: map[string]string{}, grace: grace}
	c.client = c.dial("test")
	return c
}

func (c *cluster) dial(name string) *jetstream.Client {
	c.t.Helper()
	names, err := naming.New(naming.DefaultPrefix)
	must(c.t, err)
	client, err := jetstream.Connect(jetstream.Options{URL: c.nats.URL(), Name: name, Names: names, Logger: slog.New(slog.DiscardHandler)})
	must(c.t, err)
	c.t.Cleanup(client.Close)
	return client
}

func (c *cluster) startControllers() {
	c.t.Helper()
	ctx, cancel, informers := rtesting.SetupFakeContextWithCancel(c.t, func(ctx context.Context) context.Context {
		ctx = withInformers(logging.WithLogger(ctx, zap.NewNop().Sugar()))
		return controller.WithEventRecorder(ctx, &record.FakeRecorder{}) // without a channel it drops the events
	})
	c.ctx = ctx
	folder := c.t.TempDir()
	must(c.t, os.WriteFile(filepath.Join(folder, "url"), []byte(c.nats.URL()+"\n"), 0o600))
	var err error
	c.process, err = newProcess(config.NATSFolders{Config: folder, Credentials: filepath.Join(folder, "none")}, cancel)
	must(c.t, err)
	c.process.grace = c.grace
	features := configmap.NewStaticWatcher(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "config-features", Namespace: "knative-testing"}, Data: c.features,
	})
	controllers := []*controller.Impl{
		c.process.newBrokerController(ctx, features), c.process.newChannelController(ctx, features),
		c.process.newTriggerController(ctx, features), c.process.newEventTypeController(ctx, features),
	}
	wait, err := rtesting.RunAndSyncInformers(ctx, informers...)
	must(c.t, err)
	// Starts an informer of its own, which must not list while RunAndSyncInformers changes the fake clients.
	controllers = append(controllers, c.process.newReplyKeysController(ctx, features))
	c.count(controllers)
	var running sync.WaitGroup
	running.Go(func() { _ = controller.StartAll(ctx, controllers...) })
	c.t.Cleanup(func() {
		cancel()
		running.Wait()
		wait()
		c.process.wait()
	})
}

// startIngress runs one ingress until the test ends.
func (c *cluster) startIngress() {
	c.t.Helper()
	in, err := dataplane.NewIngress(dataplane.IngressConfig{Client: c.dial("ingress"), Logger: slog.New(slog.DiscardHandler)})
	must(c.t, err)
	server := httptest.NewServer(in)
	c.ingress = server.URL
	c.run(in.Run)
	c.t.Cleanup(server.Close)
}

// startFilter runs one filter until the test ends.
func (c *cluster) startFilter() {
	c.t.Helper()
	filter, err := dataplane.NewFilter(dataplane.FilterConfig{Client: c.dial("filter"), Logger: slog.New(slog.DiscardHandler)})
	must(c.t, err)
	c.t.Cleanup(func() {
		drain, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		filter.Drain(drain)
	})
	c.run(filter.Run)
}

// run runs a part until the test ends.
func (c *cluster) run(part func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { part(ctx) })
	c.t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// subscriber counts what it gets by path.
type subscriber struct {
	url string
	mu  sync.Mutex
	got map[string][]string
}

func newSubscriber(t *testing.T) *subscriber {
	s := &subscriber{got: map[string][]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got[r.URL.Path] = append(s.got[r.URL.Path], r.Header.Get("Ce-Id"))
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *subscriber) ids(path string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got[path]...)
}

const namespace = "shop"

func brokerNamed(name string) *eventingv1.Broker {
	return &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID(name + "-uid"), Generation: 1,
		Annotations: map[string]string{compile.ClassAnnotation: compile.BrokerClass, compile.MaxBytesAnnotation: "16Mi"},
	}}
}

func triggerNamed(name, broker, url string) *eventingv1.Trigger {
	to, _ := apis.ParseURL(url) // a subscriber that is not there fails the test
	return &eventingv1.Trigger{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name + "-uid"), Generation: 1},
		Spec:       eventingv1.TriggerSpec{Broker: broker, Subscriber: duckv1.Destination{URI: to}},
	}
}

func (c *cluster) createBroker(b *eventingv1.Broker) {
	c.t.Helper()
	_, err := eventingclient.Get(c.ctx).EventingV1().Brokers(b.Namespace).Create(c.ctx, b, metav1.CreateOptions{})
	must(c.t, err)
}

func (c *cluster) createTrigger(trigger *eventingv1.Trigger) {
	c.t.Helper()
	_, err := eventingclient.Get(c.ctx).EventingV1().Triggers(trigger.Namespace).Create(c.ctx, trigger, metav1.CreateOptions{})
	must(c.t, err)
}

func (c *cluster) broker(name string) *eventingv1.Broker {
	c.t.Helper()
	b, err := eventingclient.Get(c.ctx).EventingV1().Brokers(namespace).Get(c.ctx, name, metav1.GetOptions{})
	must(c.t, err)
	return b
}

func (c *cluster) trigger(name string) *eventingv1.Trigger {
	c.t.Helper()
	trigger, err := eventingclient.Get(c.ctx).EventingV1().Triggers(namespace).Get(c.ctx, name, metav1.GetOptions{})
	must(c.t, err)
	return trigger
}

func (c *cluster) awaitBrokerReady(name string) {
	c.t.Helper()
	c.await("Broker "+name+" is Ready", func() (bool, any) { b := c.broker(name); return b.IsReady(), b.Status.Conditions })
}

func (c *cluster) awaitTriggerReady(name string) {
	c.t.Helper()
	c.await("Trigger "+name+" is Ready", func() (bool, any) {
		t := c.trigger(name)
		return t.Status.IsReady() && t.Status.ObservedGeneration == t.Generation, t.Status.Conditions
	})
}

// await returns when the condition holds, and shows what it saw last when it does not in time.
func (c *cluster) await(what string, condition func() (bool, any)) {
	c.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		ok, seen := condition()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-end.C:
			c.t.Fatalf("waited %s in vain: %s; last seen: %+v", patience, what, seen)
		}
	}
}

// send posts an event to the path of a Broker's address and returns the status.
func (c *cluster) send(b *eventingv1.Broker, id string) int {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.ctx, http.MethodPost, c.ingress+b.Status.Address.URL.Path, bytes.NewReader(nil))
	must(c.t, err)
	for name, value := range map[string]string{"Ce-Id": id, "Ce-Source": "/s", "Ce-Type": "t", "Ce-Specversion": "1.0"} {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	must(c.t, err)
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

func (c *cluster) mustSend(b *eventingv1.Broker, id string) {
	c.t.Helper()
	if status := c.send(b, id); status != http.StatusAccepted {
		c.t.Fatalf("event %s: status %d", id, status)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func configRef(name string) *duckv1.KReference {
	return &duckv1.KReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: namespace, Name: name}
}

func (c *cluster) createConfigMap(m *corev1.ConfigMap) {
	c.t.Helper()
	_, err := kubeclient.Get(c.ctx).CoreV1().ConfigMaps(m.Namespace).Create(c.ctx, m, metav1.CreateOptions{})
	must(c.t, err)
}

func (c *cluster) updateConfigMap(m *corev1.ConfigMap) {
	c.t.Helper()
	_, err := kubeclient.Get(c.ctx).CoreV1().ConfigMaps(m.Namespace).Update(c.ctx, m.DeepCopy(), metav1.UpdateOptions{})
	must(c.t, err)
}

// inFlight is the bound in a Trigger's route.
func (c *cluster) inFlight(trigger string) int {
	c.t.Helper()
	records, err := routes.Records(c.ctx, c.client, "")
	must(c.t, err)
	for _, r := range records {
		if r.Target != nil && r.Target.Key.Name == trigger {
			return r.Target.MaxInFlight
		}
	}
	return 0
}
