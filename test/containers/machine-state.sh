#!/bin/sh
# Prints what an engine could leave on the machine, to compare it before and after: `machine-state.sh <mark>`. Processes, mounts and
# cgroups count if they carry the mark (a folder's name), links and firewall rules if an engine makes such ones, because others change
# theirs meanwhile. Only reads.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
mark=$1

# Also each veth of an engine goes with its bridge.
ip -o link | sed -n -E 's/^[0-9]*: (docker[^:@]*|br-[0-9a-f]{12}).*/link \1/p'
# Whatever the rules were written with. An engine also changes the policy of forwarding.
rules() { sed -n -E -e 's/ \[[0-9]*:[0-9]*\]$//' -e "/DOCKER|docker|br-[0-9a-f]{12}|^:FORWARD|hook forward/s/^/$1 /p"; }
for save in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save; do
  if command -v $save >/dev/null; then $save 2>/dev/null | rules $save; fi
done
if command -v nft >/dev/null; then nft list ruleset | sed 's/ packets [0-9]* bytes [0-9]*//' | rules nft; fi
for setting in net/ipv4/ip_forward net/ipv4/conf/all/route_localnet net/ipv6/conf/all/forwarding net/ipv6/conf/default/forwarding \
  net/bridge/bridge-nf-call-iptables net/bridge/bridge-nf-call-ip6tables; do
  if [ -e "/proc/sys/$setting" ]; then echo "sysctl $setting $(cat "/proc/sys/$setting")"; fi
done
awk -v mark="$mark" 'index($0, mark) { print "mount " $2 }' /proc/mounts
awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts | while read -r folder; do
  if [ -d "$folder/$mark" ]; then echo "cgroup $folder/$mark"; fi
done
for process in /proc/[0-9]*; do
  # This script itself has the mark among its arguments. A process can end while it is read.
  [ "$process" != "/proc/$$" ] && grep -q -F -e "$mark" "$process/cmdline" "$process/environ" 2>/dev/null || continue
  echo "process ${process#/proc/} $(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)"
done
