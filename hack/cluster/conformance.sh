#!/usr/bin/env bash
# Runs tests of Knative Eventing and writes what came of each into a table: test, result, seconds, remark.
# Ends with an error unless each one passed. A test that was skipped, or that passed because a condition it starts from was not
# met, has shown nothing: its result is "skip". Each skipped step is listed with its reason.
# Usage: hack/cluster/conformance.sh [TEST...], by default all of conformance-tests.txt, after conformance-build.sh
# Environment: BROKER_CLASS and BROKER_TEMPLATES say which broker is tested, CONFORMANCE_TABLE where the table goes,
# CONFORMANCE_JOBS how many tests run at the same time, CONFORMANCE_PARALLEL how many steps of one test.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
source "$here/environment.sh"

readonly list=$here/conformance-tests.txt
table=$(realpath -m "${CONFORMANCE_TABLE:-$bin/conformance.txt}")
readonly table logs=$bin/conformance-logs jobs=${CONFORMANCE_JOBS:-3}
export SYSTEM_NAMESPACE=$eventing_namespace BROKER_CLASS=${BROKER_CLASS:?must name the class of broker to test}
[[ -z ${BROKER_TEMPLATES:-} ]] || BROKER_TEMPLATES=$(realpath "$BROKER_TEMPLATES")

package_of() { awk -v test="$1" '$2 == test { print $1 }' "$list"; }

# run TEST LOG: in its package's directory, from where it reads templates.
run() {
  local test=$1 log=$2 package directory
  package=$(package_of "$test")
  [[ -n $package ]] || fail "$test is not in $list"
  directory=$(cd "$repo/test/conformance" && go list -m -f '{{.Dir}}' knative.dev/eventing)/test/$package
  (cd "$directory" && "$bin/$package.test" -test.run "^$test\$" -test.v -test.timeout 30m \
    -test.parallel "${CONFORMANCE_PARALLEL:-8}" -images.producer.file="$bin/images.yaml" -teardown.on.fail) >"$log" 2>&1 </dev/null
}

# judge TEST LOG CODE: "result<tab>remark". A skipped phase of a test (Setup, Requirement, Assert) means that what the test
# starts from was not there. A skipped step is one that the specification recommends or allows, and that did not hold or that
# upstream does not check.
judge() {
  local test=$1 log=$2 code=$3 verdicts
  verdicts=$(awk -f "$here/conformance-verdicts.awk" "$log")
  if ((code != 0)); then
    printf 'FAIL\t%s' "$(deepest FAIL "$verdicts" || tail -n 1 "$log")"
  elif ! grep -qE "^--- PASS: $test " "$log"; then
    printf 'skip\t%s' "$(deepest SKIP "$verdicts" || echo 'did not run')"
  elif grep -qP '^SKIP\t.*/(Setup|Requirement|Assert)\t' <<<"$verdicts"; then
    printf 'skip\ta prerequisite was not met: %s' "$(deepest SKIP "$verdicts")"
  elif [[ -n $verdicts ]]; then
    printf 'pass\t%d optional steps skipped' "$(wc -l <<<"$verdicts")"
  else
    printf 'pass\t'
  fi
}

# deepest VERDICT VERDICTS: the name and the message of the step that the verdict comes from: the one with the longest path.
deepest() {
  awk -F '\t' -v verdict="$1" '$1 == verdict && gsub("/", "/", $2) >= depth { depth = gsub("/", "/", $2); step = $2 ": " $3 }
    END { if (step == "") exit 1; print step }' <<<"$2"
}

# skipped_steps TEST...: each with its reason, to be read with the table.
skipped_steps() {
  local test
  for test in "$@"; do
    awk -f "$here/conformance-verdicts.awk" "$logs/$test.log" |
      awk -F '\t' -v test="$test" '$1 == "SKIP" { n = split($2, path, "/"); print "skipped: " test ": " path[n] ": " $3 }'
  done
}

# run_one TEST: its row of the table goes to the file beside its log.
run_one() {
  local test=$1 log=$logs/$1.log began=$SECONDS code=0 result remark
  run "$test" "$log" || code=$?
  IFS=$'\t' read -r result remark <<<"$(judge "$test" "$log" "$code")"
  printf '%s\t%s\t%d\t%s\n' "$test" "$result" "$((SECONDS - began))" "$remark" | tee "$logs/$test.row"
}

# run_all TEST...: a few at a time, each in a namespace of its own; most of them wait most of the time.
run_all() {
  local test
  rm -rf "$logs"
  mkdir -p "$logs"
  for test in "$@"; do
    while (($(jobs -rp | wc -l) >= jobs)); do wait -n || true; done
    run_one "$test" &
  done
  wait
  : >"$table"
  for test in "$@"; do cat "$logs/$test.row" >>"$table"; done
}

(($# > 0)) || mapfile -t tests < <(awk '!/^#/ && NF { print $2 }' "$list")
(($# == 0)) || tests=("$@")
for test in "${tests[@]}"; do [[ -n $(package_of "$test") ]] || fail "$test is not in $list"; done
run_all "${tests[@]}"

passed=$(awk -F '\t' '$2 == "pass"' "$table" | wc -l)
printf '\n%s: %d of %d passed in %d s; logs in %s\n' "$BROKER_CLASS" "$passed" "${#tests[@]}" "$SECONDS" "$logs"
skipped_steps "${tests[@]}"
awk -F '\t' '$2 != "pass" { print "not passed: " $1 ": " $2 " " $4 }' "$table"
((passed == ${#tests[@]}))
