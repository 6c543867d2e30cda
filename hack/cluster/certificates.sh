# shellcheck shell=bash
# Keys, certificates and kubeconfig files of the control plane: one authority, made anew with each cluster.

readonly certificates=$state/certificates

make_certificates() {
  mkdir -m 700 "$certificates"
  new_key authority
  openssl req -x509 -new -key "$certificates/authority.key" -days 3650 -subj "/CN=$cluster" -out "$certificates/authority.crt"
  certificate apiserver /CN=kube-apiserver "subjectAltName=IP:$node_address,IP:127.0.0.1,IP:$kubernetes_service,$(apiserver_names)"
  certificate admin /O=system:masters/CN=admin
  certificate apiserver-kubelet-client /O=system:masters/CN=apiserver
  certificate kubelet "/O=system:nodes/CN=system:node:$node"
  certificate controller-manager /CN=system:kube-controller-manager
  certificate scheduler /CN=system:kube-scheduler
  certificate kube-proxy /CN=system:kube-proxy
  new_key service-account
  openssl pkey -in "$certificates/service-account.key" -pubout -out "$certificates/service-account.pub"
  local user
  for user in admin kubelet controller-manager scheduler kube-proxy; do write_kubeconfig "$user"; done
}

apiserver_names() { echo "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.$domain"; }

# An elliptic key is made in no time.
new_key() { openssl ecparam -genkey -noout -name prime256v1 -out "$certificates/$1.key"; }

# certificate NAME SUBJECT [EXTENSION]: a key and a certificate, for client and server, signed by the authority.
certificate() {
  local name=$1 subject=$2 extension=${3:-}
  new_key "$name"
  openssl req -new -key "$certificates/$name.key" -subj "$subject" |
    openssl x509 -req -days 3650 -CA "$certificates/authority.crt" -CAkey "$certificates/authority.key" \
      -set_serial "0x$(openssl rand -hex 12)" -out "$certificates/$name.crt" \
      -extfile <(printf '%s\n' basicConstraints=CA:false extendedKeyUsage=clientAuth,serverAuth "$extension") 2>/dev/null
}

write_kubeconfig() {
  local user=$1
  cat >"$certificates/$user.kubeconfig" <<END
apiVersion: v1
kind: Config
current-context: $cluster
contexts:
- {name: $cluster, context: {cluster: $cluster, user: $user}}
clusters:
- name: $cluster
  cluster:
    server: https://$node_address:6443
    certificate-authority-data: $(base64 -w0 "$certificates/authority.crt")
users:
- name: $user
  user:
    client-certificate-data: $(base64 -w0 "$certificates/$user.crt")
    client-key-data: $(base64 -w0 "$certificates/$user.key")
END
  chmod 600 "$certificates/$user.kubeconfig"
}
