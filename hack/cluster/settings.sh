# shellcheck shell=bash disable=SC2034 # the scripts that source this file use what it sets
# Everything about the local cluster that is a choice: names, addresses, places. Versions of what is built are pinned in the
# go.mod files of third_party/cluster and test/conformance; what Debian packages has the versions of the Debian release.

readonly kubernetes_version=1.35.6
readonly eventing_namespace=knative-eventing

# One cluster per machine: its network namespace, its control group and its one directory have fixed names, so that a run that
# was killed can be cleaned up by the next one, from whichever checkout.
readonly cluster=eventing-jetstream
readonly state=/var/lib/$cluster-cluster
readonly netns=/run/netns/$cluster

# Inside the network namespace nothing clashes with the machine's own networks. Only the veth pair's two addresses are seen
# outside of it. They are private ones because ko and crane take a registry at a private address as plain http.
readonly host_address=10.255.77.1 node_address=10.255.77.2 node_prefix=30
readonly pod_cidr=10.244.0.0/16 service_cidr=10.96.0.0/16
readonly kubernetes_service=10.96.0.1 dns_service=10.96.0.10
readonly node=node-1 domain=cluster.local
readonly registry=$node_address:5000

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly repo
readonly bin=$repo/bin/cluster
readonly kubeconfig=$bin/kubeconfig
readonly base_image=$registry/base:1 pause_image=$registry/pause:1 coredns_image=$registry/coredns:1
# The tag of those images of upstream's tests that are found by name and tag.
readonly test_image_tag=conformance
# Upstream's tests name this image; containerd asks the cluster's own registry for it.
readonly ubi_host=registry.access.redhat.com ubi_image=$registry/ubi8/ubi:latest

PATH=$bin:$PATH
# Not in the home directory of whoever runs this.
export KUBECACHEDIR=$bin/kubectl-cache
# A proxy that the environment names cannot reach the cluster, and need not.
export NO_PROXY=${NO_PROXY:+$NO_PROXY,}$node_address
export no_proxy=$NO_PROXY

say() { echo "cluster: $*"; }
fail() {
  echo "cluster: $*" >&2
  exit 1
}

# eventually SECONDS WHAT COMMAND... : repeats the command until it succeeds.
eventually() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "waited in vain for $what; the logs are in $state/logs"
    sleep 0.3
  done
}

# is_somebody_elses: the caller has set both variables, and they are not about this cluster.
is_somebody_elses() { [[ -n ${KUBECONFIG:-} && -n ${KO_DOCKER_REPO:-} && $KUBECONFIG != "$kubeconfig" ]]; }
