#!/usr/bin/env bash
# Runs tests of Knative Eventing and writes what came of each into a table: test, result, seconds, remark.
# Ends with an error unless each one passed. A test that was skipped, or that passed because a condition it starts from was not
# met, has shown nothing: its result is "skip". Each skipped step is listed with its reason.
# Usage: hack/cluster/conformance.sh [TEST...], by default all of conformance-tests.txt, after conformance-build.sh. A test is named as
# it is in that file, with or without its package: e2e/TestSequence.
# Environment: BROKER_CLASS and BROKER_TEMPLATES say which broker is tested, CHANNEL_GROUP_KIND and CHANNEL_VERSION which channel,
# CONFORMANCE_TABLE where the table goes, CONFORMANCE_JOBS how many tests run at the same time, CONFORMANCE_PARALLEL how many steps of
# one test.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
source "$here/environment.sh"

readonly list=$here/conformance-tests.txt
table=$(realpath -m "${CONFORMANCE_TABLE:-$bin/conformance.txt}")
readonly table logs=$bin/conformance-logs jobs=${CONFORMANCE_JOBS:-3}
tests=()
export SYSTEM_NAMESPACE=$eventing_namespace BROKER_CLASS=${BROKER_CLASS:?must name the class of broker to test}
[[ -z ${BROKER_TEMPLATES:-} ]] || BROKER_TEMPLATES=$(realpath "$BROKER_TEMPLATES")
export CHANNEL_GROUP_KIND=${CHANNEL_GROUP_KIND:?must name the kind of channel to test, such as Kind.group} CHANNEL_VERSION=${CHANNEL_VERSION:?}
# Where the older tests put the logs of pods when they fail in CI.
export ARTIFACTS=$logs

# entries TEST: the lines that a name stands for, each as package/test. The same name can be in two packages.
entries() { awk -v test="$1" '!/^#/ && ($2 == test || $1 "/" $2 == test) { print $1 "/" $2 }' "$list"; }

# options PACKAGE: the older tests take the kind of channel as a flag, and find their images in KO_DOCKER_REPO.
options() {
  case $1 in
  conformance | e2e) echo "-channels=${CHANNEL_GROUP_KIND#*.}/$CHANNEL_VERSION:${CHANNEL_GROUP_KIND%%.*} -tag=$test_image_tag" ;;
  *) echo "-images.producer.file=$bin/images.yaml" -teardown.on.fail ;;
  esac
}

# run PACKAGE/TEST LOG: in its package's directory, from where it reads templates.
run() {
  local package=${1%%/*} test=${1#*/} log=$2 directory flags
  directory=$(cd "$repo/test/conformance" && go list -m -f '{{.Dir}}' knative.dev/eventing)/test/$package
  read -ra flags <<<"$(options "$package")"
  (cd "$directory" && "$bin/$package.test" -test.run "^$test\$" -test.v -test.timeout 30m \
    -test.parallel "${CONFORMANCE_PARALLEL:-8}" "${flags[@]}") >"$log" 2>&1 </dev/null
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

# skipped_steps PACKAGE/TEST...: each with its reason, to be read with the table.
skipped_steps() {
  local test
  for test in "$@"; do
    awk -f "$here/conformance-verdicts.awk" "$(log_of "$test")" |
      awk -F '\t' -v test="$test" '$1 == "SKIP" { n = split($2, path, "/"); print "skipped: " test ": " path[n] ": " $3 }'
  done
}

log_of() { echo "$logs/${1/\//-}.log"; }

# run_one PACKAGE/TEST: its row of the table goes to the file beside its log.
run_one() {
  local log began=$SECONDS code=0 result remark
  log=$(log_of "$1")
  run "$1" "$log" || code=$?
  IFS=$'\t' read -r result remark <<<"$(judge "${1#*/}" "$log" "$code")"
  printf '%s\t%s\t%d\t%s\n' "$1" "$result" "$((SECONDS - began))" "$remark" | tee "${log%.log}.row"
}

# run_all PACKAGE/TEST...: a few at a time, each in a namespace of its own; most of them wait most of the time.
run_all() {
  local test log
  rm -rf "$logs"
  mkdir -p "$logs"
  for test in "$@"; do
    while (($(jobs -rp | wc -l) >= jobs)); do wait -n || true; done
    run_one "$test" &
  done
  wait
  : >"$table"
  for test in "$@"; do
    log=$(log_of "$test")
    cat "${log%.log}.row" >>"$table"
  done
}

(($# > 0)) || mapfile -t tests < <(awk '!/^#/ && NF { print $1 "/" $2 }' "$list")
for test in "$@"; do
  [[ -n $(entries "$test") ]] || fail "$test is not in $list"
  mapfile -t -O "${#tests[@]}" tests < <(entries "$test")
done
run_all "${tests[@]}"

passed=$(awk -F '\t' '$2 == "pass"' "$table" | wc -l)
printf '\n%s and %s: %d of %d passed in %d s; logs in %s\n' "$BROKER_CLASS" "${CHANNEL_GROUP_KIND%%.*}" "$passed" "${#tests[@]}" "$SECONDS" "$logs"
skipped_steps "${tests[@]}"
awk -F '\t' '$2 != "pass" { print "not passed: " $1 ": " $2 " " $4 }' "$table"
((passed == ${#tests[@]}))
