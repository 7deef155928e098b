#!/bin/sh
# Downloads kubectl into the cache folder, if the machine has none or one that is too old. Needs mmdebstrap for that.
set -eu
# Debian 12's kubectl does not support kustomize components.
cache="${XDG_CACHE_HOME:-${HOME:-/}/.cache}/vast-pod/bin"
if ! kubectl kustomize --help >/dev/null 2>&1 && [ ! -x "$cache/kubectl" ]; then
  echo "Downloading: kubectl (into $cache)"
  mkdir -p "$cache"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mmdebstrap --quiet --variant=extract --include=kubernetes-client trixie "$work/kubectl.tar"
  tar -x -f "$work/kubectl.tar" -O ./usr/bin/kubectl >"$work/kubectl"
  chmod 755 "$work/kubectl"
  mv "$work/kubectl" "$cache/kubectl"
  rm -rf "$work"
fi
