#!/usr/bin/env bash
# Redis streams with appendfsync always: appends of one 250-byte event, without condition, index or idempotence, by
# redis-benchmark. A server of its own on a free port, in a new folder under --data. Prints one JSON object, as
# `qinglan bench` does; exit code 3 when redis-server is not installed.
#
#   redis.sh --data=DIR [--clients=N] [--seconds=S]
set -euo pipefail

clients=1 seconds=5 data=
for argument in "$@"; do
  case $argument in
    --data=?*) data=${argument#*=} ;;
    --clients=?*) clients=${argument#*=} ;;
    --seconds=?*) seconds=${argument#*=} ;;
    *) echo "redis.sh: $argument?" >&2; exit 2 ;;
  esac
done
[ -n "$data" ] || { echo "redis.sh: --data=DIR is required" >&2; exit 2; }
command -v redis-server redis-benchmark >/dev/null || { echo "redis.sh: redis-server is not installed" >&2; exit 3; }

mkdir -p "$data"
server=
stop() { [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; }; }
trap stop EXIT
# A port that is taken ends the server at once; then another one is tried.
for _ in $(seq 20); do
  port=$((20000 + RANDOM))
  redis-server --bind 127.0.0.1 --port "$port" --dir "$(realpath "$data")" --appendonly yes --appendfsync always \
    --auto-aof-rewrite-percentage 0 --save '' --daemonize no >"$data/server.log" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    kill -0 "$server" 2>/dev/null || break
    redis-cli -p "$port" ping >/dev/null 2>&1 && break 2
    sleep 0.1
  done
done

payload=$(head -c 105 /dev/urandom | base64 -w0)
append() {  # COUNT
  redis-benchmark -h 127.0.0.1 -p "$port" -c "$clients" -n "$1" -r 1000000 --csv XADD log '*' \
    type qinglan.bench.v1.AttendanceRecorded teacher 0123456789ABCD__rand_int__ session 0123456789ABCD__rand_int__ \
    school 017 payload "$payload" | tail -n 1 | tr -d '"'
}
# How many last about so long: asked of the store itself, which is the warm-up as well.
rate=$(append $((500 * clients)) | cut -d, -f2)
count=$(awk -v rate="$rate" -v seconds="$seconds" 'BEGIN { printf "%d", rate * seconds }')
before=$(redis-cli -p "$port" info memory | tr -d '\r' | awk -F: '$1 == "used_memory" { print $2 }')
# test,rps,avg_latency_ms,min_latency_ms,p50_latency_ms,p95_latency_ms,p99_latency_ms,max_latency_ms
append "$count" | awk -F, -v clients="$clients" -v count="$count" '{
  printf "{\"bench\": \"redis\", \"clients\": %d, \"events\": %d, \"events_per_second\": %s, \"commits_per_second\": %s, " \
    "\"latency_us\": {\"p50\": %.1f, \"p99\": %.1f, \"p99_9\": null, \"max\": %.1f}, ",
    clients, count, $2, $2, $5 * 1000, $7 * 1000, $8 * 1000 }'
after=$(redis-cli -p "$port" info memory | tr -d '\r' | awk -F: '$1 == "used_memory" { print $2 }')
disk=$(du -sb "$data/appendonlydir" | cut -f1)
total=$(redis-cli -p "$port" xlen log)
printf '"memory_bytes_per_event": %d, "disk_bytes_per_event": %d}\n' $(((after - before) / count)) $((disk / total))
