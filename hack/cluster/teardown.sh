# shellcheck shell=bash
# Ending the cluster, in an order that works whatever is left of it: after a kill, after a reboot, after a run that failed half-way.

take_down() {
  [[ -d $state || -e $netns || -n $(members) ]] || return 0
  stop_daemons
  end_members
  network_down
  unmount_below "$state"
  remove_cgroups
  restore_machine
  rm -rf --one-file-system "$state"
  rm -f "$kubeconfig"
  say "removed what was left of the cluster"
}
