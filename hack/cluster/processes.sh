# shellcheck shell=bash
# Starting, watching and ending the cluster's processes. Each has a file with its id and its start time, which together name a
# process for good: an id alone may belong to another process by now. In addition all of them, and all that they start, are
# members of the cluster's control group, which is how those are found that were left behind by a parent that was killed.

# cgroup_mounts: the control group hierarchies: one with version 2, one for each controller with version 1.
cgroup_mounts() {
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    echo /sys/fs/cgroup
  else
    awk '$3 == "cgroup" { print $2 }' /proc/mounts
  fi
}

# tracking_cgroup: the directory of the group that the cluster's processes are put into. With version 1 it is in the pids
# hierarchy, which limits nothing here; memory and CPU stay accounted to whoever ran `make cluster`.
tracking_cgroup() {
  local pids
  pids=$(cgroup_mounts | grep -m1 '/pids$') || pids=/sys/fs/cgroup
  echo "$pids/$cluster"
}

make_cgroups() {
  local mount group controllers
  while read -r mount; do
    group=$mount/$cluster
    mkdir -p "$group/processes"
    # A new cpuset is empty and takes no process until it names processors and memory.
    if [[ -e $group/cpuset.cpus && -e $mount/cgroup.clone_children ]]; then
      cat "$mount/cpuset.cpus" >"$group/cpuset.cpus"
      cat "$mount/cpuset.mems" >"$group/cpuset.mems"
    elif [[ -e $group/cgroup.subtree_control ]]; then
      controllers=$(sed -E 's/(^| )/\1+/g' "$mount/cgroup.controllers")
      echo "$controllers" >"$mount/cgroup.subtree_control"
      echo "$controllers" >"$group/cgroup.subtree_control"
    fi
  done < <(cgroup_mounts)
}

# remove_cgroups: in each hierarchy there is. Next to those of version 1 a machine may have an empty one of version 2, in which
# runc makes groups as well.
remove_cgroups() {
  local mount
  while read -r mount; do
    [[ ! -d $mount/$cluster ]] || find "$mount/$cluster" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done < <(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts)
}

# members: the ids of all processes in the cluster's control group and the groups below it.
members() {
  local group
  group=$(tracking_cgroup)
  [[ ! -d $group ]] || find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null || true
}

# identity PID: the id and the start time (field 22 of stat, counted after the name, which may hold blanks) of a live process.
identity() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  awk -v pid="$1" '$1 == "Z" { exit 1 } { print pid, $20 }' <<<"${stat##*) }"
}

is_running() {
  local file=$state/pids/$1 pid
  [[ -s $file ]] && read -r pid _ <"$file" && [[ $(identity "$pid") == "$(<"$file")" ]]
}

# lock_cluster: one script at a time may change the cluster, until it ends. The lock is on a directory that is there anyway; the
# processes that a script starts must not inherit it, nor the descriptors that make hands to its children.
lock_cluster() {
  exec 9<"$(dirname "$state")"
  flock 9
}

# start NAME COMMAND... : in the cluster's network namespace and control group, in a session of its own; does nothing when it
# runs already. nsenter and not `ip netns exec`, which would mount /sys anew, without the control groups.
start() {
  local name=$1 group
  shift
  ! is_running "$name" || return 0
  group=$(tracking_cgroup)/processes
  mkdir -p "$state/logs" "$state/pids"
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    exec setsid nsenter --net="$netns" "$@"
  ) </dev/null >>"$state/logs/$name.log" 2>&1 3>&- 4>&- 9>&- &
  identity $! >"$state/pids/$name" || fail "$name ended at once; see $state/logs/$name.log"
  say "started $name"
}

# stop NAME: asks it to end and waits for that, 10 s at most; what remains then is ended with the rest of the control group.
stop() {
  local pid deadline=$((SECONDS + 10))
  if is_running "$1"; then
    read -r pid _ <"$state/pids/$1"
    kill -TERM "$pid" 2>/dev/null || true
    while is_running "$1" && ((SECONDS < deadline)); do sleep 0.1; done
  fi
  rm -f "$state/pids/$1"
}

# end_members: kills what is left in the control group. Each round reads the members anew, for a process may have started
# another one meanwhile; members are the cluster's by construction, so that no id can be a stranger's.
end_members() {
  local pid pids deadline=$((SECONDS + 30))
  while pids=$(members) && [[ -n $pids ]]; do
    ((SECONDS < deadline)) || fail "processes do not end: ${pids//$'\n'/ }"
    while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done <<<"$pids"
    sleep 0.2
  done
}
