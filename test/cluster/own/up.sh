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

# One for each controller, or one for all with cgroup v2.
cgroup_folders() {
  awk -v name="$cgroup" '$3 ~ /^cgroup2?$/ { print $2 "/" name }' /proc/mounts
}
# The kernel needs a moment until the last process of a cgroup is gone.
remove_cgroups() {
  left=100
  for one in $(cgroup_folders); do
    while [ -d "$one" ]; do
      find "$one" -depth -type d -exec rmdir {} \; 2>/dev/null || true
      [ -d "$one" ] || break
      left=$((left - 1))
      [ $left -gt 0 ] || { echo "vast-pod: $one could not be removed: processes still use it." >&2; return; }
      sleep 0.1
    done
  done
}
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

for one in $(cgroup_folders); do mkdir "$one"; done
# The temporary folders of the tests too: a killed test leaves them.
TMPDIR=$folder unshare --mount --net --pid --fork --mount-proc --kill-child sh "$here/namespaces.sh" \
  node --import tsx "$here/main.ts" "$programs" "$images" "$folder" "$cgroup" "$@" &
child=$!
code=0
wait "$child" || code=$?
child=
exit "$code"
