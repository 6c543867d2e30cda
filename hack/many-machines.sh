#!/usr/bin/env bash
# Runs the README's commands of "On many machines" as a reader would copy them: the first block are processes that go on, the second
# block is typed while they run. Ports, the store of NATS and a copy of the example are temporary.
# Usage: hack/many-machines.sh, after bin/kn-jetstream, bin/ingress and bin/filter were built
set -euo pipefail
cd "$(dirname "$0")/.."
set -m # each process gets a group of its own: go run has a child
source hack/black-box.sh

# block N: the lines of the Nth code block under the heading.
block() {
  awk -v want="$1" '/^### / { on = ($0 == "### On many machines") } on && /^```/ { fence++; next } on && fence == 2 * want - 1' README.md
}

# adapted: the commands with the temporary ports, store and files.
free_port; readonly nats=$port
free_port; readonly ingress=$port
free_port; readonly display=$port
adapt() { sed "s/4222/$nats/g; s/8080/$ingress/g; s/8081/$display/g; s#/tmp/many-machines#$work/nats#g; s#examples/many-machines#$work/files#g"; }
mkdir "$work/files"
for file in examples/many-machines/*.yaml; do adapt <"$file" >"$work/files/$(basename "$file")"; done

n=0
while read -r command; do
  n=$((n + 1))
  bash -c "exec $command" >"$work/$n.log" 2>&1 </dev/null &
  processes+=($!)
done < <(block 1 | adapt)
((n == 4)) || fail "the README has $n commands in the first block, want 4"

eventually 60 "NATS" listens "$nats"
eventually 30 "the subscriber" listens "$display"
while read -r command; do
  eventually 30 "success of: $command" bash -c "$command"
done < <(block 2 | adapt)
eventually 30 "the event at the subscriber" grep -qE '[ :]order-20$' "$work/4.log"
get=$(block 2 | adapt | grep ' get ')
eventually 30 "the Trigger to be ready" bash -c "$get | grep -q 'orders.*true'"
! grep -qi 'dead letter' "$work/3.log" || fail "the filter tells of a dead letter"
echo "the README's commands for many machines work: the event came to the subscriber"
