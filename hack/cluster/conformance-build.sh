#!/usr/bin/env bash
# Builds Knative Eventing's tests, unchanged, into bin/cluster, and pushes the images that they start.
# Usage: hack/cluster/conformance-build.sh, after `make cluster` or with KUBECONFIG and KO_DOCKER_REPO set
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
source "$here/environment.sh"

# What the tests that are run here start. A test that wants another image says so and fails.
readonly test_images=(
  knative.dev/reconciler-test/cmd/eventshub knative.dev/eventing/cmd/heartbeats knative.dev/eventing/test/test_images/print
)

# What the tests in test/conformance and test/e2e start.
readonly older_images=(
  knative.dev/eventing/test/test_images/event-sender knative.dev/eventing/test/test_images/print
  knative.dev/eventing/test/test_images/recordevents knative.dev/eventing/test/test_images/request-sender
)

build_tests() {
  local package=$1
  [[ ! -x $bin/$package.test || $bin/$package.test -ot go.mod || $bin/$package.test -ot go.sum ]] || return 0
  say "building the tests of $package"
  go test -p 2 -c -tags e2e -o "$bin/$package.test" "knative.dev/eventing/test/$package"
  touch "$bin/$package.test"
}

# push_images: the tests find the images in a file: package, colon, image.
push_images() {
  local package image
  for package in "${test_images[@]}"; do
    image=$(ko build --sbom none "$package" 2>"$bin/ko.log") || fail "ko failed: $(tail -n 20 "$bin/ko.log")"
    echo "$package: $image"
  done >"$bin/images.yaml"
}

# push_older_images: the tests in test/conformance and test/e2e find theirs by name and tag.
push_older_images() {
  ko build --sbom none --base-import-paths --tags "$test_image_tag" "${older_images[@]}" >/dev/null 2>"$bin/ko.log" ||
    fail "ko failed: $(tail -n 20 "$bin/ko.log")"
}

mkdir -p "$bin"
cd "$repo/test/conformance"
for package in rekt experimental conformance e2e; do build_tests "$package"; done
push_images
push_older_images
