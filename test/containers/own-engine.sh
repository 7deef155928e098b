#!/bin/sh
# Runs a command with a Docker engine of its own, and leaves the machine as it was: `own-engine.sh <command ...>`. First an engine with
# the machine's network builds the images. The engine of the tests then runs in namespaces of its own, because it adds links and
# firewall rules and turns on forwarding: the machine gets none of that. Needs root. Touches a temporary folder and one cgroup.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/vast-pod-containers.XXXXXX")
cgroup=$(basename "$folder")
child=
made_etc=

. "$here/../sandbox/cgroup.sh"

compare() {
  sh "$here/machine-state.sh" "$cgroup" >"$folder/after"
  diff "$folder/before" "$folder/after" >"$folder/difference" && return 0
  echo "vast-pod: the machine is not as it was before the tests. If nothing else changed it, undo this (> is new, < is gone):" >&2
  grep '^[<>]' "$folder/difference" >&2
  return 1
}
clean_up() {
  code=$?
  trap '' INT TERM HUP
  # Its child, the first process of the namespaces, dies with it, and all others with that one.
  [ -z "$child" ] || kill -9 "$child" 2>/dev/null || true
  [ -z "$child" ] || wait "$child" 2>/dev/null || true
  remove_cgroups
  [ -z "$made_etc" ] || rmdir /etc/docker || code=1
  [ ! -e "$folder/before" ] || compare || code=1
  rm -rf "$folder"
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# isolated <script> <options of unshare> <command ...>: the script prepares the namespaces and runs the command.
isolated() {
  prepare=$1
  options=$2
  shift 2
  # The first process of the namespaces has to collect those whose parent has ended.
  # shellcheck disable=SC2086 # several words, or none
  TMPDIR=$folder ENGINE_FOLDER=$folder unshare $options --mount --pid --fork --mount-proc --kill-child sh -c "set -eu
    mount --bind '$folder/etc' /etc/docker # the engine writes a key into it
    $prepare"'
    "$@" &
    wait $!' sh "$@" &
  child=$!
  code=0
  wait "$child" || code=$?
  child=
  return "$code"
}

sh "$here/machine-state.sh" "$cgroup" >"$folder/before"
if [ ! -d /etc/docker ]; then
  mkdir /etc/docker
  made_etc=yes
fi
cp -a /etc/docker "$folder/etc"
echo "Building the images"
isolated "" "" node --import tsx "$here/prepare.ts"
# iptables has a lock in /run.
isolated "ip link set lo up; mount -t tmpfs tmpfs /run" --net "$@"
