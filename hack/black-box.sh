# What the black-box tests of the README have in common. To be sourced, with job control on: `set -m`. It makes the folder $work, which
# holds the logs and is removed at the end, when every process group in $processes is killed.

work=$(mktemp -d)
processes=()
cleanup() {
  local process
  for process in "${processes[@]}"; do
    kill -KILL -- "-$process" 2>/dev/null || true
  done
  { wait || true; } 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT

# fail WHY: shows the end of each log, too.
fail() {
  local log
  echo "$(basename "$0" .sh): $*" >&2
  for log in "$work"/*.log; do
    echo "--- $(basename "$log")" >&2
    tail -n 50 "$log" >&2
  done
  exit 1
}

# eventually SECONDS WHAT COMMAND... : repeats the command until it succeeds.
eventually() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "waited in vain for $what"
    sleep 0.1
  done
}

listens() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port: sets $port to one that nobody listens at, that was not given before, and that holds none of the README's.
port=$((20000 + RANDOM % 10000))
free_port() {
  port=$((port + 1))
  while listens "$port" || [[ $port =~ 4222|8080|8081 ]]; do port=$((port + 1)); done
}
