#!/usr/bin/env bash
# Builds this project's images with ko, applies config/nats, config/core and config/defaults, and waits until the pods of what was
# applied are available. Repeated, it applies what has changed.
# Usage: hack/cluster/deploy.sh, after deploy-eventing.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
source "$here/environment.sh"

readonly configs=(config/nats config/core config/defaults) resolved=$bin/eventing-jetstream.yaml

# resolve_images: built before anything is applied, so that a build that fails changes nothing in the cluster.
resolve_images() {
  (cd "$repo" && ko resolve --jobs 2 --recursive --sbom none "${configs[@]/#/--filename=}" >"$resolved.new" 2>"$bin/ko.log") ||
    fail "ko failed: $(tail -n 20 "$bin/ko.log")"
  mv "$resolved.new" "$resolved"
}

# wait_until_rolled_out: the new pods serve, and the old ones have ended.
wait_until_rolled_out() {
  local workload
  for workload in $(kubectl -n "$eventing_namespace" get statefulsets,deployments -l app.kubernetes.io/name=eventing-jetstream -o name); do
    kubectl -n "$eventing_namespace" rollout status "$workload" --timeout=240s >/dev/null ||
      fail "$workload is not available: $(kubectl -n "$eventing_namespace" get pods)"
  done
}

main() {
  local began=$SECONDS
  say "building eventing-jetstream's images"
  resolve_images
  # Repeated while Knative's webhook, which looks at ConfigMaps, is not there yet.
  eventually 120 "$resolved to be accepted" kubectl apply --server-side --force-conflicts --filename "$resolved"
  wait_until_rolled_out
  say "eventing-jetstream is available after $((SECONDS - began)) s"
}
main
