#!/usr/bin/env bash
# Runs test/cluster: this project's own tests of a cluster. Some of them take pods of this project and its NATS away and back.
# Usage: hack/cluster/e2e.sh [FLAG...], flags of go test such as -run TestPermissions, after deploy.sh
# Environment: E2E_TRIGGERS is how often a Trigger is made, awaited and used (100).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
source "$here/environment.sh"

cd "$repo"
image=$(ko build --sbom none ./cmd/kn-jetstream 2>"$bin/ko.log") || fail "ko failed: $(tail -n 20 "$bin/ko.log")"
# -count=1  the cluster is not what it was the last time.
go test -tags cluster -count=1 -timeout 20m -v "$@" ./test/cluster -image "$image" -triggers "${E2E_TRIGGERS:-100}"
