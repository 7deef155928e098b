#!/bin/sh
# `npm run local`: installs what is missing, builds, and then becomes the local stack, so that signals to npm reach it.
set -eu
cd "$(dirname "$0")/../.."

help="Usage: npm run local

Runs a whole pod on this machine, without an account and without Docker. Nothing is rented: an emulator takes the place of Vast.ai.
  1. It installs what is missing: npm packages, and nginx without its service.
  2. It builds the programs.
  3. It starts emulator, provisioner, reloader and nginx, and prints each step until the pod is ready.
  4. Then it prints commands to try, for example how to destroy the instance.
Ctrl-C destroys the instance, stops all processes and removes all temporary files.

The pod uses port 3000 and the emulator port 8090. If one is taken, the next free port is used and printed.

Options:
  -h, --help   print this text (npm run local -- --help)"
case "${1:-}" in
  '') ;;
  -h | --help)
    echo "$help"
    exit 0
    ;;
  *)
    echo "vast-pod: \`npm run local\` does not know \"$1\": start it without options, or see \`npm run local -- --help\`." >&2
    exit 2
    ;;
esac

# Set-up and build run in their own session, so that they can be stopped together. A shell that waits for them in the
# foreground would handle a signal only afterwards.
end() {
  trap '' INT TERM HUP
  if [ -n "${!:-}" ]; then
    kill -s TERM -- "-$!" 2>/dev/null || kill -TERM "$!" 2>/dev/null || :
    wait
  fi
  echo "Stopped before anything was started."
  exit 0
}
trap end INT TERM HUP
setsid sh test/setup.sh nginx &
wait $!
setsid node deploy/build.mjs &
wait $!
trap - INT TERM HUP
# Without this, tsx leaves its cache in the temporary folder.
TSX_DISABLE_CACHE=1 exec node --import tsx test/local/stack.ts
