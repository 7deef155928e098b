# For scripts that start an engine or a cluster: the cgroup in which all its containers are. To be read with `.`; `cgroup` is its name.

# One for each controller, or one for all with cgroup v2.
cgroup_folders() {
  awk -v name="$cgroup" '$3 ~ /^cgroup2?$/ { print $2 "/" name }' /proc/mounts
}
make_cgroups() {
  for one in $(cgroup_folders); do mkdir "$one"; done
}
# The kernel needs a moment until the last process of a cgroup is gone.
remove_cgroups() {
  left=100
  for one in $(cgroup_folders); do
    while [ -d "$one" ]; do
      find "$one" -depth -type d -exec rmdir {} \; 2>/dev/null || true
      [ -d "$one" ] || break
      left=$((left - 1))
      [ $left -gt 0 ] || { echo "vast-pod: $one could not be removed: processes still use it." >&2; return; }
      sleep 0.1
    done
  done
}
