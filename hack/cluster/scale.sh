#!/usr/bin/env bash
# Measures the controllers, and writes docs/scale.md, after deploy.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$here/e2e.sh" -run '^$' -bench . -benchtime 1x | tee "$log"

# A benchmark's line: its name, how often it ran, and pairs of a figure and its unit.
{
  cat <<'EOF'
# What the controllers take

Written by `make scale`, not by hand, on the local cluster: API server, etcd, NATS and the controllers share its CPUs.
Reconciliations are the leader's; `passed-by` counts those of the other replica as well, which does nothing then.
CPU-s, API calls and status writes are of both. A deletion is that of the namespace with all Triggers and their Broker,
until nothing of it is left in NATS either.

| Benchmark | What | Measured |
| --- | --- | --- |
EOF
  awk '/^Benchmark/ && NF > 2 {
    name = $1; sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name)
    for (i = 3; i < NF; i += 2)
      if ($(i + 1) == "ns/op") printf "| %s | s until all are Ready | %.0f |\n", name, $i / 1e9
      else printf "| %s | %s | %s |\n", name, $(i + 1), $i
  }' "$log"
  printf '\nOf %s, with %s CPUs.\n' "$(git -C "$repo" describe --always --dirty)" "$(nproc)"
} >"$repo/docs/scale.md"
