#!/usr/bin/env bash
# Brings up a Kubernetes cluster of one node on this machine, without Docker: its processes run in a network namespace of their
# own, everything it writes is in one directory. Repeated, it starts what does not run; after a run that was killed, or when
# its settings have changed, it cleans up and begins anew. With KUBECONFIG and KO_DOCKER_REPO set it leaves it at that cluster.
# Usage: hack/cluster/up.sh, as root on Linux
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
# shellcheck disable=SC1090 # each is checked by itself
for part in packages processes network certificates images daemons traces teardown; do source "$here/$part.sh"; done

# settings_digest: changes when a cluster that runs is no longer the one that these scripts describe.
settings_digest() {
  cat "$here"/{settings,network,certificates,images,daemons}.sh "$here/manifests/coredns.yaml" \
    "$repo"/third_party/cluster/*/go.mod | sha256sum | cut -d' ' -f1
}

is_current() { [[ -e $netns && -e $state/complete && $(<"$state/complete") == "$(settings_digest)" ]]; }

begin() {
  take_down
  mkdir -p "$state"
  remember_machine
  make_cgroups
  network_up
  make_certificates
  write_cni_configuration
  write_containerd_configuration
  write_kubelet_configuration
}

start_all() {
  install -D -m 600 "$certificates/admin.kubeconfig" "$kubeconfig"
  export KUBECONFIG=$kubeconfig
  start_registry
  start_containerd
  start_control_plane
  start_node
}

add_dns() {
  sed -e "s|DNS_SERVICE|$dns_service|; s|DNS_IMAGE|$coredns_image|; s|DNS_DOMAIN|$domain|g" "$here/manifests/coredns.yaml" |
    kubectl apply -f - >/dev/null
}

wait_until_ready() {
  eventually 60 "the node to register" kubectl get node "$node"
  kubectl wait --for=condition=Ready "node/$node" --timeout=60s >/dev/null || fail "the node is not ready"
  kubectl -n kube-system rollout status deployment/coredns --timeout=60s >/dev/null || fail "CoreDNS is not ready"
}

main() {
  local began=$SECONDS
  [[ $(uname -s) == Linux && $EUID == 0 ]] || fail "needs root on Linux; or set KUBECONFIG and KO_DOCKER_REPO"
  install_packages
  "$here/build.sh"
  lock_cluster
  if ! is_current; then
    SECONDS=0 began=0
    begin
  fi
  start_all
  add_dns
  wait_until_ready
  settings_digest >"$state/complete"
  say "is up after $((SECONDS - began)) s; to use it:"
  printf 'export %s=%s\n' KUBECONFIG "$kubeconfig" KO_DOCKER_REPO "$registry/ko" KO_DEFAULTBASEIMAGE "$base_image"
}

if is_somebody_elses; then
  say "KUBECONFIG and KO_DOCKER_REPO are set: using that cluster"
else
  main
fi
