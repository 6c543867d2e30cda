#!/usr/bin/env bash
# Looks for known vulnerabilities in what the programs call. The database is Go's own, https://vuln.go.dev, or the copy that
# GOVULNDB names (https://… or file:///…). Where Go's own can't be reached, this says NOT RUN and does not fail.
# Usage: hack/vuln.sh GOVULNCHECK [PACKAGES...]
set -euo pipefail
cd "$(dirname "$0")/.."

readonly govulncheck=${1:?usage: hack/vuln.sh GOVULNCHECK [PACKAGES...]} database=${GOVULNDB:-https://vuln.go.dev}
shift
(($# > 0)) || set -- ./...

if [[ -z ${GOVULNDB:-} ]] && ! reason=$(curl -fsS --retry 2 --max-time 20 -o /dev/null "$database/index/modules.json.gz" 2>&1); then
  echo "vuln: NOT RUN, as the database of vulnerabilities cannot be reached (${reason##*$'\n'}); GOVULNDB may name a copy"
  exit 0
fi
exec "$govulncheck" -db "$database" "$@"
