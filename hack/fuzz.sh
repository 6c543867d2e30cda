#!/usr/bin/env bash
# Runs every fuzz target for the given time. `go test -fuzz` takes one target of one package, hence the loop.
# Usage: hack/fuzz.sh [TIME]
set -euo pipefail
cd "$(dirname "$0")/.."

readonly time=${1:-10s} go=${GO:-go}

grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' cmd pkg test | sort |
  while IFS=: read -r file func; do
    target=${func#func }
    echo "== $target in $(dirname "$file")"
    "$go" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./$(dirname "$file")" </dev/null
  done
