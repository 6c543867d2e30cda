#!/usr/bin/env bash
# Builds and pushes the images, and writes the YAML that installs them: bin/release/eventing-jetstream.yaml, and
# bin/release/nats.yaml with the NATS to try it with. Nothing is applied.
# Usage: hack/release.sh TAG, with KO_DOCKER_REPO set; PLATFORMS names what to build for.
set -euo pipefail
repo=$(cd "$(dirname "$0")/.." && pwd)
readonly repo tag=${1:?usage: hack/release.sh TAG} release=$repo/bin/release
: "${KO_DOCKER_REPO:?must name the registry that takes the images}"

resolve() {
  local output=$1
  shift
  # One file or none: a release must not be half of this one and half of the last.
  (cd "$repo" && "$repo/bin/cluster/ko" resolve --jobs 2 --recursive --base-import-paths --tags "$tag" \
    --platform "${PLATFORMS:-linux/amd64,linux/arm64}" "${@/#/--filename=}" >"$output.new")
  mv "$output.new" "$output"
  echo "release: $output"
}

[[ -z $(git -C "$repo" status --porcelain) ]] || echo "release: the working tree is not clean: the images hold what is not committed" >&2
"$repo/hack/cluster/build.sh" ko
mkdir -p "$release"
resolve "$release/eventing-jetstream.yaml" config/core
resolve "$release/nats.yaml" config/nats
