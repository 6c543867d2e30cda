#!/usr/bin/env bash
# Runs the README's quickstart as a newcomer would, from outside: starts what `make run` starts, posts the README's own curl
# command, waits for the event in the terminal, stops, starts again, and looks for what was not delivered the first time.
# The port, the store and a copy of the examples are temporary, so that a broker that runs already is left in peace.
# Usage: hack/quickstart.sh, after `make cli`
set -euo pipefail
cd "$(dirname "$0")/.."
set -m # a background job of a script without job control would ignore the interrupt that is to stop it

readonly program=$PWD/bin/kn-jetstream readme_port=8080
source hack/black-box.sh

# start LOG: the program on its port, its output in LOG.
start() {
  "$program" run -f "$work/quickstart" --listen "127.0.0.1:$port" --store "$work/store" >"$work/$1.log" 2>&1 &
  broker=$!
  processes=("$broker")
  eventually 60 "the broker to listen" answers_or_ended
  kill -0 "$broker" 2>/dev/null || fail "the broker ended by itself"
}
answers_or_ended() {
  ! kill -0 "$broker" || curl --silent --fail --request OPTIONS "http://127.0.0.1:$port/default/default"
}

# stop: interrupts the program, which has 30 s to drain, and checks its exit code.
stop() {
  local code=0
  kill -INT "$broker"
  wait "$broker" || code=$?
  processes=()
  ((code == 0)) || fail "the broker's exit code after an interrupt is $code, want 0"
}

# post COMMAND: runs a curl command and checks for 202. The status comes through curl's own settings file, so that the
# command stays as the reader of the README types it.
post() {
  local status
  status=$(CURL_HOME=$work bash -c "$1" | tail -n 1)
  [[ $status == 202 ]] || fail "answered $status, want 202, to: $1"
}

# readme_curl: the first curl command in the README, with its continuation lines.
readme_curl() { awk '/^[ $]*curl / { on = 1 } on { sub(/^ *\$ /, ""); print; if (!/\\$/) exit }' README.md; }

# late_trigger URL: a Trigger for events of one type only, with a subscriber that this test chooses.
late_trigger() {
  cat >"$work/quickstart/late.yaml" <<EOF
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: late
  namespace: default
spec:
  broker: default
  filter:
    attributes:
      type: com.example.late
  subscriber:
    uri: $1
  delivery:
    retry: 1000
    backoffPolicy: linear
    backoffDelay: PT0.1S
EOF
}

[[ -x $program ]] || fail "$program is missing; run make cli"
free_port
cp -r examples/quickstart "$work/quickstart"
sed -i.orig "s/127\.0\.0\.1:$readme_port/127.0.0.1:$port/g; s/localhost:$readme_port/localhost:$port/g" "$work"/quickstart/*.yaml
rm -f "$work"/quickstart/*.orig
late_trigger "http://127.0.0.1:9/" # nothing listens there
printf '%s\n' silent show-error 'write-out = "\n%{http_code}\n"' >"$work/.curlrc"

command=$(readme_curl | sed "s/:$readme_port/:$port/g")
[[ -n $command ]] || fail "the README has no curl command"
id=$(grep -ioE 'ce-id: *[^"'\'' ]+' <<<"$command" | head -n 1 | sed 's/.*: *//')
[[ -n $id ]] || fail "the README's curl command has no ce-id header"

start first
post "$command"
# As a value: alone at the end of a line.
eventually 20 "the README's event in the terminal" grep -qE "[ :]$id\$" "$work/first.log"
echo "the README's event was accepted, delivered and printed"

post "curl -X POST http://127.0.0.1:$port/default/default -H 'ce-specversion: 1.0' -H 'ce-id: late-1' \
  -H 'ce-source: /quickstart-test' -H 'ce-type: com.example.late' -d '{}' -H 'content-type: application/json'"
stop
echo "an interrupt ended the broker with exit code 0"

late_trigger "http://127.0.0.1:$port/-/display/late"
start second
eventually 60 "the undelivered event after the restart" grep -qE '[ :]late-1$' "$work/second.log"
! grep -qE "[ :]$id\$" "$work/second.log" || fail "the event that was delivered before the restart came again"
"$program" send "http://127.0.0.1:$port/default/default" --type com.example.late --id late-2 --data '{"by":"send"}'
eventually 20 "the event of kn-jetstream send" grep -qE '[ :]late-2$' "$work/second.log"
stop
echo "the undelivered event was there after the restart, the delivered one was not repeated"
