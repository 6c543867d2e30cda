package compile

import (
	"fmt"

	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// The kind of the Channels that we serve.
const (
	ChannelKind       = "NatsJetStreamChannel"
	ChannelAPIVersion = "messaging.knative.dev/v1alpha1"
)

// Settings of a Channel and of its Subscriptions where there is no NatsJetStreamChannel whose spec could say it. In a cluster these
// annotations mean nothing.
const (
	// streamSetting names a stream of somebody else's that the Channel adopts.
	streamSetting = "stream"
	// subjectsSetting lists subjects, separated by commas, that NATS publishers send to.
	subjectsSetting = "subjects"
)

// StandaloneChannel reads upstream's Channel where there is no core to make a NatsJetStreamChannel of it. It is not ours when its
// template asks for another kind: then the error is nil and ours is false.
func StandaloneChannel(c *messagingv1.Channel, o Options) (source ChannelSource, ours bool, err error) {
	if t := c.Spec.ChannelTemplate; t != nil && (t.Kind != ChannelKind || t.APIVersion != ChannelAPIVersion) {
		return ChannelSource{}, false, nil
	}
	source = ChannelSource{Namespace: c.Namespace, Name: c.Name, UID: c.UID, Delivery: c.Spec.Delivery, Paused: PausedBy(c.Annotations), DeadLetterCopy: CopiedBy(c.Annotations)}
	// What a sender in a cluster says.
	source.Hosts = []string{c.Name + "-kn-jsm-channel." + c.Namespace + ".svc.cluster.local"}
	log := o.Defaults.Log
	settings := addressSettings(&log)
	settings[streamSetting] = func(v string) error { log.Stream = v; return nil }
	settings[subjectsSetting] = config.SubjectsSetting(&log)
	settings[startSetting] = config.StartSetting(&source.Start, madeAt(c.ObjectMeta))
	errs := apply(c.Annotations, "Channel", settings)
	source.Log = &log
	if t := c.Spec.ChannelTemplate; t != nil && t.Spec != nil && len(t.Spec.Raw) > 0 {
		errs = errs.Also(&apis.FieldError{
			Message: fmt.Sprintf("is not read from files: settings are annotations, %s*", AnnotationPrefix),
			Paths:   []string{"spec.channelTemplate.spec"},
		})
	}
	errs = errs.Also(checkStandalone(log))
	if errs != nil {
		return ChannelSource{}, true, errs
	}
	return source, true, nil
}

// checkStandalone is checkStream for annotations.
func checkStandalone(log route.Log) (errs *apis.FieldError) {
	for _, wrong := range checkStream(log).WrappedErrors() {
		setting := subjectsSetting
		if len(wrong.Paths) > 0 && wrong.Paths[0] == "overrideName" {
			setting = streamSetting
		}
		errs = errs.Also(&apis.FieldError{
			Message: wrong.Message, Details: wrong.Details, Paths: []string{"metadata.annotations[" + AnnotationPrefix + setting + "]"},
		})
	}
	return errs
}
