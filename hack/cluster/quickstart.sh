#!/usr/bin/env bash
# Runs the part of the README's Kubernetes section that comes after the installation: applies examples/kubernetes, posts the
# README's own curl command through a port-forward, and looks for the event in the subscriber's log. Removes what it made.
# Usage: hack/cluster/quickstart.sh, after deploy.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
source "$here/environment.sh"

readonly examples=$repo/examples/kubernetes
forward=
work=$(mktemp -d)
clean_up() {
  [[ -z $forward ]] || kill "$forward" 2>/dev/null || true
  kubectl delete --ignore-not-found --recursive --filename "$examples" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean_up EXIT

# readme_curl: the curl command of the section, with its continuation lines.
readme_curl() {
  awk '/^### In Kubernetes/ { section = 1 } section && /^curl / { on = 1 } on { print; if (!/\\$/) exit }' "$repo/README.md"
}

forwards() { [[ $(grep -oE '127\.0\.0\.1:[0-9]+' "$work/forward.log" | head -n 1) ]]; }

command=$(readme_curl)
id=$(grep -oE 'ce-id: *[^"'\'' ]+' <<<"$command" | sed 's/.*: *//')
[[ -n $id ]] || fail "the README's Kubernetes section has no curl command with a ce-id"

(cd "$repo" && ko apply --sbom none --filename "$examples" >"$bin/ko.log" 2>&1) || fail "ko failed: $(tail -n 20 "$bin/ko.log")"
kubectl rollout status deployment/display --timeout=120s >/dev/null || fail "the subscriber does not start"
kubectl wait --for=condition=Ready broker/default trigger/orders-created --timeout=120s >/dev/null ||
  fail "not Ready: $(kubectl get broker/default trigger/orders-created --output yaml)"

# Any free port of this machine: 8080 may be taken.
kubectl -n "$eventing_namespace" port-forward service/eventing-jetstream-ingress :80 >"$work/forward.log" 2>&1 &
forward=$!
eventually 30 "the port-forward" forwards
port=$(grep -oE '127\.0\.0\.1:[0-9]+' "$work/forward.log" | head -n 1)
answer=$(bash -c "${command//127.0.0.1:8080/$port}" 2>/dev/null)
[[ $answer == *" 202 "* ]] || fail "answered $answer, want 202"
arrived() { kubectl logs deployment/display | grep -qE "[ :]$id\$"; }
eventually 30 "the README's event in the subscriber's log" arrived
say "the README's event was accepted, delivered and printed"
