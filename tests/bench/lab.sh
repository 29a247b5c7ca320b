# shellcheck shell=bash
# The lab of the benchmarks: sourced. Runs the script that sources it again inside fresh namespaces; there,
# `wire` leads to the namespace `far`, which is all that any packet can reach.

enter() { # enter ARGUMENTS...
  export PATH="$PATH:/usr/sbin:/sbin"
  if [ -n "${PORTPROOF_BENCH_INSIDE:-}" ]; then return; fi
  cargo build --release --locked
  mkdir -p target/bench
  cc -O2 -Wall -Werror -o target/bench/frames tests/bench/frames.c
  ulimit -Sn 1024
  export PORTPROOF_BENCH_INSIDE=1
  exec unshare --user --map-root-user --net --mount --pid --fork --kill-child bash "$0" "$@"
}

wire() {
  mount -t tmpfs tmpfs /run
  mount -t sysfs sysfs /sys 2> /dev/null || true
  mkdir -p /run/netns /run/lab
  ip link set lo up
  ip netns add far
  ip link add wire type veth peer name wire netns far
  ip address add 198.51.100.4/24 dev wire
  ip link set wire up
  ip -n far address add 198.51.100.1/24 dev wire
  ip -n far link set wire up
  ip -n far link set lo up
  ip route add 10.0.0.0/8 via 198.51.100.1
  ip route add 203.0.113.0/24 via 198.51.100.1
  gateway=$(ip -n far -br link show wire | awk '{ print $3 }')
}

far() { nsenter --net=/run/netns/far "$@"; }

watch() { target/bench/frames watch wire "$@"; }

median() { sort -n | awk '{ v[NR] = $1 } END { printf "%s", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
