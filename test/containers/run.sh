#!/bin/sh
# `npm run test:containers`: installs what is missing, checks the Kubernetes manifests, builds the images, and tests them and the
# compose stack on a real Docker engine. If no engine runs, one is started for the tests. Arguments go to vitest.
set -eu
cd "$(dirname "$0")/../.."
needed="docker docker-compose"
if [ "$(id -u)" = 0 ]; then
  needed="$needed dockerd mmdebstrap"
elif ! docker info >/dev/null 2>&1; then
  echo "vast-pod: this user cannot reach a Docker engine: start one, or run this as root, which starts an engine for the tests." >&2
  exit 1
fi
# shellcheck disable=SC2086 # one word a program
sh test/setup.sh $needed

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
exec node node_modules/vitest/vitest.mjs run --project kubernetes --project containers "$@"
