#!/bin/sh
# `npm run local`: fetches what is missing, builds, and becomes the local stack, so that a signal to npm reaches it.
set -eu
cd "$(dirname "$0")/../.."

# In a session of their own, set-up and build can be ended together; a shell that waits for them in the foreground
# would hear a signal only afterwards.
end() {
  trap '' INT TERM HUP
  if [ -n "${!:-}" ]; then
    kill -TERM -- "-$!" 2>/dev/null || kill -TERM "$!" 2>/dev/null || :
    wait
  fi
  echo "Ended before anything was started."
  exit 0
}
trap end INT TERM HUP
setsid sh -c 'sh test/setup.sh nginx && exec node deploy/build.mjs' &
wait $!
trap - INT TERM HUP
# tsx would leave its cache in the temporary folder.
TSX_DISABLE_CACHE=1 exec node --import tsx test/local/stack.ts "$@"
