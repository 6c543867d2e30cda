# shellcheck shell=bash
# Chooses the cluster that the scripts after `make cluster` work on: the caller's, when KUBECONFIG and KO_DOCKER_REPO are both
# set (kind, GKE, ...), else the local one. To be sourced after settings.sh.

if ! is_somebody_elses; then
  [[ -e $state/complete && -e $kubeconfig ]] || fail "no cluster: run make cluster, or set KUBECONFIG and KO_DOCKER_REPO"
  export KUBECONFIG=$kubeconfig KO_DOCKER_REPO=$registry/ko KO_DEFAULTBASEIMAGE=$base_image
fi

# What ko has compiled and packed is kept, so that deploying again takes seconds.
export KOCACHE=${KOCACHE:-$bin/ko-cache}

