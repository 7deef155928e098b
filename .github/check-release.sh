#!/bin/sh
# Whether a tag can be released: prints `version=` and `registry=` for the workflow, or fails with what to do. Reads package.json,
# CHANGELOG.md and the variable IMAGES, `<registry>/<owner>/vast-pod`.
# usage: check-release.sh v<version>
set -eu
cd "$(dirname "$0")/.."
fail() {
  echo "$1" >&2
  exit 1
}
version=$(node -p 'require("./package.json").version')
[ "$1" = "v$version" ] || fail "the tag is $1, but package.json says $version: make the tag with \`npm version\`, which sets both"
sh .github/release-notes.sh "$version" >/dev/null
wanted="set the repository variable IMAGES to <registry>/<owner>/vast-pod, where the images go"
case ${IMAGES:-} in
  *[!a-z0-9./:_-]* | *//* | *: | */ | /*) fail "$wanted, without https:// and in small letters; it is \"$IMAGES\"" ;;
  *[.:]*/*/* | localhost/*/*) ;;
  *) fail "$wanted; it is \"${IMAGES:-}\"" ;;
esac
echo "version=$version"
echo "registry=${IMAGES%%/*}"
