#!/bin/sh
# `npm test`: fetches what is missing, then types, style and all tests that need no engine of containers; the first failure ends it. Arguments go to vitest.
set -eu
cd "$(dirname "$0")/.."
sh test/setup.sh nginx redis-server
npm run --silent types
npm run --silent lint
exec node node_modules/vitest/vitest.mjs run --project unit --project integration --project simulation --project seeds "$@"
