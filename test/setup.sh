#!/bin/sh
# Installs what the tests and the local stack need, and prints nothing if it is all there: Node, the npm packages, and the
# programs named as arguments (nginx and redis-server by default). For root, missing programs are installed from the
# distribution, and their services are neither started nor enabled. For other users they are unpacked into
# ${XDG_CACHE_HOME:-$HOME/.cache}/vast-pod, where test/sandbox/programs.ts finds them. Touches nothing else.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- nginx redis-server

cache="${XDG_CACHE_HOME:-${HOME:-/}/.cache}/vast-pod"
policy=/usr/sbin/policy-rc.d
work=     # temporary folder
programs= # where programs are unpacked, until they are known to work
npm=      # process group of a running npm
fail() {
  echo "vast-pod: $1" >&2
  exit 1
}

# Debian's packages enable and start their services when they are installed. policy-rc.d forbids the start. The machine's own
# policy is restored whatever happens: after a `kill -9` by the next run, which sees that the process that wrote it is gone.
restore_policy() {
  maker=$(sed -n 's/^# vast-pod \([0-9]*\):.*/\1/p' "$policy" 2>/dev/null) || return 0
  [ -n "$maker" ] || return 0
  [ "$maker" = $$ ] || [ ! -e "/proc/$maker" ] || return 0
  if [ -e "$policy.before-vast-pod" ]; then mv -f "$policy.before-vast-pod" "$policy"; else rm -f "$policy"; fi
}
# What starts with the machine: a link for each unit and for each init script.
enabled() {
  find /etc/systemd/system /etc/rc?.d -type l \( -path '*.wants/*' -o -path '*.requires/*' -o -path '/etc/rc*/S*' \) 2>/dev/null | sort
}
# Links that the installation has made: also of the sockets and of the services of other packages that it brought.
newly_enabled() { enabled | comm -13 "$work/enabled" -; }
# Never a service that was enabled before. The tools of Debian's install scripts, because systemctl can be missing.
disable_services() {
  newly_enabled >"$work/new"
  while read -r link; do
    name=$(basename "$link")
    # A link can be gone with the one before it.
    if [ ! -L "$link" ]; then continue; fi
    case $link in
      /etc/rc*) update-rc.d "${name#S??}" disable >>"$log" 2>&1 || true ;;
      # It works only with this variable.
      *) DPKG_MAINTSCRIPT_PACKAGE=$name deb-systemd-helper disable "$name" >>"$log" 2>&1 || true ;;
    esac
  done <"$work/new"
  left=$(newly_enabled)
  [ -z "$left" ] || echo "vast-pod: the installation has enabled services, and they could not be disabled: remove the links" $left >&2
}
clean_up() {
  if [ -n "$npm" ]; then
    # After SIGTERM npm would finish its work, which takes many seconds. `npm ci` removes an unfinished folder anyway.
    kill -s KILL -- "-$npm" 2>/dev/null || true
    wait "$npm" 2>/dev/null || true
    rm -rf node_modules
  fi
  if [ "$(id -u)" = 0 ]; then
    restore_policy
    if [ -e "$work/enabled" ]; then disable_services; fi
  fi
  [ -z "$work" ] || rm -rf "$work" "$programs"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

[ "$(uname -s)" = Linux ] || fail "this runs on Linux only: use a container or a virtual machine."
command -v node >/dev/null || fail "Node.js is missing: install version 20.19 or newer (https://nodejs.org)."
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node.js $(node --version) is too old: install version 20.19 or newer (https://nodejs.org)."

# npm writes this file at the end: without it an install was interrupted.
installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ -n "$(find package-lock.json -newer "$installed")" ]; then
  echo "Installing the npm packages"
  # In the background, because a shell handles signals only while it waits; in a process group of its own, to end all of it.
  setsid npm ci --include=dev --no-progress --loglevel=error </dev/null &
  npm=$!
  code=0
  wait "$npm" || code=$?
  npm=
  [ $code = 0 ] || fail "npm ci failed: see its message above."
fi

# Not every program has -v, but one whose libraries are missing does not start at all (127).
# (mmdebstrap would treat -v as "verbose" and start, and chromium would open a window; ip does not know it.)
starts() {
  case $1 in */mmdebstrap | */chromium) set -- "$1" --version ;; */ip) set -- "$1" -V ;; *) set -- "$1" -v ;; esac
  "$@" || [ $? -lt 126 ]
}
# `nginx` is in /usr/sbin, which is not in the PATH of ordinary users.
has() (
  # This package has no program in the PATH.
  if [ "$1" = containernetworking-plugins ]; then [ -x /usr/lib/cni/bridge ]; exit; fi
  PATH="$PATH:/usr/sbin:/usr/bin:$cache/bin"
  at=$(command -v "$1") && starts "$at" >/dev/null 2>&1
)
missing=
for program in "$@"; do has "$program" || missing="$missing $program"; done
[ -n "$missing" ] || exit 0

