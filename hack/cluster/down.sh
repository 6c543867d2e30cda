#!/usr/bin/env bash
# Takes the local cluster down and removes what it left on the machine: processes, mounts, control groups, network, directories.
# Also cleans up after a run that was killed. Debian packages stay installed, and bin/cluster stays built.
# Usage: hack/cluster/down.sh, as root on Linux
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/settings.sh"
# shellcheck disable=SC1090 # each is checked by itself
for part in processes network daemons traces teardown; do source "$here/$part.sh"; done

[[ $EUID == 0 ]] || fail "needs root"
lock_cluster
take_down
