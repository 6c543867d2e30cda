#!/usr/bin/env bash
# Runs the part of the README's Kubernetes section that comes after the installation: applies examples/kubernetes, posts the
# README's own curl command through a port-forward, and looks for the event in the subscriber's log. The
# README's section on Channels after that, with examples/kubernetes-channel. Removes what it made.
# Usage: hack/cluster/quickstart.sh, after deploy.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
source "$here/environment.sh"

readonly examples=$repo/examples/kubernetes channels=$repo/examples/kubernetes-channel
forward=
work=$(mktemp -d)
clean_up() {
  [[ -z $forward ]] || kill "$forward" 2>/dev/null || true
  kubectl delete --ignore-not-found --recursive --filename "$channels" --filename "$examples" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean_up EXIT

# readme_curl SECTION: its curl command, with its continuation lines.
readme_curl() {
  awk -v section="### $1" '$0 == section { within = 1 } within && /^curl / { on = 1 } on { print; if (!/\\$/) exit }' "$repo/README.md"
}

forwards() { [[ $(grep -oE '127\.0\.0\.1:[0-9]+' "$work/forward.log" | head -n 1) ]]; }

arrived() { kubectl logs deployment/display | grep -qE "[ :]$1\$"; }

# send SECTION: posts the section's event, through the port-forward, and waits until the subscriber has printed it.
send() {
  local command id port answer
  command=$(readme_curl "$1")
  id=$(grep -oE 'ce-id: *[^"'\'' ]+' <<<"$command" | sed 's/.*: *//') || true
  [[ -n $id ]] || fail "the README's section $1 has no curl command with a ce-id"
  port=$(grep -oE '127\.0\.0\.1:[0-9]+' "$work/forward.log" | head -n 1)
  answer=$(bash -c "${command//127.0.0.1:8080/$port}" 2>/dev/null)
  [[ $answer == *" 202 "* ]] || fail "answered $answer, want 202"
  eventually 30 "the event of the README's section $1 in the subscriber's log" arrived "$id"
  say "the event of the README's section $1 was accepted, delivered and printed"
}

(cd "$repo" && ko apply --sbom none --filename "$examples" >"$bin/ko.log" 2>&1) || fail "ko failed: $(tail -n 20 "$bin/ko.log")"
kubectl rollout status deployment/display --timeout=120s >/dev/null || fail "the subscriber does not start"
kubectl wait --for=condition=Ready broker/default trigger/orders-created --timeout=120s >/dev/null ||
  fail "not Ready: $(kubectl get broker/default trigger/orders-created --output yaml)"

# Any free port of this machine: 8080 may be taken.
kubectl -n "$eventing_namespace" port-forward service/eventing-jetstream-ingress :80 >"$work/forward.log" 2>&1 &
forward=$!
eventually 30 "the port-forward" forwards
send "In Kubernetes"

kubectl apply --filename "$channels" >/dev/null
kubectl wait --for=condition=Ready natsjetstreamchannel/orders subscription/orders-display --timeout=120s >/dev/null ||
  fail "not Ready: $(kubectl get natsjetstreamchannel/orders subscription/orders-display --output yaml)"
send Channels
