// Command controller makes Brokers of the class NatsJetStreamBroker, their Triggers, and NatsJetStreamChannels true: it owns the
// streams, consumers and routes in NATS, and writes the status that the data plane's reports justify. It also answers the API
// server's questions about channels. Two replicas may run; both answer, one leads.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"knative.dev/pkg/controller"
	"knative.dev/pkg/injection"
	"knative.dev/pkg/injection/sharedmain"
	"knative.dev/pkg/signals"
	"knative.dev/pkg/webhook/certificates"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/version"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
)

const component = "eventing-jetstream-controller"

func main() {
	folders := config.NATSFolders{}
	flag.StringVar(&folders.Config, "nats-config", "/etc/eventing-jetstream/nats", "folder of the ConfigMap that says where NATS is: url, prefix")
	flag.StringVar(&folders.Credentials, "nats-credentials", "/etc/eventing-jetstream/nats-credentials",
		"folder of the Secret with credentials for NATS: creds, nkey, ca.crt, tls.crt, tls.key")
	flag.IntVar(&controller.DefaultThreadsPerController, "threads", 8, "resources that each controller reconciles at one time; most of that is waiting for NATS")
	flag.BoolFunc("version", "print the version", func(string) error {
		fmt.Println(component, version.String())
		os.Exit(0) // before anything looks for a cluster
		return nil
	})
	cluster := injection.ParseAndGetRESTConfigOrDie()

	ctx, stop := context.WithCancel(signals.NewContext())
	p, err := newProcess(folders, stop)
	if err != nil {
		fmt.Fprintln(os.Stderr, component+":", err)
		os.Exit(1)
	}
	injection.Default.RegisterInformerFactory(onlyWebhookSecret)
	sharedmain.MainWithConfig(withInformers(withWebhook(ctx)), component, cluster,
		p.newBrokerController, p.newChannelController, p.newTriggerController, p.newEventTypeController, p.newReplyKeysController,
		certificates.NewController, newDefaultingWebhook, newValidationWebhook)
	stop()
	p.wait()
}
