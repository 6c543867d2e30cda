package main

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	namespacedfactory "knative.dev/pkg/injection/clients/namespacedkube/informers/factory"
	"knative.dev/pkg/logging"
	rtesting "knative.dev/pkg/reconciler/testing"
	"knative.dev/pkg/system"
	"knative.dev/pkg/webhook"
	"knative.dev/pkg/webhook/certificates"

	_ "knative.dev/pkg/client/injection/kube/informers/admissionregistration/v1/mutatingwebhookconfiguration/fake"
	_ "knative.dev/pkg/client/injection/kube/informers/admissionregistration/v1/validatingwebhookconfiguration/fake"
	_ "knative.dev/pkg/injection/clients/namespacedkube/informers/core/v1/secret/fake"

	"go.uber.org/zap"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
)

// admission is the webhook's controllers on fake clients.
type admission struct {
	ctx                  context.Context
	informers            []controller.Informer
	controllers          []*controller.Impl
	defaults, validation webhook.AdmissionController
}

func newAdmission(t *testing.T, features map[string]string) admission {
	t.Helper()
	ctx, cancel, informers := rtesting.SetupFakeContextWithCancel(t, func(ctx context.Context) context.Context {
		return withInformers(withWebhook(logging.WithLogger(ctx, zap.NewNop().Sugar())))
	})
	t.Cleanup(cancel)
	watcher := configmap.NewStaticWatcher(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "config-features", Namespace: system.Namespace()}, Data: features,
	})
	defaulting, validation := newDefaultingWebhook(ctx, watcher), newValidationWebhook(ctx, watcher)
	return admission{
		ctx: ctx, informers: informers,
		controllers: []*controller.Impl{certificates.NewController(ctx, watcher), defaulting, validation},
		defaults:    defaulting.Reconciler.(webhook.AdmissionController),
		validation:  validation.Reconciler.(webhook.AdmissionController),
	}
}

func asked(t *testing.T, operation admissionv1.Operation, object string, before string) *admissionv1.AdmissionRequest {
	t.Helper()
	kind := metav1.GroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.Kind))
	return &admissionv1.AdmissionRequest{
		Operation: operation, Kind: kind, Namespace: namespace, Name: "orders",
		Object: runtime.RawExtension{Raw: []byte(object)}, OldObject: runtime.RawExtension{Raw: []byte(before)},
	}
}

func channelWith(spec string) string {
	return `{"apiVersion":"messaging.knative.dev/v1alpha1","kind":"NatsJetStreamChannel",` +
		`"metadata":{"namespace":"shop","name":"orders"},"spec":` + spec + `}`
}

func TestWebhookSetsDefaults(t *testing.T) {
	a := newAdmission(t, nil)
	answer := a.defaults.Admit(a.ctx, asked(t, admissionv1.Create, channelWith(`{"stream":{}}`), ""))
	var patch []struct{ Path string }
	if err := json.Unmarshal(answer.Patch, &patch); err != nil || !answer.Allowed {
		t.Fatalf("%+v, %v", answer, err)
	}
	if !strings.Contains(string(answer.Patch), `{"messaging.knative.dev/subscribable":"v1"}`) {
		t.Errorf("%s", answer.Patch)
	}
	for _, change := range patch {
		// Knative's own library notes who made the object.
		if !strings.HasPrefix(change.Path, "/metadata/annotations") && change.Path != "/status" {
			t.Errorf("a manifest that is complete is changed: %s", answer.Patch)
		}
	}
}

func TestWebhookRefuses(t *testing.T) {
	for _, c := range []struct {
		name, object, before, want string
		features                   map[string]string
	}{
		{name: "what is well", object: channelWith(`{"stream":{"config":{"maxBytes":1048576}}}`)},
		{name: "a wrong value", object: channelWith(`{"stream":{"config":{"storage":"Disk"}}}`), want: "spec.stream.config.storage"},
		{name: "a wrong type", object: channelWith(`{"stream":{"config":{"maxAge":"a day"}}}`), want: `a day`},
		{name: "an unknown field", object: channelWith(`{"strem":{}}`), want: "strem"},
		{name: "a change of what cannot change", before: channelWith(`{}`), object: channelWith(`{"stream":{"overrideName":"X"}}`),
			want: "spec.stream.overrideName"},
		{name: "a subscriber that somebody adds", before: channelWith(`{}`), object: channelWith(`{"subscribers":[{"uid":"a","replyUri":"http://a"}]}`),
			want: "spec.subscribers"},
		{name: "a field whose feature is off", object: channelWith(`{"delivery":{"retryAfterMax":"PT1S"}}`), want: "spec.delivery.retryAfterMax"},
		{name: "a field whose feature is on", object: channelWith(`{"delivery":{"retryAfterMax":"PT1S"}}`),
			features: map[string]string{"delivery-retryafter": "enabled"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAdmission(t, c.features)
			operation := admissionv1.Create
			if c.before != "" {
				operation = admissionv1.Update
			}
			answer := a.validation.Admit(a.ctx, asked(t, operation, c.object, c.before))
			switch {
			case answer.Allowed != (c.want == ""):
				t.Errorf("%+v", answer)
			case !answer.Allowed && !strings.Contains(answer.Result.Message, c.want):
				t.Errorf("%s", answer.Result.Message)
			}
		})
	}
}

