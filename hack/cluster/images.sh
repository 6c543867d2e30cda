# shellcheck shell=bash
# The images that others stand on, made from what the machine has: there is no registry to pull them from.

push_images() {
  local work
  work=$(mktemp -d "$state/images.XXXXXX")
  pause_tree "$work/pause"
  push_image "$work/pause" "$pause_image" --user 65532 --entrypoint /pause
  base_tree "$work/base"
  push_image "$work/base" "$base_image" --user 65532
  coredns_tree "$work/coredns"
  push_image "$work/coredns" "$coredns_image" --user 65532 --entrypoint /coredns
  ubi_tree "$work/ubi"
  push_image "$work/ubi" "$ubi_image" --entrypoint /bin/sh
  rm -rf "$work"
}

# push_image TREE IMAGE OPTION... : one layer that holds the tree. The tar has no times and no owners of this machine, so that the
# image has the same digest each time.
push_image() {
  local tree=$1 image=$2
  shift 2
  tar --create --file "$tree.tar" --directory "$tree" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner .
  crane append --new_layer "$tree.tar" --new_tag "$image" >/dev/null 2>&1 || fail "cannot push $image"
  crane mutate "$image" --tag "$image" --set-platform linux/amd64 "$@" >/dev/null 2>&1 || fail "cannot push $image"
}

pause_tree() { install -D "$bin/pause" "$1/pause"; }

# base_tree: what ko puts programs on: a user who is not root, certificates, a place for temporary files.
base_tree() {
  mkdir -p "$1/etc/ssl/certs" "$1/home/nonroot"
  mkdir -m 1777 "$1/tmp"
  printf '%s\n' root:x:0:0:root:/root:/sbin/nologin nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin >"$1/etc/passwd"
  printf '%s\n' root:x:0: nonroot:x:65532: >"$1/etc/group"
  cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/" 2>/dev/null || true
}

coredns_tree() {
  base_tree "$1"
  install -D "$bin/coredns" "$1/coredns"
}

# ubi_tree: a shell and curl, which is all that upstream's tests do with this image.
ubi_tree() {
  local library
  base_tree "$1"
  mkdir -p "$1/bin"
  cp "$(command -v busybox)" "$1/bin/busybox"
  ln -s busybox "$1/bin/sh"
  for library in sleep cat echo env date; do ln -s busybox "$1/bin/$library"; done
  install -D /usr/bin/curl "$1/usr/bin/curl"
  # Both the libraries that it is linked with and those that the C library loads to look names up.
  { ldd /usr/bin/curl | grep -oE '/[^ ]+'; ldconfig -p | grep -oE '/[^ ]*libnss_(dns|files)\.so\.2$' | head -n 2; } |
    while read -r library; do install -D "$library" "$1$library"; done
  echo 'hosts: files dns' >"$1/etc/nsswitch.conf"
}
