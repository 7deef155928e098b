#!/bin/sh
# The first process in the mount, network and process namespaces of our own cluster: `namespaces.sh <command ...>`. Gives them what a
# node has, runs the command, and ends with its exit code; then the kernel ends everything else in here. Touches only the namespaces.
set -eu
# The kubelet and the containers must see each other's mounts. Ours stay in here.
mount --make-rshared /
for folder in /run /var/log; do mount -t tmpfs tmpfs "$folder"; done
mkdir /run/lock

ip link set lo up
# Any link with an address will do.
ip link add node0 type bridge
ip address add 172.31.0.1/24 dev node0
ip link set node0 up
# Addresses of Services have no route of their own: kube-proxy's rules change them after the route is chosen.
ip route add default via 172.31.0.254 dev node0
echo 1 >/proc/sys/net/ipv4/ip_forward
# Two pods of one bridge that talk through a Service: the answers must pass the same rules.
echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables

"$@" &
# `wait` also collects processes whose parent has ended: the kernel gives them to the first process.
wait $!