func TestWebhookWarnsOfWhatDoesNothing(t *testing.T) {
	a := newAdmission(t, nil)
	answer := a.validation.Admit(a.ctx, asked(t, admissionv1.Create, channelWith(`{"stream":{"config":{"maxMsgs":7}}}`), ""))
	if !answer.Allowed || len(answer.Warnings) != 1 || !strings.Contains(answer.Warnings[0], "spec.stream.config.maxMsgs") {
		t.Errorf("%+v", answer)
	}
}

// The controllers start without the Secret; once it is there, they fill it and tell the API server of the webhook, which is then
// asked about our channels only.
func TestWebhookRegistersOnceItsSecretIsThere(t *testing.T) {
	a := newAdmission(t, nil)
	kube := kubeclient.Get(a.ctx)
	configurations := kube.AdmissionregistrationV1()
	at := admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: system.Namespace(), Name: webhookService}}
	_, err := configurations.MutatingWebhookConfigurations().Create(a.ctx, &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: defaultingWebhook},
		Webhooks:   []admissionregistrationv1.MutatingWebhook{{Name: defaultingWebhook, ClientConfig: at}},
	}, metav1.CreateOptions{})
	must(t, err)
	_, err = configurations.ValidatingWebhookConfigurations().Create(a.ctx, &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: validationWebhook},
		Webhooks:   []admissionregistrationv1.ValidatingWebhook{{Name: validationWebhook, ClientConfig: at}},
	}, metav1.CreateOptions{})
	must(t, err)
	a.run(t)
	_, err = kube.CoreV1().Secrets(system.Namespace()).Create(a.ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: system.Namespace(), Name: webhookSecret},
	}, metav1.CreateOptions{})
	must(t, err)

	c := &cluster{t: t, ctx: a.ctx}
	c.await("both configurations have the certificate", func() (bool, any) {
		m, err := configurations.MutatingWebhookConfigurations().Get(a.ctx, defaultingWebhook, metav1.GetOptions{})
		must(t, err)
		v, err := configurations.ValidatingWebhookConfigurations().Get(a.ctx, validationWebhook, metav1.GetOptions{})
		must(t, err)
		return len(m.Webhooks[0].ClientConfig.CABundle) > 0 && len(v.Webhooks[0].ClientConfig.CABundle) > 0, m.Webhooks
	})
	m, err := configurations.MutatingWebhookConfigurations().Get(a.ctx, defaultingWebhook, metav1.GetOptions{})
	must(t, err)
	if rules := m.Webhooks[0].Rules; len(rules) != 1 || rules[0].APIGroups[0] != "messaging.knative.dev" || rules[0].Resources[0] != "natsjetstreamchannels" {
		t.Errorf("rules %+v", rules)
	}
	if len(m.OwnerReferences) > 0 {
		t.Errorf("owned by %+v", m.OwnerReferences)
	}
}

func (a admission) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(a.ctx)
	wait, err := rtesting.RunAndSyncInformers(ctx, a.informers...)
	must(t, err)
	var running sync.WaitGroup
	running.Go(func() { _ = controller.StartAll(ctx, a.controllers...) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		wait()
	})
}

// The role allows one Secret, by its name; a list that did not name it would be refused, and the process would never start.
func TestOnlyTheWebhooksSecretIsWatched(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	kube := fake.NewClientset()
	ctx = onlyWebhookSecret(context.WithValue(ctx, kubeclient.Key{}, kube))
	factory := namespacedfactory.Get(ctx)
	factory.Core().V1().Secrets().Informer()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	listed := 0
	for _, action := range kube.Actions() {
		list, ok := action.(clienttesting.ListAction)
		if !ok {
			continue
		}
		listed++
		if name, exact := list.GetListRestrictions().Fields.RequiresExactMatch("metadata.name"); !exact || name != webhookSecret || list.GetNamespace() != system.Namespace() {
			t.Errorf("asks for %+v in %s", list.GetListRestrictions(), list.GetNamespace())
		}
	}
	if listed == 0 {
		t.Error("nothing was listed")
	}
	cancel()
	factory.Shutdown()
}
