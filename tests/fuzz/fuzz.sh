#!/usr/bin/env bash
# Builds and runs the fuzzing targets (tests/fuzz/targets), and keeps what they find.
#
#   fuzz.sh build                     configures and builds them in build/fuzz (clang-19, AddressSanitizer, UBSan)
#   fuzz.sh run TARGET SECONDS        fuzzes one from its corpus on; what crashes it is left in build/fuzz/crashes/
#   fuzz.sh replay TARGET FILE...     runs it on single inputs, such as a crash
#   fuzz.sh seeds                     writes the seeds of our own encoders into the corpus again
#   fuzz.sh targets                   names them
#   fuzz.sh minimise TARGET           takes what fuzzing found into the corpus, as few and as short inputs as cover the same
#
# Exit code 0: nothing was found. Inputs that a run finds of use are kept in build/fuzz/found/TARGET and used by the next.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
built=$root/build/fuzz
programs=$built/tests/fuzz
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
# RocksDB and protobuf are not instrumented, so containers that both sides touch cannot be annotated.
export ASAN_OPTIONS=detect_container_overflow=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# Names instead of addresses in what a crash prints.
ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-19 || command -v addr2line || true)
export ASAN_SYMBOLIZER_PATH

bytes_max=65536
case ${2:-} in
  record | wire) bytes_max=8192 ;;
  posting) bytes_max=512 ;;
  operations) bytes_max=300 ;;  # some hundred operations
  xlsx) bytes_max=16384 ;;
esac

fuzz() {  # TARGET ARGUMENTS...
  local target=$1
  shift
  "$programs/fuzz_$target" -max_len="$bytes_max" -timeout=60 -rss_limit_mb=3000 "$@"
}

case ${1:-} in
  build)
    output=$(cmake --preset fuzz -S "$root" 2>&1) || { echo "$output" >&2; exit 1; }
    cmake --build "$built" -j "$(nproc)" --target fuzz_targets
    ;;
  run)
    target=$2 seconds=$3
    mkdir -p "$built/found/$target" "$built/crashes"
    fuzz "$target" -max_total_time="$seconds" -artifact_prefix="$built/crashes/$target-" -print_final_stats=1 \
      "$built/found/$target" "$here/corpus/$target"
    ;;
  replay)
    target=$2
    shift 2
    fuzz "$target" "$@"
    ;;
  targets)
    sed -n 's/^set(FUZZ_TARGETS \(.*\))$/\1/p' "$here/CMakeLists.txt"
    ;;
  seeds)
    "$programs/fuzz_seeds" "$here/corpus"
    ;;
  minimise)
    target=$2
    mkdir -p "$built/minimal/$target"
    fuzz "$target" -merge=1 "$built/minimal/$target" "$here/corpus/$target" "$built/found/$target"
    echo "$built/minimal/$target"
    ;;
  *)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac
