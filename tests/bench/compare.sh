#!/usr/bin/env bash
# Measures this event store beside what it is compared with, on this machine, in turns (A B A B ...), and says of every
# target whether it is met: medians, and ratios taken pair by pair. Everything that is compared is durable.
#
#   compare.sh --out=DIR [--quick] [--runs=5] [--only=GROUP,...] [--events=N] [--big=N] [--preset=release]
#
#   --out=DIR     report.md and report.json, and every figure behind them in runs/; the data is made and deleted in work/
#   --quick       one short round over a small log: that everything runs, not how fast; --runs, --events and --big win over it
#   --runs=N      rounds (default 5)
#   --only=G,...  of: one many pipelined batches read replay rebuild lag disk restore micro big (default: all)
#   --events=N    in the log that is read (default 2,000,000), filled in commits of 10 as people record them
#   --big=N       in the log of the group "big" (default 50,000,000: 10 GB of disk), filled in commits of 1,000
#   --preset=P    which build (default release); it is built when it is not there
#
# Peers that are not installed are left out, and the report says so: redis-server; PostgreSQL with npm's
# @eventide/message-db.
#
# Exit code: 0 everything that was wanted ran (a target that is missed changes nothing), 1 a measurement failed; the report,
# which names it, is written all the same. 2 the command line is wrong.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
out='' runs='' quick=false only='one,many,pipelined,batches,read,replay,rebuild,lag,disk,restore,micro,big' preset=release
events='' big='' seconds=5 warm_up=1
for argument in "$@"; do
  case $argument in
    --out=?*) out=${argument#*=} ;;
    --quick) quick=true ;;
    --runs=?*) runs=${argument#*=} ;;
    --only=?*) only=${argument#*=} ;;
    --events=?*) events=${argument#*=} ;;
    --big=?*) big=${argument#*=} ;;
    --preset=?*) preset=${argument#*=} ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "compare.sh: $argument? See compare.sh --help" >&2; exit 2 ;;
  esac
done
[ -n "$out" ] || { echo "compare.sh: --out=DIR is required" >&2; exit 2; }
if $quick; then
  : "${runs:=1}" "${events:=40000}" "${big:=100000}"
  seconds=0.5 warm_up=0.2
fi
: "${runs:=5}" "${events:=2000000}" "${big:=50000000}"

mkdir -p "$out/runs"
out=$(realpath "$out")
work=$out/work
qinglan=$root/build/$preset/qinglan
baseline=$root/build/$preset/qinglan_baseline
micro=$root/build/$preset/qinglan_micro
skipped=$out/runs/skipped.txt
: >"$skipped"
declare -A servers=()  # those that run: process by data
failed=false  # a measurement, or what it needs
round=
trap finish EXIT

# However it ends: what was measured until then is reported.
finish() {
  local code=$?
  trap - EXIT
  for served in "${!servers[@]}"; do stop_server; done
  rm -rf "$work"
  if [ -n "$round" ]; then
    [ "$code" = 0 ] || echo "failed: all that was to come, for it ended early (exit code $code)" >>"$skipped"
    "$here/report.sh" "$out" | tee "$out/report.md" || code=1
  fi
  if $failed && [ "$code" = 0 ]; then code=1; fi
  exit "$code"
}

note_failure() {  # WHAT
  failed=true
  echo "compare.sh: failed: $1" >&2
  echo "failed: $1" >>"$skipped"
}

wanted() { [[ ",$only," == *",$1,"* ]]; }

# measure NAME COMMAND...: runs it and keeps the JSON that it prints as one more run of NAME.
measure() {
  local name=$1 code=0 log=$out/runs/$1.log
  shift
  echo "   $name" >&2
  "$@" >"$out/runs/$name.$round.json" 2>"$log" || code=$?
  [ "$code" = 0 ] && return
  rm -f "$out/runs/$name.$round.json"
  if [ "$code" = 3 ]; then
    tail -n 1 "$log" >>"$skipped"
  else
    tail -n 5 "$log" >&2
    note_failure "$name: $(tail -n 1 "$log")"
  fi
}

fresh() { rm -rf "${work:?}/$1"; mkdir -p "$work"; echo "$work/$1"; }

# start_server [ROLES]: of the data $served.
start_server() {
  if [ ! -e "$out/keys/jwks.json" ]; then
    "$qinglan" token --new-keys="$out/keys" >/dev/null
    "$qinglan" token --key="$out/keys/private.pem" --user=bench --role=operator --hours=720 --out="$out/keys/token" >/dev/null
  fi
  rm -f "$served.port"
  mkdir -p "$work"
  "$qinglan" serve --roles="${1:-eventstore}" --data="$served" --keys="$out/keys/jwks.json" --port=0 --port-file="$served.port" \
    >"$served.log" 2>&1 &
  servers[$served]=$!
  for _ in $(seq 600); do
    [ -e "$served.port" ] && return
    kill -0 "${servers[$served]}" 2>/dev/null || { cat "$served.log" >&2; return 1; }
    sleep 0.1
  done
  stop_server
  return 1
}

address() { echo "127.0.0.1:$(cat "$served.port")"; }

stop_server() {  # that of $served, if there is one
  local process=${servers[$served]-}
  [ -n "$process" ] || return 0
  kill -TERM "$process" 2>/dev/null || true
  wait "$process" 2>/dev/null || true
  unset "servers[$served]"
}

# ours NAME BENCH ARGUMENTS...: over gRPC, against the server of $served.
ours() {
  local name=$1 bench=$2
  shift 2
  measure "$name" "$qinglan" bench "$bench" --server="$(address)" --token-file="$out/keys/token" \
    --server-pid="${servers[$served]}" --data="$served" --output=json "$@"
}

# ours_fresh NAME ARGUMENTS...: appends over gRPC to a new log of 100,000 events.
ours_fresh() {
  local name=$1
  shift
  served=$(fresh ours)
  "$qinglan" bench fill --data="$served" --events=$((events < 100000 ? events : 100000)) --people=50000 >/dev/null
  start_server || { note_failure "$name: the server did not start"; return; }
  ours "$name" append "${times[@]}" "$@"
  stop_server
  rm -rf "$served"
}

raw() {  # NAME ARGUMENTS...
  local name=$1
  shift
  measure "$name" "$baseline" raw --data="$(fresh baseline)" "${times[@]}" "$@"
  rm -rf "$work/baseline"
}

naive() {  # NAME ARGUMENTS...
  local name=$1
  shift
  measure "$name" "$baseline" naive --data="$(fresh baseline)" "${times[@]}" "$@"
  rm -rf "$work/baseline"
}

peer() {  # NAME SCRIPT ARGUMENTS...
  local name=$1 script=$2
  shift 2
  measure "$name" "$here/baseline/$script" --data="$(fresh peer)" --seconds="$peer_seconds" "$@"
  rm -rf "$work/peer"
}

appends() {
  if wanted one; then
    ours_fresh append-1 --clients=1 --blocking
    raw raw-1 --layout=log
    raw raw-1-tags --layout=tags
    raw raw-1-indexed --layout=indexed
    naive naive-1 --clients=1
    peer message-db-1 message_db.sh --clients=1
    peer redis-1 redis.sh --clients=1
  fi
  if wanted many; then
    ours_fresh append-64 --clients=64
    naive naive-64 --clients=64
    peer message-db-64 message_db.sh --clients=64
    peer redis-64 redis.sh --clients=64
  fi
  if wanted pipelined; then ours_fresh pipelined --pipelined=2000; fi
  if wanted batches; then
    ours_fresh batches-8 --clients=8 --events-per-commit=100
    raw raw-batches-8 --layout=log --clients=8 --events-per-commit=100
    raw raw-batches-8-tags --layout=tags --clients=8 --events-per-commit=100
    naive naive-batches-8 --clients=8 --events-per-commit=100
  fi
}

reads() {
  served=$work/log
  if [ ! -e "$served" ]; then "$qinglan" bench fill --data="$served" --events="$events" --compact >/dev/null; fi
  if wanted replay; then
    measure replay-embedded "$qinglan" bench replay --data="$served" --seconds="$seconds" --output=json
    peer message-db-replay message_db.sh --mode=replay --events=$((events < 200000 ? events : 200000))
  fi
  start_server || { note_failure "read and replay: the server did not start"; return; }
  if wanted read; then
    ours read-tag-8 read --clients=8 "${times[@]}"
    ours read-both-8 read --clients=8 --mode=intersection "${times[@]}"
    ours read-type-8 read --clients=8 --mode=type "${times[@]}"
  fi
  if wanted replay; then ours replay replay --seconds="$seconds"; fi
  stop_server
  if wanted read; then peer message-db-read-8 message_db.sh --mode=read --clients=8; fi
}

others() {
  if wanted lag; then
    served=$(fresh ours)
    "$qinglan" bench fill --data="$served" --events=10000 --people=50000 >/dev/null
    if start_server; then ours lag lag --rate=10000 "${times[@]}"; else note_failure "lag: the server did not start"; fi
    stop_server
    rm -rf "$served"
  fi
  if wanted disk; then
    local per_commit
    for per_commit in 1 10; do
      measure "disk-$per_commit" "$qinglan" bench append --data="$(fresh ours)" --pipelined=4000 --unconditional \
        --events-per-commit="$per_commit" --compact --output=json --warm-up=0 --seconds="$disk_seconds"
      rm -rf "$work/ours"
    done
  fi
  if wanted rebuild; then rebuilds; fi
  if wanted restore; then restores; fi
}

# The parts of an append and of a read, each for itself: nothing that a target is about, but where a change of one shows.
parts() {
  round=1
  measure micro "$micro" --benchmark_format=json --benchmark_repetitions="$runs" --benchmark_min_time="$($quick && echo 0.01 || echo 0.5)" \
    --benchmark_enable_random_interleaving=true
  [ ! -e "$out/runs/micro.1.json" ] || jq -e 'all(.benchmarks[]; .error_occurred | not)' "$out/runs/micro.1.json" >/dev/null ||
    note_failure "micro: a benchmark reported an error"
}

# On records of a demonstration's, many times over: folds of made-up bytes would have nothing to do.
rebuilds() {
  local seed=$work/demo
  served=$seed
  demonstration || { note_failure "rebuild: the demonstration could not be made"; return; }
  served=$(fresh grown)
  "$qinglan" bench grow --like="$seed" --data="$served" --events="$events" >/dev/null
  measure rebuild "$qinglan" bench rebuild --data="$served" --runs=1 --output=json
  rm -rf "$served"
  measure view-lag "$qinglan" bench view-lag --like="$seed" --data="$(fresh live)" --rate=10000 "${times[@]}" --output=json
  rm -rf "$work/live"
}

# demonstration: $served becomes a made-up district's years, recorded through the public API; made once.
demonstration() {
  [ ! -e "$served/log" ] || return 0
  start_server all || return 1
  "$qinglan" demo-district --server="$(address)" --key="$out/keys/private.pem" \
    --teachers="$($quick && echo 12 || echo 300)" --years=3 >/dev/null 2>"$out/runs/demonstration.log" || { stop_server; rm -rf "$served"; return 1; }
  stop_server
}

restores() {
  "$qinglan" restore --help 2>/dev/null | grep -q -- --stream || { note_failure "restore: there is no such command"; return; }
  served=$(fresh ours)
  "$qinglan" bench fill --data="$served" --events="$events" >/dev/null
  "$qinglan" backup --data="$served" --stream="$work/stream" >/dev/null
  rm -rf "$served"
  measure restore restored
  rm -rf "$work/stream" "$work/restored"
}

restored() {
  local began
  rm -rf "$work/restored"
  began=$(date +%s.%N)
  "$qinglan" restore --stream="$work/stream" --data="$work/restored" >&2 || return 1
  jq -n --argjson began "$began" --argjson ended "$(date +%s.%N)" --argjson events "$events" --argjson bytes "$(stat -c %s "$work/stream")" \
    '{bench: "restore", events: $events, seconds: ($ended - $began), events_per_second: ($events / ($ended - $began)), stream_bytes: $bytes}'
}

# Filled once, for that takes long: the append of a small log and of a large one in turns, both servers running, the start
# with the large one and its memory. Both logs are compacted before: what is compared is a long log with a short one, not with the end of having
# filled it. And in turns, for what else a machine or a disk has to do makes the difference of minutes.
large_log() {
  local log small=$work/small large=$work/large
  "$qinglan" bench fill --data="$small" --events=$((big / 50)) --events-per-commit=1000 --compact >/dev/null
  served=$large
  round=1
  measure fill "$qinglan" bench fill --data="$served" --events="$big" --events-per-commit=1000 --output=json --compact
  for round in $(seq "$runs"); do measure open-large "$qinglan" bench open --data="$served" --output=json; done
  for log in small large; do
    served=$work/$log
    start_server || { note_failure "append-$log: the server did not start"; return; }
  done
  for round in $(seq "$runs"); do
    for log in $([ $((round % 2)) = 1 ] && echo small large || echo large small); do
      served=$work/$log
      ours "append-$log" append --clients=8 "${times[@]}"
    done
  done
  served=$large
  for round in $(seq "$runs"); do ours read-large read --clients=8 "${times[@]}"; done
  for served in "$small" "$large"; do stop_server; done
  rm -rf "$small" "$large"
}

[ -x "$qinglan" ] && [ -x "$baseline" ] && [ -x "$micro" ] || {
  source "$root/deploy/setup.sh"
  build "$preset" qinglan_benchmarks
}
times=(--seconds="$seconds" --warm-up="$warm_up")
disk_seconds=$($quick && echo 1 || echo 25)  # a million events and more: the newest 100,000 are not in the index on disk
peer_seconds=$($quick && echo 3 || echo "${seconds%.*}")
for round in $(seq "$runs"); do
  echo "round $round of $runs" >&2
  appends
  if wanted read || wanted replay; then reads; fi
  others
done
if wanted micro; then parts; fi
if wanted big; then large_log; fi
