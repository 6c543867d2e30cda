#!/usr/bin/env bash
# Fails on Go files that are too long to hold in mind and on packages whose name says nothing. Generated code is left out.
# The worst ten are always printed, so that a file on its way to the limit is seen before it gets there.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly max_lines=400
readonly empty_names='util|utils|common|helper|helpers|base|core|misc'

go_files() {
  find . -name '*.go' -not -path './third_party/*' -not -path './pkg/client/*' -not -name 'zz_generated*' "$@"
}

sizes=$(go_files -exec wc -l {} \; | sort -rn)
echo "longest Go files (limit $max_lines lines):"
sed -n '1,10p' <<<"$sizes"

failed=0
if too_long=$(awk -v max="$max_lines" '$1 > max' <<<"$sizes") && [[ -n $too_long ]]; then
  printf 'over %d lines; is there a second idea in them?\n%s\n' "$max_lines" "$too_long" >&2
  failed=1
fi
# By folder and by package clause: the two may differ.
if bad=$(go_files -exec dirname {} \; | sort -u | grep -E "/($empty_names)$"); then
  printf 'folders whose name says nothing:\n%s\n' "$bad" >&2
  failed=1
fi
if bad=$(go_files -exec grep -HnE "^package ($empty_names)(_test)?$" {} +); then
  printf 'packages whose name says nothing:\n%s\n' "$bad" >&2
  failed=1
fi
exit "$failed"
