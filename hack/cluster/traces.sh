# shellcheck shell=bash
# What the cluster changes outside of its own directory, written down before it does and put back when it is taken down.

# Kernel settings that the kubelet sets for the whole machine.
readonly kernel_settings=(
  vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes
)
# Directories whose names are fixed in the kubelet, containerd, runc, the CNI library and ip.
readonly outside_directories=(
  /var/lib/kubelet /var/lib/cni /var/lib/containerd /var/log/pods /var/log/containers /run/containerd /run/runc /run/netns
  /opt/containerd /opt/cni /usr/libexec/kubernetes /etc/cni
)

remember_machine() {
  local directory
  sysctl "${kernel_settings[@]}" >"$state/kernel-settings" 2>/dev/null
  for directory in "${outside_directories[@]}"; do
    [[ -e $directory ]] || echo "$directory"
  done >"$state/absent-directories"
}

restore_machine() {
  local directory
  [[ ! -s $state/kernel-settings ]] || sysctl -q --load "$state/kernel-settings"
  [[ -s $state/absent-directories ]] || return 0
  while read -r directory; do
    # `ip netns` makes its directory a mount. Other namespaces in it are somebody else's, then it stays.
    if [[ $directory == /run/netns ]]; then
      [[ -n $(ls -A "$directory" 2>/dev/null) ]] || unmount_below "$directory"
      rmdir "$directory" 2>/dev/null || true
    elif [[ -d $directory ]]; then
      unmount_below "$directory"
      rm -rf --one-file-system "$directory"
    fi
  done <"$state/absent-directories"
}

# unmount_below DIRECTORY: unmounts it and all in it, the latest first.
unmount_below() {
  local mount
  awk -v below="$1/" 'index($2 "/", below) == 1 { print $2 }' /proc/mounts | tac |
    while read -r mount; do umount "$mount" 2>/dev/null || umount --lazy "$mount" || true; done
}
