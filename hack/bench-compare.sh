#!/usr/bin/env bash
# Builds the commit BASE in a git worktree that is removed again, and has bin/kn-jetstream compare that with itself.
# Usage: hack/bench-compare.sh BASE [FLAG]...; the flags are those of kn-jetstream bench compare.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly base=${1:?BASE is needed: make bench-compare BASE=<commit>} go=${GO:-go}
shift

commit=$(git rev-parse --verify --quiet "$base^{commit}") || {
  echo "BASE=$base is no commit of this repository" >&2
  exit 2
}
folder=$(mktemp -d)
clean_up() {
  git worktree remove --force "$folder/source" 2>/dev/null || true
  rm -rf "$folder"
}
trap clean_up EXIT
git worktree add --quiet --detach "$folder/source" "$commit"
(cd "$folder/source" && "$go" build -o "$folder/bin/" ./cmd/...)

echo "old: $(git log -1 --format='%h %s' "$commit")"
echo "new: $(git describe --always --dirty)"
bin/kn-jetstream bench compare --old "$folder/bin/kn-jetstream" --new bin/kn-jetstream "$@"
