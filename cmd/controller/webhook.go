package main

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"knative.dev/eventing/pkg/apis/feature"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	namespacedfactory "knative.dev/pkg/injection/clients/namespacedkube/informers/factory"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/system"
	"knative.dev/pkg/webhook"
	"knative.dev/pkg/webhook/resourcesemantics"
	"knative.dev/pkg/webhook/resourcesemantics/defaulting"
	"knative.dev/pkg/webhook/resourcesemantics/validation"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
)

// Where the API server finds the webhook. These names are in config/core.
const (
	webhookService = "eventing-jetstream-webhook"
	webhookSecret  = "eventing-jetstream-webhook-certs"
	webhookPort    = 8443

	defaultingWebhook = "eventing-jetstream-defaulting.messaging.knative.dev"
	validationWebhook = "eventing-jetstream-validation.messaging.knative.dev"
	defaultingPath    = "/defaulting"
	validationPath    = "/validation"
)

// webhookQuiet is how long the webhook of a process that is to end still answers after the last question: until the API server
// knows that it goes. It must leave time for the rest within the pod's grace period.
const webhookQuiet = 5 * time.Second

func withWebhook(ctx context.Context) context.Context {
	return webhook.WithOptions(ctx, webhook.Options{
		ServiceName: webhookService,
		SecretName:  webhookSecret,
		Port:        webhookPort,
		GracePeriod: webhookQuiet,
		// Owned by the namespace the configurations would go with it, and the controller would have to read namespaces.
		DisableNamespaceOwnership: true,
	})
}

// onlyWebhookSecret narrows the informers of the system namespace, which watch Secrets for the webhook and nothing else, down to
// the one that holds the webhook's certificate. Then the permission to read that one is enough.
func onlyWebhookSecret(ctx context.Context) context.Context {
	return context.WithValue(ctx, namespacedfactory.Key{}, informers.NewSharedInformerFactoryWithOptions(
		kubeclient.Get(ctx), controller.GetResyncPeriod(ctx),
		informers.WithNamespace(system.Namespace()),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, webhookSecret).String()
		})))
}

// admitted are the kinds that the webhook is asked about; it is about no other.
func admitted() map[schema.GroupVersionKind]resourcesemantics.GenericCRD {
	return map[schema.GroupVersionKind]resourcesemantics.GenericCRD{
		v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.Kind): &v1alpha1.NatsJetStreamChannel{},
	}
}

func newDefaultingWebhook(ctx context.Context, cmw configmap.Watcher) *controller.Impl {
	return defaulting.NewAdmissionController(ctx, defaultingWebhook, defaultingPath, admitted(), questions(ctx, cmw), true)
}

func newValidationWebhook(ctx context.Context, cmw configmap.Watcher) *controller.Impl {
	return validation.NewAdmissionController(ctx, validationWebhook, validationPath, admitted(), questions(ctx, cmw), true)
}

// questions gives each question what its answer depends on: the cluster's features, since some fields may be used only while theirs
// is on, and who may change subscribers.
func questions(ctx context.Context, cmw configmap.Watcher) func(context.Context) context.Context {
	features := feature.NewStore(logging.FromContext(ctx).Named("features"))
	features.WatchConfigs(cmw)
	knative := "system:serviceaccount:" + system.Namespace() + ":eventing-controller"
	return func(ctx context.Context) context.Context {
		return v1alpha1.WithSubscribingUser(features.ToContext(ctx), knative)
	}
}
