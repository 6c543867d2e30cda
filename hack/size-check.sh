#!/usr/bin/env bash
# Fails on Go files that are too long to hold in mind, on packages whose name says nothing, and on a data plane above its budget.
# Generated code is left out. The worst ten files are always printed, so that a file on its way to the limit is seen before it
# gets there. Usage: hack/size-check.sh [--packages], which prints the lines of each package as well.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly max_lines=400
readonly empty_names='util|utils|common|helper|helpers|base|core|misc'
# The data plane is what an event passes through, without what makes and removes streams and buckets, migrates, or is for tests. Its budget is
# lowered when it shrinks, and raised with a line in docs/decisions.md that says why. The goal is 12700.
readonly data_plane_budget=14380
readonly data_plane='^(pkg/(body|jsonscan|event|naming|delivery|filter|count|route|limit|ingress|dispatch|deliver|share|telemetry)|pkg/jetstream(/.*)?|cmd/(internal/(daemon|dataplane|memory)|ingress|filter))$'
readonly not_data_plane='^pkg/jetstream/(owner|handles|letters|replay|tail|buckets|status|describe|migrate|embedded|internal/jstest)(/|$)'

go_files() {
  find . -name '*.go' -not -path './third_party/*' -not -path './pkg/client/*' -not -name 'zz_generated*' "$@"
}

sizes=$(go_files -exec wc -l {} + | awk '$2 != "total"' | sort -rn)
echo "longest Go files (limit $max_lines lines):"
sed -n '1,10p' <<<"$sizes"

# The lines of each package without its tests, and its folder.
packages=$(awk '$2 !~ /_test[.]go$/ { folder = $2; gsub("^[.]/|/[^/]*$", "", folder); lines[folder] += $1 }
  END { for (folder in lines) printf "%7d %s\n", lines[folder], folder }' <<<"$sizes" | sort -k 2)
if [[ ${1:-} == --packages ]]; then
  printf 'lines of each package, without tests; * is the data plane:\n'
  awk -v inside="$data_plane" -v outside="$not_data_plane" '{ print $0 ($2 ~ inside && $2 !~ outside ? " *" : "") }' <<<"$packages"
fi

failed=0
sum=$(awk -v inside="$data_plane" -v outside="$not_data_plane" '$2 ~ inside && $2 !~ outside { sum += $1 } END { print sum }' <<<"$packages")
echo "the data plane has $sum lines (budget $data_plane_budget)"
if ((sum > data_plane_budget)); then
  echo "the data plane is $((sum - data_plane_budget)) lines over its budget, which stands in $0; see make size" >&2
  failed=1
fi
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
