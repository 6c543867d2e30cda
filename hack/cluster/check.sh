#!/usr/bin/env bash
# Shows that the cluster works: an image that ko has built and pushed runs as a pod, and finds a service by its name.
# Usage: hack/cluster/check.sh, after `make cluster`
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
source "$here/environment.sh"

readonly pod=cluster-check
image=$(cd "$repo" && ko build ./hack/cluster/resolve 2>"$bin/check.log") || fail "ko failed: $(tail -n 5 "$bin/check.log")"
kubectl delete pod "$pod" --ignore-not-found --now >/dev/null
kubectl run "$pod" --image "$image" --restart Never -- "kubernetes.default.svc.$domain" >/dev/null
trap 'kubectl delete pod "$pod" --now --wait=false >/dev/null' EXIT
kubectl wait --for=jsonpath='{.status.phase}'=Succeeded "pod/$pod" --timeout=60s >/dev/null ||
  fail "the pod did not succeed: $(kubectl describe pod "$pod" | tail -n 15) $(kubectl logs "$pod" 2>&1)"
say "a pod found $(kubectl logs "$pod")"