by_hand="install it with \`sudo apt-get install --no-install-recommends nginx-light redis-server\` \
(for the bench also wrk and inotify-tools; or your system's own packages of these), then start again."
for tool in apt-get apt-cache dpkg-deb; do
  command -v "$tool" >/dev/null || fail "missing:$missing; $by_hand"
done
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C
work=$(mktemp -d)
log="$work/log"
give_up() {
  kept="${TMPDIR:-/tmp}/vast-pod-setup.$$.log"
  mv "$log" "$kept"
  fail "missing:$missing, and the download failed (see $kept); $by_hand"
}

# The first of these packages that exists here. "$@": options for apt.
first_of() {
  names=$1
  shift
  for name in $names; do
    if apt-cache "$@" show "$name" >/dev/null 2>&1; then break; fi
  done
  echo "$name"
}
packages() {
  for program in $missing; do
    case $program in
      # Since Debian 13 they are two packages.
      docker) first_of "docker-cli docker.io" "$@" ;;
      dockerd) echo docker.io ;;
      # Debian's nginx-light is enough and a tenth of the size.
      nginx) first_of "nginx-light nginx" "$@" ;;
      inotifywait) echo inotify-tools ;;
      promtool) echo prometheus ;;
      ip) echo iproute2 ;;
      *) echo "$program" ;;
    esac
  done
}

# Nothing is removed for it: Debian's docker.io would replace another engine. Only the download can be interrupted: an
# installation that is killed leaves packages that do not work, and so it gets no signals.
install_as_root() {
  # shellcheck disable=SC2046 # one word for each package
  set -- -q -y -o DPkg::Lock::Timeout=120 --no-remove --no-install-recommends install $(packages)
  { apt-get "$@" --download-only && setsid -w apt-get "$@"; } </dev/null >>"$log" 2>&1
}
if [ "$(id -u)" = 0 ]; then
  echo "Installing:$missing (the services are neither started nor enabled)"
  restore_policy
  enabled >"$work/enabled"
  [ ! -e "$policy" ] || mv "$policy" "$policy.before-vast-pod"
  printf '#!/bin/sh\n# vast-pod %s: no service is started while its package is installed\nexit 101\n' $$ >"$policy"
  chmod 755 "$policy"
  # The first try fails if the package lists are missing or outdated.
  install_as_root || { apt-get -q update </dev/null >>"$log" 2>&1 && install_as_root; } || give_up
  for program in $missing; do has "$program" || give_up; done
  exit 0
fi

# Without root: apt, with its own folders, finds the missing packages and downloads them. Nothing is installed.
echo "Downloading:$missing (into $cache, nothing is installed)"
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/packages" "$cache/bin" 2>>"$log" || give_up
set -- -o Dir::State="$work/state" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$work/cache" \
  -o Dir::Log="$work" -o Debug::NoLocking=1 -q
apt-get "$@" update </dev/null >>"$log" 2>&1 || give_up
wanted=$(packages "$@")
# shellcheck disable=SC2086 # one word a package
apt-get "$@" --simulate install --no-install-recommends $wanted </dev/null >"$work/plan" 2>>"$log" || give_up
needed=$(sed -n 's/^Inst \([^ ]*\).*/\1/p' "$work/plan")
# shellcheck disable=SC2086
(cd "$work/packages" && apt-get "$@" download $needed </dev/null >>"$log" 2>&1) || give_up
programs=$(mktemp -d "$cache/programs.XXXXXX")
for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$programs" 2>>"$log" || give_up; done
libraries=$(find "$programs" -name '*.so.*' -exec dirname {} \; | sort -u | paste -s -d : -)
for program in $missing; do
  binary=$(find "$programs/usr/sbin" "$programs/usr/bin" -name "$program" 2>/dev/null | head -n 1)
  # The one in /usr/bin is a script that starts this one by its absolute path.
  [ "$program" != chromium ] || binary="$programs/usr/lib/chromium/chromium"
  [ -n "$binary" ] || give_up
  printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$@"\n' "$libraries" "$binary" >"$work/start"
  chmod 755 "$work/start"
  starts "$work/start" >>"$log" 2>&1 || give_up
  mv -f "$work/start" "$cache/bin/$program"
done
programs=
