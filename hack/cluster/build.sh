#!/usr/bin/env bash
# Builds what the local cluster consists of into bin/cluster, from the module proxy's sources: whatever is missing or older than
# its pinned version. About ten minutes on two cores the first time, a moment after that.
# Usage: hack/cluster/build.sh [PROGRAM...], by default all
set -euo pipefail
source "$(dirname "$0")/settings.sh"
readonly modules=$repo/third_party/cluster

# Each of these modules has a go.mod of its own, so that none changes the versions of another's dependencies.
module_of() {
  case $1 in
  kube*) echo kubernetes ;;
  etcd | coredns) echo "$1" ;;
  ko | crane) echo images ;;
  *) fail "no program $1" ;;
  esac
}

package_of() {
  case $1 in
  kube*) echo "k8s.io/kubernetes/cmd/$1" ;;
  etcd) echo go.etcd.io/etcd/server/v3 ;;
  coredns) echo github.com/coredns/coredns ;;
  ko) echo github.com/google/ko ;;
  crane) echo github.com/google/go-containerregistry/cmd/crane ;;
  esac
}

# Kubernetes takes its version from the linker. Without it the server says v0.0.0, which Knative's version check refuses.
linker_flags() {
  local variable=k8s.io/component-base/version major minor
  IFS=. read -r major minor _ <<<"$kubernetes_version"
  echo "-s -w -X $variable.gitVersion=v$kubernetes_version -X $variable.gitMajor=$major -X $variable.gitMinor=$minor"
}

is_built() {
  local module
  module=$modules/$(module_of "$1")
  [[ -x $bin/$1 && $bin/$1 -nt $module/go.mod && $bin/$1 -nt $module/go.sum ]]
}

build() {
  local module cgo='' began=$SECONDS
  module=$(module_of "$1")
  # CoreDNS runs in an image that has no C library.
  [[ $1 != coredns ]] || cgo=0
  say "building $1"
  (cd "$modules/$module" &&
    CGO_ENABLED=$cgo go build -p 2 -trimpath -ldflags "$(linker_flags)" -o "$bin/$1.new" "$(package_of "$1")")
  # In one step: the old one may be running.
  mv "$bin/$1.new" "$bin/$1"
  say "built $1 in $((SECONDS - began)) s"
}

build_pause() {
  (cd "$repo" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$bin/pause" ./hack/cluster/pause)
}

mkdir -p "$bin"
(($# > 0)) || set -- kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl etcd coredns ko crane
for program in "$@"; do is_built "$program" || build "$program"; done
build_pause
