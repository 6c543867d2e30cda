package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/annotation"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/handles"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// whereToPause is a part of the help of pause and resume.
const whereToPause = `
Where what is wanted is written:
  --kubeconfig or --context   into the annotation ` + compile.PausedAnnotation + `
                              of the resource in that Kubernetes cluster, with your rights there
  --nats or --store           into that NATS, for routes that come from files
  none of them                into the NATS of a kn-jetstream run that uses the usual store on this machine, if there is one;
                              else into the cluster of the kubeconfig that kubectl uses
An annotation in a file goes before what the command writes into NATS; the command says so.`

func newPauseCommand() *cobra.Command {
	o := pauseOptions{}
	reason := ""
	cmd := &cobra.Command{
		Use:   "pause trigger|subscription|broker|channel NAME",
		Short: "Hold the events of a Trigger or Subscription, or of all of a Broker or Channel, until kn-jetstream resume",
		Long: `Hold the events of a Trigger or Subscription, or of all of a Broker or Channel, until kn-jetstream resume.
Requests that were begun end; a Broker or Channel takes events as before. It lasts through restarts, and kn-jetstream get shows since when, why,
and how many events wait.
` + whereToPause,
		Example: `  kn-jetstream pause trigger orders --reason "the shop moves"
  kn-jetstream pause broker default -n shop --context production`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := config.PausedSetting(&reason)(reason); err != nil {
				return badInput(fmt.Errorf("--reason %w", err))
			}
			return o.run(cmd, args, change{&reason})
		},
	}
	o.register(cmd)
	cmd.Flags().StringVar(&reason, "reason", "kn-jetstream pause", "`why`, for those who see it")
	return cmd
}

func newResumeCommand() *cobra.Command {
	o := pauseOptions{}
	cmd := &cobra.Command{
		Use:   "resume trigger|subscription|broker|channel NAME",
		Short: "Deliver what waited since kn-jetstream pause, and what comes from now on",
		Long:  "Deliver what waited since kn-jetstream pause, and what comes from now on. Who is not paused goes on.\n" + whereToPause,
		Args:  cobra.ExactArgs(2),
		RunE:  func(cmd *cobra.Command, args []string) error { return o.run(cmd, args, change{}) },
	}
	o.register(cmd)
	return cmd
}

// change is a pause with its reason, or, without one, its end.
type change struct{ why *string }

type pauseOptions struct {
	routes                         routeOptions
	namespace, kubeconfig, context string
}

func (o *pauseOptions) register(cmd *cobra.Command) {
	o.routes.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&o.namespace, "namespace", "n", "", "namespace (default: in a cluster that of the context, else default)")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "`file` with the access to a Kubernetes cluster")
	flags.StringVar(&o.context, "context", "", "`name` of a context of the kubeconfig")
	for _, cluster := range []string{"kubeconfig", "context"} {
		cmd.MarkFlagsMutuallyExclusive(cluster, "nats")
		cmd.MarkFlagsMutuallyExclusive(cluster, "store")
	}
}

func (o *pauseOptions) run(cmd *cobra.Command, args []string, wanted change) error {
	of, err := askedFor(args[0], o.namespace, args[1])
	if err != nil {
		return badInput(err)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), applyBudget)
	defer cancel()
	if o.kubeconfig != "" || o.context != "" {
		return o.inCluster(ctx, cmd.OutOrStdout(), of, wanted)
	}
	client, err := o.routes.client(ctx, "kn-jetstream "+cmd.Name())
	if errors.Is(err, errNoRun) && o.routes.store == "" {
		inCluster := o.inCluster(ctx, cmd.OutOrStdout(), of, wanted)
		if annotation.IsNoConfig(inCluster) {
			return fmt.Errorf("%w; nor is there a kubeconfig", err)
		}
		return inCluster
	}
	if err != nil {
		return err
	}
	defer client.Close()
	return inNATS(ctx, client, cmd.OutOrStdout(), pausing{of, wanted})
}

// inCluster writes the annotation.
func (o *pauseOptions) inCluster(ctx context.Context, out io.Writer, of named, wanted change) error {
	cluster, err := annotation.Connect(o.kubeconfig, o.context)
	if err != nil {
		return err
	}
	if of.namespace == "" {
		of.namespace = cluster.Namespace
	}
	resource := annotation.Resource{Kind: of.kind, Namespace: of.namespace, Name: of.name}
	done := "resumed"
	if wanted.why != nil {
		done = "paused: " + *wanted.why
		err = cluster.Pause(ctx, resource, *wanted.why)
	} else {
		err = cluster.Resume(ctx, resource)
	}
	if err != nil {
		err = fmt.Errorf("%s at %s: %w", of, cluster.Server, err)
		if errors.Is(err, annotation.ErrSubscription) {
			return badInput(err)
		}
		return err
	}
	fmt.Fprintf(out, "%s at %s is %s\n", of, cluster.Server, done)
	return nil
}

// pausing is what is wanted of whom.
type pausing struct {
	of     named
	wanted change
}

// inNATS writes a handle, and says what has become of each target.
func inNATS(ctx context.Context, client *jetstream.Client, out io.Writer, p pausing) error {
	if p.of.namespace == "" {
		p.of.namespace = "default"
	}
	n := p.of.route()
	var targets []route.Target
	var err error
	if p.wanted.why != nil {
		targets, err = handles.New(client).Pause(ctx, n, *p.wanted.why)
	} else {
		targets, err = handles.New(client).Resume(ctx, n)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.of, err)
	}
	return p.say(out, targets)
}

// say says of each target whether it is paused. Its error is what the command could not change: an annotation.
func (p pausing) say(out io.Writer, targets []route.Target) error {
	if len(targets) == 0 {
		fmt.Fprintf(out, "%s has nobody who gets events yet\n", p.of)
	}
	var annotated []string
	for _, t := range targets {
		of := nameOfTarget(t)
		switch {
		case t.Paused == "":
			fmt.Fprintf(out, "%s is resumed\n", of)
		case t.PausedByHandle:
			fmt.Fprintf(out, "%s is paused since %s: %s\n", of, t.PausedSince.Format("2006-01-02 15:04:05Z"), t.Paused)
		default:
			fmt.Fprintf(out, "%s is paused by an annotation in its file, which goes first: %s\n", of, t.Paused)
			annotated = append(annotated, of.String())
		}
	}
	if p.wanted.why == nil && len(annotated) > 0 {
		return fmt.Errorf("%s: remove the annotation %s in the file", strings.Join(annotated, ", "), compile.PausedAnnotation)
	}
	if t := targets; p.wanted.why == nil && len(t) == 1 && t[0].Paused != "" && nameOfTarget(t[0]) == p.of {
		return fmt.Errorf("%s stays paused: %s", p.of, t[0].Paused)
	}
	return nil
}
