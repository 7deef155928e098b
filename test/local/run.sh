#!/bin/sh
# `npm run local`: installs what is missing, builds, and then becomes the local stack, so that signals to npm reach it.
set -eu
cd "$(dirname "$0")/../.."

# Set-up and build run in their own session, so that they can be stopped together. A shell that waits for them in the
# foreground would handle a signal only afterwards.
end() {
  trap '' INT TERM HUP
  if [ -n "${!:-}" ]; then
    kill -TERM -- "-$!" 2>/dev/null || kill -TERM "$!" 2>/dev/null || :
    wait
  fi
  echo "Stopped before anything was started."
  exit 0
}
trap end INT TERM HUP
setsid sh -c 'sh test/setup.sh nginx && exec node deploy/build.mjs' &
wait $!
trap - INT TERM HUP
# Without this, tsx leaves its cache in the temporary folder.
TSX_DISABLE_CACHE=1 exec node --import tsx test/local/stack.ts "$@"
