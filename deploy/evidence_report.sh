#!/usr/bin/env bash
# Makes the report of deploy/evidence.sh: evidence_report.sh DIR PRESET QUICK, where DIR has parts.jsonl. Prints Markdown.
set -euo pipefail
out=$1 preset=$2 quick=$3
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

version() { dpkg-query --show --showformat='${Version}' "$1" 2>/dev/null || echo 'not installed'; }
commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo 'not a repository')
if [ -n "$(git -C "$root" status --porcelain 2>/dev/null)" ]; then commit="$commit, with changes that are not committed"; fi

echo '# Evidence'
echo
if jq -e -s 'length > 0 and all(.[]; .exit_code == 0)' "$out/parts.jsonl" >/dev/null; then
  echo "**Every part passed.** $(jq -s length "$out/parts.jsonl") parts, $(jq -s '[.[].seconds] | add' "$out/parts.jsonl") seconds."
else
  echo "**Not every part passed:** $(jq -rs '[.[] | select(.exit_code != 0) | .part] | join(", ")' "$out/parts.jsonl")."
fi
if [ "$quick" = true ]; then echo 'This is the shortened form (`--quick`).'; fi
cat <<END

| | |
|---|---|
| made | $(date --utc +%Y-%m-%dT%H:%M:%SZ) by \`deploy/evidence.sh\`, preset $preset |
| commit | $commit |
| machine | $(nproc) cores of $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB of memory |
| system | $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release), Linux $(uname -r) |
| disk | $(findmnt -no FSTYPE,OPTIONS --target "$out"), $(df -h --output=avail "$out" | tail -n 1 | tr -d ' ') free |
| libraries | RocksDB $(version librocksdb-dev), gRPC $(version libgrpc++-dev), protobuf $(version libprotobuf-dev), abseil $(version libabsl-dev) |
| compilers | g++ $(g++ -dumpfullversion), $(clang-19 --version 2>/dev/null | head -n 1 || echo no clang-19) |

## In short

| part | verdict | seconds | checks of a whole log | acknowledged commits found again | lost | duplicated |
|---|---|---|---|---|---|---|
END
jq -r 'def total(f): [.figures[] | f // empty] | if length == 0 then "" else add end;
  "| \(.part) | \(if .exit_code == 0 then "passed" else "**failed**" end) | \(.seconds) | \(total(.checks)) | \(total(.found_commits)) | \(total(.lost)) | \(total(.duplicated)) |"' \
  "$out/parts.jsonl"
echo
echo 'A check of a whole log reads every event, in order, by every writer, and by a sample of commit ids, compares each with what the'
echo 'writer sent, and looks for each acknowledged commit; fsck runs as well. Logs that live through several rounds are checked after each.'
echo
echo '## Each part'
jq -r '"\n### \(.part): \(if .exit_code == 0 then "passed" else "FAILED, exit code \(.exit_code)" end)\n\nAsserted: \(.asserted)\n\n```\n\(.command)\n```\n\nPrinted: `raw/\(.part).txt`; \(.seconds) seconds.",
  (.figures[] | "\n| \(.part) | |\n|---|---|\n" + ([to_entries[] | select(.key != "part") | "| \(.key | gsub("_"; " ")) | \(.value) |"] | join("\n")))' \
  "$out/parts.jsonl"
if [ -e "$out/bench/report.md" ]; then
  echo
  echo 'The benchmark table: `bench/report.md`.'
fi
