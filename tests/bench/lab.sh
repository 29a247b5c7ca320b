# shellcheck shell=bash
# The lab of the benchmarks: sourced. Runs the script that sources it again inside fresh namespaces; there,
# `wire` leads to the namespace `far`, which is all that any packet can reach.

enter() { # enter ARGUMENTS...
  export PATH="$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin:$PWD/target/bench/bin"
  if [ -n "${PORTPROOF_BENCH_INSIDE:-}" ]; then return; fi
  cargo build --release --locked
  mkdir -p target/bench
  for program in frames wan delay; do cc -O2 -Wall -Werror -o "target/bench/$program" "tests/bench/$program.c"; done
  ulimit -Sn 1024
  export PORTPROOF_BENCH_INSIDE=1
  exec unshare --user --map-root-user --net --mount --pid --fork --kill-child bash "$0" "$@"
}

wire() {
  mount -t tmpfs tmpfs /run
  mount -t sysfs sysfs /sys 2> /dev/null || true
  mkdir -p /run/netns /run/lab
  : > /run/lab/nothing
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

# What the scripts print, and what they hold.
failed=0
portproof=$PWD/target/release/portproof

has() { command -v "$1" > /dev/null || { printf '%-26s not installed\n' "$1"; return 1; }; }

# Seconds of processor time that the machine beneath this one has kept for itself so far.
stolen() { awk -v hz="$(getconf CLK_TCK)" '$1 == "cpu" { printf "%.2f", $9 / hz }' /proc/stat; }

# Runs a command several times under watch; leaves the median run by rate ($1 = 2) or wall ($1 = 3).
repeat() {
  local key=$1 before
  shift
  before=$(stolen)
  for _ in $(seq "$runs"); do watch "$@"; done 3> /run/lab/runs > /run/lab/stdout 2> /run/lab/stderr
  sort -n -k"$key" /run/lab/runs | sed -n "$(((runs + 1) / 2))p" > /run/lab/median
  read -r frames rate wall cpu memory code slowest < /run/lab/median
  steal=$(awk -v a="$before" -v b="$(stolen)" 'BEGIN { printf "%.1f", b - a }')
}
# Where much was stolen during the runs of a line, its times say little.
head_line() { printf '%-26s %11s %11s %8s %8s %9s %8s %s\n' "" frames frames/s wall/s cpu/s peak/MiB stolen/s "${1:-}"; }
line() { printf '%-26s %11d %11d %8.2f %8.2f %9.1f %8.1f %s\n' "$1" "$frames" "$rate" "$wall" "$cpu" "$(awk -v k="$memory" 'BEGIN { print k / 1024 }')" "$steal" "${2:-}"; }
must() { if awk "BEGIN { exit !($2) }"; then echo "  holds: $1"; else echo "  DOES NOT HOLD: $1"; failed=1; fi; }

median() { sort -n | awk '{ v[NR] = $1 } END { printf "%s", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
