#!/usr/bin/env bash
# What compare.sh measured, against the targets: Markdown on standard output, the same as JSON in DIR/report.json.
#
#   report.sh DIR
set -euo pipefail
out=$1

# {name: [figures of round 1, of round 2, ...]}
runs=$(
  for file in "$out"/runs/*.json; do
    [ -s "$file" ] || continue
    name=$(basename "$file" .json)
    jq -c --arg name "${name%.*}" --argjson round "${name##*.}" '{name: $name, round: $round, figures: .}' "$file"
  done | jq -s 'sort_by(.round) | group_by(.name) | map({(.[0].name): map(.figures)}) | add // {}'
)

jq --null-input --argjson runs "$runs" --slurpfile targets "$(dirname "${BASH_SOURCE[0]}")/targets.json" \
  --rawfile skipped "$out/runs/skipped.txt" --arg date "$(date -u +%Y-%m-%d)" --arg cores "$(nproc)" \
  --arg cpu "$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)" '
  def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
    else (.[length / 2 - 1] + .[length / 2]) / 2 end;
  def rounded: if . == null then null elif . >= 100 then round else . * 100 | round / 100 end;
  def values($name; $figure): [($runs[$name] // [])[] | getpath($figure / ".")] ;
  def one($row):
    values($row.of; $row.figure) as $ours
    | (if $row.against then values($row.against; $row.against_figure // $row.figure) else [] end) as $theirs
    | ([range([($ours | length), ($theirs | length)] | min)] | map($ours[.] as $a | $theirs[.] as $b
        | select($a != null and $b != null and $b != 0) | $a / $b)) as $ratios
    | {work: $row.work, what: $row.what, ours: ($ours | map(values) | median | rounded),
       theirs: ($theirs | map(values) | median | rounded),
       value: (if $row.against then $ratios | median else $ours | map(values) | median end | rounded),
       spread: (if $row.against then $ratios else $ours | map(values) end | [min, max] | map(rounded)),
       runs: (if $row.against then $ratios | length else $ours | length end),
       target: (if $row.at_least then "≥ \($row.at_least)" else "≤ \($row.at_most)" end),
       missed_by: null}
    | .met = (if .value == null then null elif $row.at_least then .value >= $row.at_least else .value <= $row.at_most end);
  {date: $date, cpu: $cpu, cores: ($cores | tonumber), rows: [$targets[0][] | one(.)] | map(del(.missed_by)),
   left_out: ($skipped | split("\n") | map(select(. != "")) | unique), micro: ([($runs.micro // [])[].benchmarks[] | select((.repetitions == 1 and .run_type == "iteration") or .aggregate_name == "median")
     | {name: .run_name, ns: .real_time, items_per_second}] | sort_by(.name)),
   medians: ($runs | del(.micro) | map_values(
     {events_per_second: [.[].events_per_second | values] | median | rounded,
      commits_per_second: [.[] | .reads_per_second // .commits_per_second | values] | median | rounded,
      p50_us: [.[].latency_us.p50? | values] | median | rounded, p99_us: [.[].latency_us.p99? | values] | median | rounded,
      cpu_client: [.[].cpu_seconds.client? | values] | median, cpu_server: [.[].cpu_seconds.server? | values] | median,
      disk_bytes_per_event: [.[].disk_bytes_per_event | values] | median | rounded, runs: length}))}
' >"$out/report.json"

jq --raw-output '
  def shown: if . == null then "–" else tostring end;
  "Measured \(.date) on \(.cores) cores of \(.cpu). Medians; a ratio is taken within each round, then the median.\n",
  "| work | figure | ours | theirs | value (lowest to highest, rounds) | target | |", "|---|---|---|---|---|---|---|",
  (.rows[] | "| \(.work) | \(.what) | \(.ours | shown) | \(.theirs | shown) | \(if .value == null then "not measured" else
    "**\(.value)** (\(.spread[0]) to \(.spread[1]), \(.runs))" end) | \(.target) | \(
    if .met == null then "–" elif .met then "met" else "missed" end) |"),
  "\nEverything that was run:\n",
  "| run | events/s | commits or reads/s | p50 µs | p99 µs | CPU s client | CPU s server | bytes an event | rounds |", "|---|---|---|---|---|---|---|---|---|",
  (.medians | to_entries[] | "| \(.key) | \(.value.events_per_second | shown) | \(.value.commits_per_second | shown) | \(.value.p50_us | shown) | \(.value.p99_us | shown) | \(.value.cpu_client | shown) | \(.value.cpu_server | shown) | \(.value.disk_bytes_per_event | shown) | \(.value.runs) |"),
  (if .micro == [] then empty else "\nParts of it, each for itself, medians:\n", "| part | ns | events/s |", "|---|---|---|",
    (.micro[] | "| \(.name) | \(.ns | round) | \(.items_per_second | if . == null then "–" else round end) |") end),
  (if .left_out == [] then empty else "\nLeft out, or failed:\n", (.left_out[] | "- \(.)") end)
' "$out/report.json"
