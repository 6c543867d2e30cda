#!/usr/bin/env bash
# Installs Knative Eventing, at the version that test/conformance/go.mod names, with its in-memory channel and its own broker
# class (some of upstream's tests use them) and the feature flags that upstream's tests want, and waits until it is available.
# Usage: hack/cluster/deploy-eventing.sh, after `make cluster` or with KUBECONFIG and KO_DOCKER_REPO set
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
source "$here/environment.sh"

readonly module=$repo/test/conformance resolved=$bin/eventing.yaml

# resolve_images: upstream's YAML with images that ko has built from upstream's source, in the module that replaces what
# cannot be had. The tests' own images come later, with the tests.
resolve_images() {
  local source=$1
  (cd "$module" && ko resolve --jobs 2 --recursive --sbom none \
    --filename "$source/config/core" \
    --filename "$source/config/channels/in-memory-channel" \
    --filename "$source/config/brokers/mt-channel-broker" >"$resolved.new" 2>"$bin/ko.log") ||
    fail "ko failed: $(tail -n 20 "$bin/ko.log")"
  mv "$resolved.new" "$resolved"
}

# apply FILE... : server-side, for the CRDs are too large for the annotation that kubectl would keep otherwise. Repeated while the
# webhook that looks at ConfigMaps is restarting.
apply() {
  local file
  for file in "$@"; do
    eventually 120 "$file to be accepted" kubectl apply --server-side --force-conflicts --filename "$file"
  done
}

# allow_cross_namespace: the webhook asks whether the one who makes the Trigger may subscribe to the Broker.
allow_cross_namespace() {
  kubectl create clusterrolebinding knsubscribe-test-rb --clusterrole crossnamespace-subscriber \
    --user "$(kubectl auth whoami --output jsonpath='{.status.userInfo.username}')" --dry-run=client --output yaml |
    kubectl apply --server-side --filename - >/dev/null
}

wait_until_available() {
  kubectl -n "$eventing_namespace" wait --for=condition=Available deployment --all --timeout="$1s" >/dev/null ||
    fail "Knative Eventing is not available: $(kubectl -n "$eventing_namespace" get pods)"
}

main() {
  local source began=$SECONDS
  source=$(cd "$module" && go list -m -f '{{.Dir}}' knative.dev/eventing)
  [[ -n $source ]] || source=$(cd "$module" && go mod download -json knative.dev/eventing | jq -r .Dir)
  say "building Knative Eventing's images"
  resolve_images "$source"
  say "images are pushed after $((SECONDS - began)) s"
  # First the namespace, for what is applied in it.
  apply "$source/config/core/100-namespace.yaml" "$here/manifests/eventing/images.yaml" "$resolved"
  # Its own pods must not wait for its own webhook (knative/eventing issue 8161).
  kubectl label namespace "$eventing_namespace" bindings.knative.dev/exclude=true --overwrite >/dev/null
  wait_until_available 240
  apply "$source/test/experimental/config/features.yaml" "$source/test/config/configmaps/config-sugar.yaml"
  kubectl -n "$eventing_namespace" patch configmap config-features --type merge \
    --patch '{"data":{"cross-namespace-event-links":"enabled"}}' >/dev/null
  allow_cross_namespace
  wait_until_available 120
  say "Knative Eventing is available after $((SECONDS - began)) s"
}
main
