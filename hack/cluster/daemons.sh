# shellcheck shell=bash
# The cluster's processes, in the order in which they need each other. Each function starts one unless it runs already, so
# that the whole list is also the repair of a cluster that lost some of them.

start_registry() {
  # The manifests are in the registry's memory only: one that starts anew needs its images anew.
  ! is_running registry || return 0
  mkdir -p "$state/registry"
  start registry "$bin/crane" registry serve --address "$registry" --disk "$state/registry"
  eventually 20 "the registry" curl --silent --fail --noproxy '*' "http://$registry/v2/"
  push_images
}

start_containerd() {
  start containerd containerd --config "$state/containerd.toml"
  eventually 30 containerd ctr --address "$state/containerd.sock" version
}

start_control_plane() {
  start etcd "$bin/etcd" --data-dir "$state/etcd" --log-level warn --unsafe-no-fsync
  start apiserver "$bin/kube-apiserver" --etcd-servers http://127.0.0.1:2379 \
    --advertise-address "$node_address" --secure-port 6443 --service-cluster-ip-range "$service_cidr" \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
    --client-ca-file "$certificates/authority.crt" \
    --tls-cert-file "$certificates/apiserver.crt" --tls-private-key-file "$certificates/apiserver.key" \
    --kubelet-client-certificate "$certificates/apiserver-kubelet-client.crt" \
    --kubelet-client-key "$certificates/apiserver-kubelet-client.key" \
    --kubelet-preferred-address-types InternalIP \
    --service-account-issuer "https://kubernetes.default.svc.$domain" \
    --service-account-key-file "$certificates/service-account.pub" \
    --service-account-signing-key-file "$certificates/service-account.key"
  eventually 60 "the API server" kubectl get --raw /readyz
  # No leader election: there is one of each. More namespaces at a time, for tests that make and delete many.
  start controller-manager "$bin/kube-controller-manager" --kubeconfig "$certificates/controller-manager.kubeconfig" \
    --leader-elect=false --use-service-account-credentials --concurrent-namespace-syncs 30 \
    --root-ca-file "$certificates/authority.crt" --service-account-private-key-file "$certificates/service-account.key" \
    --cluster-signing-cert-file "$certificates/authority.crt" --cluster-signing-key-file "$certificates/authority.key"
  start scheduler "$bin/kube-scheduler" --kubeconfig "$certificates/scheduler.kubeconfig" --leader-elect=false
}

start_node() {
  start kubelet "$bin/kubelet" --config "$state/kubelet.yaml" --kubeconfig "$certificates/kubelet.kubeconfig" \
    --root-dir "$state/kubelet" --cert-dir "$state/kubelet/pki" --hostname-override "$node" --node-ip "$node_address"
  # Zero leaves the machine's connection tracking limits alone.
  start proxy "$bin/kube-proxy" --kubeconfig "$certificates/kube-proxy.kubeconfig" --hostname-override "$node" \
    --proxy-mode iptables --cluster-cidr "$pod_cidr" --conntrack-max-per-core 0 --conntrack-min 0 \
    --conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0
}

# Those that hold nothing of their own first, etcd last.
stop_daemons() {
  local name
  for name in kubelet proxy scheduler controller-manager apiserver etcd registry; do stop "$name"; done
}

write_containerd_configuration() {
  local cri='plugins."io.containerd.grpc.v1.cri"'
  cat >"$state/containerd.toml" <<END
version = 2
root = "$state/containerd"
state = "$state/containerd-run"
[grpc]
  address = "$state/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$state/containerd-opt"
[$cri]
  sandbox_image = "$pause_image"
  # Works without CAP_SYS_RESOURCE, which a container or a small virtual machine may lack: runc would die in its first step.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [$cri.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/cni"
  [$cri.registry]
    config_path = "$state/registries"
  [$cri.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [$cri.containerd.runtimes.runc.options]
      SystemdCgroup = false
      Root = "$state/runc"
END
  local host
  for host in "$registry" "$ubi_host"; do
    mkdir -p "$state/registries/$host"
    printf '[host."http://%s"]\n  capabilities = ["pull", "resolve"]\n' "$registry" >"$state/registries/$host/hosts.toml"
  done
}

write_kubelet_configuration() {
  # Pods with the node's own DNS settings get no name server: there is none to ask.
  : >"$state/resolv.conf"
  cat >"$state/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $certificates/authority.crt}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$state/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$cluster
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
clusterDNS: [$dns_service]
clusterDomain: $domain
resolvConf: $state/resolv.conf
podLogsDir: $state/pod-logs
volumePluginDir: $state/volume-plugins
maxPods: 250
serializeImagePulls: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
END
}
