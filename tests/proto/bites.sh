#!/usr/bin/env bash
# Shows that tests/proto/buf.sh refuses what it must: it is run on copies of a small folder of protos, with one fault each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
check=tests/proto/buf.sh
events=$copy/proto/qinglan/sample/v1/sample_events.proto
failures=0

# expect pass|fail SUBCOMMAND WHAT
expect() {
  local outcome=pass
  PROTO=$copy/proto "$check" "$2" >"$copy/output" 2>&1 || outcome=fail
  [ "$outcome" = "$1" ] && return
  echo "$2 must $1 with $3, and did not:"
  cat "$copy/output"
  failures=$((failures + 1))
}

start() {
  rm -rf "$copy/proto"
  mkdir -p "$copy/proto/qinglan/sample/v1"
  cp proto/buf.yaml "$copy/proto/"
  cat >"$events" <<'PROTO'
syntax = "proto3";

package qinglan.sample.v1;

message SampleTaken {
  string sample_id = 1;
  int32 half_hours = 2;
}
PROTO
  PROTO=$copy/proto "$check" accept >/dev/null
}

start
expect pass lint "a clean tree"
expect pass breaking "a clean tree"
expect pass covered "a clean tree"
start && sed -i 's/half_hours/halfHours/' "$events"
expect fail lint "a field in camelCase"
start && sed -i '/half_hours/d' "$events"
expect fail breaking "a field taken away"
expect fail accept "a field taken away"
start && sed -i 's/half_hours = 2/half_hours = 3/' "$events"
expect fail breaking "a field with another number"
start && sed -i 's/int32 half_hours/string half_hours/' "$events"
expect fail breaking "a field of another type"
start && rm "$events"
expect fail breaking "no events left"
start && sed -i 's/^}/  string place = 3;\n}/' "$events"
expect pass breaking "a field added"
expect fail covered "a field added"
expect pass accept "a field added"
expect pass covered "the image made anew"
start && rm "$copy/proto/stored-events.binpb"
expect fail breaking "no image"

[ "$failures" = 0 ]
