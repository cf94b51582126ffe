#!/usr/bin/env bash
# Puts the log to every test that it must stand, in the long form, and writes a report: what was done, what was asserted, what
# was counted, and whether it held. It runs the same programs as deploy/test.sh, only longer; anyone may run it again.
#
#   deploy/evidence.sh --out=DIR [--quick] [--only=PART,...] [--sanitizers] [--preset=release] [--seed=N] [--fuzz-seconds=S]
#
#   --out=DIR       report.md; the figures in evidence.jsonl and parts.jsonl; everything that was printed in raw/
#   --quick         shortened: minutes instead of hours, to see that everything runs
#   --only=P,...    of: kill power disk flip clock model followers connections promises privacy proofs backup views fuzz bench
#                   sanitizers (default: all but sanitizers, which --sanitizers adds)
#   --sanitizers    also the tests of eventstore, contract, projections, services and faults under AddressSanitizer (leaks
#                   too) and UBSan, those of eventstore, eventstore/disk and faults under ThreadSanitizer. The two builds
#                   take most of the time: some 600 files on an empty compiler cache
#   --preset=P      which build (default release); it is made when it is not there
#   --fuzz-seconds=S  of each fuzzing target (default 300; 10 with --quick)
#   --seed=N        of what the fault tests draw (default: a new one for each test; the report tells it). Fuzzing and the
#                   benchmarks do not follow it
#
# Exit code 0 only when every part passed. Takes some 10 GB of disk below --out for the followers' log, and more for the
# benchmarks (tests/bench/compare.sh --help).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out='' quick=false only='' sanitizers=false preset=release seed='' fuzz_seconds=''
for argument in "$@"; do
  case $argument in
    --out=?*) out=${argument#*=} ;;
    --quick) quick=true ;;
    --only=?*) only=${argument#*=} ;;
    --sanitizers) sanitizers=true ;;
    --preset=?*) preset=${argument#*=} ;;
    --seed=?*) seed=${argument#*=} ;;
    --fuzz-seconds=?*) fuzz_seconds=${argument#*=} ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "evidence.sh: $argument? See evidence.sh --help" >&2; exit 2 ;;
  esac
done
[ -n "$out" ] || { echo "evidence.sh: --out=DIR is required" >&2; exit 2; }
all=kill,power,disk,flip,clock,model,followers,connections,promises,privacy,proofs,backup,views,fuzz,bench
[ -n "$only" ] || only=$all
if $sanitizers; then only=$only,sanitizers; fi
for part in ${only//,/ }; do
  [[ ",$all,sanitizers," == *",$part,"* ]] || { echo "evidence.sh: no part $part: $all,sanitizers" >&2; exit 2; }
done

source "$here/setup.sh"
mkdir -p "$out/raw"
out=$(realpath "$out")
tests=$QINGLAN_ROOT/build/$preset/tests
rm -f "$out"/{evidence,parts}.jsonl "$out/report.md"
touch "$out"/{evidence,parts}.jsonl
scratch=$(mktemp -d "$out/scratch-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export QINGLAN_EVIDENCE_FILE=$out/evidence.jsonl TEST_TMPDIR=$scratch
if [ -n "$seed" ]; then export QINGLAN_FAULT_SEED=$seed; fi

wanted() { [[ ",$only," == *",$1,"* ]]; }
size() { if $quick; then echo "$2"; else echo "$1"; fi; }  # LONG QUICK

# part NAME ASSERTED COMMAND...: runs it, keeps what it prints, and notes how it went.
part() {
  local name=$1 asserted=$2 code=0 began lines
  shift 2
  say "$name: $*"
  began=$(date +%s)
  lines=$(wc -l <"$out/evidence.jsonl")
  "$@" >"$out/raw/$name.txt" 2>&1 || code=$?
  jq -cn --arg part "$name" --arg asserted "$asserted" --arg command "${*/#"$QINGLAN_ROOT/"/}" --argjson code "$code" \
    --argjson seconds "$(($(date +%s) - began))" \
    --slurpfile figures <(tail -n "+$((lines + 1))" "$out/evidence.jsonl") \
    '{part: $part, asserted: $asserted, command: $command, exit_code: $code, seconds: $seconds, figures: $figures}' \
    >>"$out/parts.jsonl"
  if [ "$code" = 0 ]; then say "$name passed"; else say "$name FAILED ($code): $out/raw/$name.txt"; fi
}

fault() {  # NAME FILTER ASSERTED VARIABLE=VALUE...
  local name=$1 filter=$2 asserted=$3
  shift 3
  part "$name" "$asserted" env "$@" "$tests/fault_test" --gtest_filter="$filter"
}

if [[ ",$only," =~ ,(kill|power|disk|clock|model|followers), ]]; then build "$preset" fault_test; fi
if wanted flip; then build "$preset" fault_flip_test; fi
if wanted connections; then build "$preset" fault_connections_test qinglan; fi

if wanted kill; then
  fault kill 'KillTest.*' 'After kill -9 at a random instant under load (also while the store is made or opened) every acknowledged commit is there exactly once and whole, no other is there in part, and fsck finds nothing.' \
    QINGLAN_FAULT_KILL_ROUNDS="$(size 500 40)"
fi
if wanted power; then
  fault power '*PowerTest.*:LyingDiskTest.*' 'When the power goes on a disk that drops what was not synced (all of it, a part, a part that ends in a torn sector, all but the length, nothing), every acknowledged commit is there exactly once, no reader has seen what is gone, and fsck finds nothing. On a disk that lies about syncs the same check finds the loss.' \
    QINGLAN_FAULT_POWER_ROUNDS="$(size 300 20)"
fi
if wanted disk; then
  fault disk 'FailedSyncTest.*:FailedReadTest.*:FullDiskTest.*' 'A sync that failed once is never taken for done; a condition that cannot be read is never taken for holding; a full disk refuses appends alone, reads go on, and appends go on by themselves when there is room.' \
    QINGLAN_FAULT_SYNC_ROUNDS="$(size 80 8)" QINGLAN_FAULT_FULL_ROUNDS="$(size 20 2)"
fi
if wanted flip; then
  part flip 'One wrong byte anywhere in any kind of file of the log, of the signed checkpoints, of the keys of persons, of a backup and of the views; a damaged length, a missing file of the log, a write-ahead log of the views that lost its end: the store refuses to open, or tells the damage, or nothing is lost (a view goes on from an earlier checkpoint); never a loss or a wrong row in silence.' \
    env QINGLAN_FAULT_FLIPS="$(size 150 10)" "$tests/fault_flip_test"
fi
if wanted clock; then
  fault clock 'ClockTest.*' 'Whatever the clock does, back or far ahead, recorded_at never goes back, and what HeadAt() said of an instant it says for ever.' \
    QINGLAN_FAULT_CLOCK_ROUNDS="$(size 60 6)"
fi
if wanted model; then
  fault model 'ModelTest.*' 'Random operations, restarts and losses of power agree with a model that is too simple to be wrong.' \
    QINGLAN_FAULT_GAMES="$(size 150 6)"
fi
if wanted followers; then
  fault followers 'FollowersTest.*:HeldCommitTest.*:StuckFollowerTest.*' 'Followers that join, stop and resume while 64 writers append miss nothing, get nothing twice and nothing out of order; while a commit waits for its sync no reader passes its position; a follower that stops reading holds up nobody.' \
    QINGLAN_FAULT_FOLLOWED_EVENTS="$(size 10000000 500000)" QINGLAN_FAULT_STUCK_COMMITS="$(size 4000 400)"
fi
if wanted connections; then
  part connections 'Clients that connect to a running server at the same time and leave it in every way there is cost it nothing afterwards: files, threads and memory come back, it answers meanwhile and after, nothing acknowledged is lost.' \
    env QINGLAN_FAULT_CLIENTS="$(size 10000 1000)" "$tests/fault_connections_test"
fi

# programs NAME ASSERTED PROGRAM...: test programs, whole, each a part of its own. Through a pipe: some bound how large a file
# may grow, and what they print is one.
programs() {
  local name=$1 asserted=$2 program
  shift 2
  build "$preset" "$@"
  for program in "$@"; do
    part "$name-${program%_test}" "$asserted" bash -o pipefail -c '"$0" | cat' "$tests/$program"
  done
}
if wanted promises; then
  programs promises 'What event_store.h promises (G1 to G9) holds of the store in this process and of the one behind gRPC alike.' \
    contract_test services_eventstore_test
fi
if wanted privacy; then
  build "$preset" services_privacy_test
  part privacy 'Whoever is erased, in a history drawn at random: no byte of the log changes, no text of anybody else does, theirs cannot be read any more, and all that was proved before is proved still.' \
    env QINGLAN_FAULT_SCHOOLS="$(size 60 4)" "$tests/services_privacy_test" --gtest_filter='*EveryoneElse*'
  programs privacy 'Personal texts are sealed before they reach the log; keys are wrapped, rotated and destroyed; a hold refuses an erasure and says why; receipts are signed.' \
    eventstore_privacy_test services_privacy_test
fi
if wanted proofs; then
  programs proofs 'The tree is that of RFC 6962, and every proof of it verifies with the public key alone; what was changed does not.' \
    eventstore_transparency_test services_eventstore_proofs_test
fi
if wanted backup; then
  programs backup 'A backup of a log under load is whole and restores to any position or instant; killed, out of room or damaged it is never taken for one.' \
    eventstore_backup_test
fi
if wanted views; then
  programs views 'A view is made afresh beside the one that answers, compared row by row, switched and switched back; an event that cannot be folded stops its view alone, and says where.' \
    projections_runner_test projections_rebuild_test projections_view_store_test
fi

# Figures of a fuzzing run, from what libFuzzer prints at its end.
fuzz() {  # TARGET SECONDS
  local target=$1 seconds=$2
  part "fuzz-$target" 'No input crashes it, makes it read what is not its own or overflow, hangs it, or decodes to something that does not encode to the same.' \
    "$QINGLAN_ROOT/tests/fuzz/fuzz.sh" run "$target" "$seconds"
  local line
  line=$(awk -v part="fuzz_$target" '/stat::number_of_executed_units/ { runs = $2 } /DONE.*cov:/ { for (i = 1; i < NF; ++i) if ($i == "cov:") cover = $(i + 1) }
    END { printf "{\"part\":\"%s\",\"inputs\":%d,\"edges_covered\":%d}", part, runs, cover }' "$out/raw/fuzz-$target.txt")
  echo "$line" >>"$out/evidence.jsonl"
  jq -c --argjson figures "[$line]" --arg part "fuzz-$target" \
    'if .part == $part then .figures = $figures else . end' "$out/parts.jsonl" >"$scratch/parts" && cp "$scratch/parts" "$out/parts.jsonl"
}
if wanted fuzz; then
  part fuzz-build 'The targets build.' "$QINGLAN_ROOT/tests/fuzz/fuzz.sh" build
  for target in $("$QINGLAN_ROOT/tests/fuzz/fuzz.sh" targets); do fuzz "$target" "${fuzz_seconds:-$(size 300 10)}"; done
fi
if wanted bench; then
  part bench 'Every benchmark ran; peers that are not installed are left out. Whether each target is met stands in bench/report.md and decides nothing here.' \
    "$QINGLAN_ROOT/tests/bench/compare.sh" --out="$out/bench" $(size '' --quick)
fi

# The test programs of these folders and of those below them; tests/CMakeLists.txt names each by its folder.
programs_of() {
  (cd "$QINGLAN_ROOT/tests" && find "$@" -name '*_test.cc' -printf '%h\n') | sort -u | tr / _ | sed 's/$/_test/' |
    grep -vx fault_connections_test  # its server is a process of its own; the part connections runs it
}
if wanted sanitizers; then
  for sanitizer in asan tsan; do
    # gRPC hands work from thread to thread without locks, which the thread sanitizer does not see.
    programs='eventstore_test eventstore_disk_test fault_test fault_flip_test'
    if [ "$sanitizer" = asan ]; then programs=$(programs_of eventstore contract projections services fault); fi
    part "$sanitizer-build" 'The tests build.' build "$sanitizer" $programs
    [ "$(tail -n 1 "$out/parts.jsonl" | jq .exit_code)" = 0 ] || continue  # what an earlier build left proves nothing
    for program in $programs; do
      part "$sanitizer-$program" 'The tests pass and the sanitizer finds nothing.' \
        "$QINGLAN_ROOT/build/$sanitizer/tests/$program"
    done
  done
fi

"$here/evidence_report.sh" "$out" "$preset" "$quick" >"$out/report.md"
say "the report: $out/report.md"
jq -e -s 'length > 0 and all(.[]; .exit_code == 0)' "$out/parts.jsonl" >/dev/null
