#!/bin/sh
# Prints what CHANGELOG.md says of one version. Fails where it says nothing.
# usage: release-notes.sh <version>
set -eu
cd "$(dirname "$0")/.."
notes=$(awk -v heading="## $1" '
  index($0, "## ") == 1 { inside = ($0 == heading || index($0, heading " ") == 1); next }
  inside
' CHANGELOG.md)
if [ -z "$(printf %s "$notes" | tr -d '[:space:]')" ]; then
  echo "CHANGELOG.md says nothing of version $1: add a section \"## $1\" before the tag" >&2
  exit 1
fi
printf '%s\n' "$notes" | sed '/./,$!d'
