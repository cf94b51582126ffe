#!/usr/bin/env bash
# message-db on PostgreSQL, fsync on: what one server with its own folder and socket does with pgbench as the client.
# Streams are spread over 64 categories, since message-db locks by category. Prints one JSON object, as `qinglan bench`
# does; exit code 3 when PostgreSQL or the package (npm @eventide/message-db) cannot be had.
#
#   message_db.sh --data=DIR [--mode=append|read|replay] [--clients=N] [--seconds=S] [--events=N, of read and replay]
set -euo pipefail

VERSION=1.3.1
mode=append clients=1 seconds=5 data= events=100000
for argument in "$@"; do
  case $argument in
    --data=?*) data=${argument#*=} ;;
    --mode=append | --mode=read | --mode=replay) mode=${argument#*=} ;;
    --clients=?*) clients=${argument#*=} ;;
    --seconds=?*) seconds=${argument#*=} ;;
    --events=?*) events=${argument#*=} ;;
    *) echo "message_db.sh: $argument?" >&2; exit 2 ;;
  esac
done
[ -n "$data" ] || { echo "message_db.sh: --data=DIR is required" >&2; exit 2; }
postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$postgres" ] || { echo "message_db.sh: PostgreSQL is not installed" >&2; exit 3; }
PATH=$postgres:$PATH

mkdir -p "$data"
data=$(realpath "$data")
package=$data/package
if [ ! -d "$package" ]; then
  (cd "$data" && npm pack --silent "@eventide/message-db@$VERSION" >/dev/null && tar xzf eventide-message-db-*.tgz) ||
    { echo "message_db.sh: npm has no @eventide/message-db" >&2; exit 3; }
fi

# PostgreSQL does not run as root.
as=()
if [ "$(id -u)" = 0 ]; then
  as=(runuser -u postgres --)
  chown -R postgres "$data"
fi
export PGHOST=$data PGPORT=5432 PGDATABASE=message_store PGUSER=postgres PGOPTIONS="-c client_min_messages=warning -c search_path=message_store,public"
"${as[@]}" initdb --pgdata="$data/db" --username=postgres --auth=trust >"$data/initdb.log" 2>&1
stop() { "${as[@]}" pg_ctl --pgdata="$data/db" --mode=fast stop >/dev/null 2>&1 || true; }
trap stop EXIT
"${as[@]}" pg_ctl --pgdata="$data/db" --wait --log="$data/server.log" start \
  --options="-c listen_addresses='' -c unix_socket_directories='$data' -c max_connections=200 -c shared_buffers=512MB -c fsync=on -c synchronous_commit=on" \
  >/dev/null
# Its own tables and functions, in its own order.
"${as[@]}" bash "$package/database/install.sh" >"$data/install.log" 2>&1

body=$(head -c 81 /dev/urandom | base64 -w0)
message="'AttendanceRecorded', '{\"session\": \"0123456789ABCDEFGHJKMNPQRS\", \"school\": \"017\", \"note\": \"$body\"}'::jsonb"
case $mode in
  append)
    cat >"$data/script.sql" <<SQL
\set school random(1, 64)
\set teacher random(1, 50000)
SELECT message_store.write_message(gen_random_uuid()::varchar, 'school' || :school || '-' || :teacher, $message);
SQL
    ;;
  read)
    cat >"$data/script.sql" <<SQL
\set teacher random(1, $((events / 20)))
SELECT * FROM message_store.get_stream_messages('school' || (:teacher % 64) || '-' || :teacher);
SQL
    ;;
esac
if [ "$mode" != append ]; then
  # In rounds, so that the 20 messages of a stream are scattered over the table.
  "${as[@]}" psql -q -v ON_ERROR_STOP=1 >/dev/null <<SQL
SELECT message_store.write_message(gen_random_uuid()::varchar, 'school' || (n % $((events / 20)) + 1) % 64 || '-' || (n % $((events / 20)) + 1), $message)
FROM generate_series(0, $((events - 1))) AS n;
VACUUM ANALYZE message_store.messages;
SQL
fi
if [ "$mode" = replay ]; then
  began=$(date +%s.%N)
  "${as[@]}" psql -q -c "COPY (SELECT * FROM message_store.messages ORDER BY global_position) TO STDOUT (FORMAT binary)" >/dev/null
  awk -v began="$began" -v ended="$(date +%s.%N)" -v events="$events" 'BEGIN {
    printf "{\"bench\": \"message-db replay\", \"events\": %d, \"events_per_second\": %.0f}\n", events, events / (ended - began) }'
  exit 0
fi

threads=$((clients < 2 ? 1 : 2))
"${as[@]}" pgbench -n -M prepared -c "$clients" -j "$threads" -T 1 -f "$data/script.sql" >"$data/warm_up.txt" 2>&1 || { cat "$data/warm_up.txt" >&2; exit 1; }
cd "$data"
"${as[@]}" pgbench -n -M prepared -c "$clients" -j "$threads" -T "$seconds" -f "$data/script.sql" --log --log-prefix="$data/times" \
  >"$data/pgbench.txt" 2>&1 || { cat "$data/pgbench.txt" >&2; exit 1; }
rate=$(awk '/^tps = .*without/ { print $3 }' "$data/pgbench.txt")
[ -n "$rate" ] || { echo "message_db.sh: not one call was done: give it more --seconds" >&2; exit 1; }
sort -n -k3,3 "$data"/times.* | awk -v mode="$mode" -v clients="$clients" -v rate="$rate" '{ times[NR] = $3 } END {
  printf "{\"bench\": \"message-db %s\", \"clients\": %d, \"events\": %d, \"events_per_second\": %s, \"commits_per_second\": %s, \"reads_per_second\": %s, " \
    "\"latency_us\": {\"p50\": %d, \"p99\": %d, \"p99_9\": %d, \"max\": %d}}\n",
    mode, clients, NR, rate, rate, rate, times[int(NR * 0.5) + 1], times[int(NR * 0.99) + 1], times[int(NR * 0.999) + 1], times[NR] }'
