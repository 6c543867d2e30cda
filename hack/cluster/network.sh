# shellcheck shell=bash
# The cluster's network: a namespace of its own with no route out, joined to the machine by one veth pair. No packet to a pod or
# a service can leave the machine, and the machine's own iptables stay as they are.

readonly host_link=ejs-host node_link=ejs-node

network_up() {
  ip netns add "$cluster"
  ip link add "$host_link" type veth peer name "$node_link"
  ip link set "$node_link" netns "$cluster"
  ip address add "$host_address/$node_prefix" dev "$host_link"
  ip link set "$host_link" up
  in_network ip address add "$node_address/$node_prefix" dev "$node_link"
  in_network ip link set "$node_link" up
  in_network ip link set lo up
  in_network sysctl -qw net.ipv4.ip_forward=1
  # Without a route a connection to a service address fails before kube-proxy's rules see its first packet. A bridge with
  # nothing attached stands in for a dummy device, which not every kernel has.
  in_network ip link add services type bridge
  in_network ip link set services up
  in_network ip route add "$service_cidr" dev services
}

network_down() {
  ip link delete "$host_link" 2>/dev/null || true
  [[ ! -e $netns ]] || ip netns delete "$cluster"
}

in_network() { nsenter --net="$netns" "$@"; }

write_cni_configuration() {
  mkdir -p "$state/cni"
  cat >"$state/cni/10-cluster.conflist" <<END
{
  "cniVersion": "0.4.0",
  "name": "cluster",
  "plugins": [
    {
      "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
      "ipam": {
        "type": "host-local", "dataDir": "$state/cni-addresses",
        "ranges": [[{"subnet": "$pod_cidr"}]], "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
END
}
