# shellcheck shell=bash
# The programs that the cluster takes from Debian. They stay installed after `make cluster-down`.

# program=package: what to look for, and what brings it.
readonly needed_programs=(
  containerd=containerd runc=runc iptables=iptables ip=iproute2 conntrack=conntrack /usr/lib/cni/bridge=containernetworking-plugins
  busybox=busybox-static openssl=openssl curl=curl jq=jq flock=util-linux sysctl=procps
)

install_packages() {
  local entry missing=()
  for entry in "${needed_programs[@]}"; do
    command -v "${entry%%=*}" >/dev/null || missing+=("${entry#*=}")
  done
  ((${#missing[@]} > 0)) || return 0
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # Where there is an init system, the package starts a containerd of the machine's own. It shares nothing with the cluster's.
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
