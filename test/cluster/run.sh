#!/bin/sh
# `npm run test:cluster`: the manifests on a real Kubernetes. Uses the cluster of KUBECONFIG, if that is set; CLUSTER_LOAD_IMAGES is then
# the command that makes images of the Docker engine known to it (for kind: `kind load docker-image`). Otherwise root gets a cluster of
# one node for the time of the tests; its programs are built once and kept in the cache folder. Arguments go to vitest.
set -eu
cd "$(dirname "$0")/../.."
fail() {
  echo "vast-pod: $1" >&2
  exit 1
}
vitest="node node_modules/vitest/vitest.mjs run --project cluster"

if [ -n "${KUBECONFIG:-}" ]; then
  [ -n "${CLUSTER_LOAD_IMAGES:-}" ] ||
    fail "set CLUSTER_LOAD_IMAGES to the command that loads images into the cluster of KUBECONFIG, for example 'kind load docker-image'."
  sh test/setup.sh docker
  sh test/containers/kubectl.sh
  node --import tsx test/cluster/images.ts --load "$CLUSTER_LOAD_IMAGES"
  # What only the own cluster allows is left out.
  # shellcheck disable=SC2086 # several words
  exec $vitest --exclude 'test/cluster/own/**' "$@"
fi

either="set KUBECONFIG and CLUSTER_LOAD_IMAGES to use your cluster, or"
[ "$(id -u)" = 0 ] || fail "$either run this as root, which starts a cluster for the tests."
command -v go >/dev/null || fail "$either install Go 1.26 or newer, which builds a cluster for the tests (https://go.dev/dl)."
go version | awk '{ split(substr($3, 3), v, "."); exit !(v[1] > 1 || (v[1] == 1 && v[2] >= 26)) }' ||
  fail "$either install Go 1.26 or newer: this is $(go version)."
sh test/setup.sh docker dockerd mmdebstrap containerd runc containernetworking-plugins iptables ip openssl
sh test/containers/kubectl.sh

# Programs of another version are built again.
version_of() { awk -v module="$1" '$1 == module { print $2 }' "$2"; }
version=$(version_of k8s.io/kubernetes test/cluster/go.mod)
etcd=$(version_of go.etcd.io/etcd/server/v3 test/cluster/etcd/go.mod)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/vast-pod/cluster/$version-etcd-$etcd"
mkdir -p "$cache"
# build <folder of go.mod> <package> <name of the program>
build() {
  [ ! -x "$cache/$3" ] || return 0
  echo "Building $3 (into $cache)"
  flags="-s -w -X k8s.io/component-base/version.gitVersion=$version"
  (cd "test/cluster/$1" && CGO_ENABLED=0 go build -trimpath -ldflags "$flags" -o "$cache/$3.part" "$2")
  mv "$cache/$3.part" "$cache/$3"
}
build etcd go.etcd.io/etcd/server/v3 etcd
for program in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy; do
  build . "k8s.io/kubernetes/cmd/$program" "$program"
done
rm -f "$cache/pause" # takes no time, and has no version
build . ./pause pause

images=$(mktemp "${TMPDIR:-/tmp}/vast-pod-images.XXXXXX")
cluster=
stop() {
  if [ -n "$cluster" ]; then
    kill -TERM "$cluster" 2>/dev/null || true
    wait "$cluster" || true # it leaves nothing
  fi
  exit "$1"
}
trap 'rm -f "$images"' EXIT
trap 'stop 130' INT
trap 'stop 143' TERM
trap 'stop 129' HUP
echo "Building the images"
node --import tsx test/cluster/images.ts --archive "$images" "$cache"
# In the background, because a shell reads its signals only while it waits.
# shellcheck disable=SC2086 # several words
sh test/cluster/own/up.sh "$cache" "$images" $vitest "$@" &
cluster=$!
code=0
wait "$cluster" || code=$?
exit "$code"
