#!/bin/sh
# `npm run test:containers`: installs what is missing, checks the Kubernetes manifests, builds the images, and tests them and the
# compose stack on a real Docker engine. If no engine runs, one is started for the tests. Arguments go to vitest.
set -eu
cd "$(dirname "$0")/../.."
own=
needed="docker docker-compose"
if [ "$(id -u)" = 0 ]; then needed="$needed mmdebstrap"; fi
if ! docker info >/dev/null 2>&1; then
  if [ "$(id -u)" != 0 ]; then
    echo "vast-pod: this user cannot reach a Docker engine: start one, or run this as root, which starts an engine for the tests." >&2
    exit 1
  fi
  own="sh test/containers/own-engine.sh"
  needed="$needed dockerd iptables ip"
fi
# shellcheck disable=SC2086 # one word a program
sh test/setup.sh $needed

sh test/containers/kubectl.sh
# shellcheck disable=SC2086 # two words, or none
exec $own node node_modules/vitest/vitest.mjs run --project kubernetes --project containers "$@"
