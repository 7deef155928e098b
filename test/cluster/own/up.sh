#!/bin/sh
# Brings up our own cluster, runs a command with its kubeconfig, and leaves nothing: `up.sh <programs> <images> <command ...>`. Needs
# root. Touches a temporary folder, one cgroup, and namespaces of its own.
set -eu
programs=$1
images=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/vast-pod-cluster.XXXXXX")
cgroup=vast-pod-cluster-$$
child=

. "$here/../../sandbox/cgroup.sh"

clean_up() {
  # Its child, the first process of the namespaces, dies with it, and all others with that one.
  [ -z "$child" ] || kill -9 "$child" 2>/dev/null || true
  [ -z "$child" ] || wait "$child" 2>/dev/null || true
  remove_cgroups
  if [ -n "${CLUSTER_LOGS:-}" ]; then mkdir -p "$CLUSTER_LOGS" && cp -r "$folder/logs/." "$CLUSTER_LOGS"; fi
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

make_cgroups
# The temporary folders of the tests too: a killed test leaves them.
TMPDIR=$folder unshare --mount --net --pid --fork --mount-proc --kill-child sh "$here/namespaces.sh" \
  node --import tsx "$here/main.ts" "$programs" "$images" "$folder" "$cgroup" "$@" &
child=$!
code=0
wait "$child" || code=$?
child=
exit "$code"
