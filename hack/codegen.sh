#!/usr/bin/env bash
# Generates deep copies of the API types and the client in pkg/client, with the generators that third_party/codegen pins.
# Usage: hack/codegen.sh, or hack/codegen.sh --check, which changes nothing and fails when what is committed is not what would
# be generated.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly go=${GO:-go} tools=$PWD/bin/codegen module=github.com/eventing-jetstream/eventing-jetstream
readonly api=pkg/apis/messaging/v1alpha1 client=pkg/client
readonly types=$module/$api clientset=$module/$client/clientset informers=$module/$client/informers listers=$module/$client/listers

# The generators see a copy without what they have written before: none of them reads what another writes, and a check must not
# write into the working tree.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r go.mod go.sum pkg "$work"
rm -rf "$work/$client" "$work/$api"/zz_generated*
mkdir -p "$work/$client" "$tools"

(cd third_party/codegen && "$go" build -o "$tools/" tool)

cd "$work"
export GOFLAGS=-mod=mod
"$tools/deepcopy-gen" --go-header-file /dev/null --output-file zz_generated.deepcopy.go "$types"
"$tools/client-gen" --go-header-file /dev/null --output-dir "$client/clientset" --output-pkg "$clientset" \
  --clientset-name versioned --input-base "$module/pkg/apis" --input messaging/v1alpha1
"$tools/lister-gen" --go-header-file /dev/null --output-dir "$client/listers" --output-pkg "$listers" "$types"
"$tools/informer-gen" --go-header-file /dev/null --output-dir "$client/informers" --output-pkg "$informers" \
  --versioned-clientset-package "$clientset/versioned" --listers-package "$listers" "$types"
"$tools/injection-gen" --go-header-file /dev/null --output-dir "$client/injection" --output-package "$module/$client/injection" \
  --versioned-clientset-package "$clientset/versioned" --external-versions-informers-package "$informers/externalversions" \
  --listers-package "$listers" --input-dirs "$types"
cd "$OLDPWD"

if [[ ${1:-} == --check ]]; then
  diff -r "$work/$client" "$client" && diff "$work/$api/zz_generated.deepcopy.go" "$api/zz_generated.deepcopy.go" || {
    echo "generated code is stale; run make generate" >&2
    exit 1
  }
else
  rm -rf "$client"
  cp -r "$work/$client" "$client"
  cp "$work/$api/zz_generated.deepcopy.go" "$api/"
fi
