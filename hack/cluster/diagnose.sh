#!/usr/bin/env bash
# Prints what one asks first when something on the cluster has failed. It changes nothing.
# Usage: hack/cluster/diagnose.sh
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
source "$here/environment.sh"

say "nodes and pods"
kubectl get nodes,pods --all-namespaces --output wide
say "Brokers and Triggers"
kubectl get brokers.eventing.knative.dev,triggers.eventing.knative.dev --all-namespaces
say "the last events that are warnings"
kubectl get events --all-namespaces --field-selector type=Warning --sort-by .lastTimestamp | tail -n 40
for component in controller ingress filter nats; do
  say "the last lines of $component"
  kubectl -n "$eventing_namespace" logs --selector "app=eventing-jetstream-$component" --tail 40 --prefix
done
exit 0
