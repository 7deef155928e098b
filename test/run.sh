#!/bin/sh
# `npm test`: installs what is missing, then checks types and style and runs all tests that need neither a container engine nor minutes
# of simulation. Stops at the first failure. Arguments go to vitest.
set -eu
cd "$(dirname "$0")/.."
sh test/setup.sh nginx redis-server promtool prometheus chromium
npm run --silent types
npm run --silent lint
exec node node_modules/vitest/vitest.mjs run --project unit --project integration --project simulation "$@"
