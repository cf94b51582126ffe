#!/usr/bin/env bash
# Holds our protos against buf's rules, and the stored events against the image of what was promised before.
#
#   tests/proto/buf.sh lint       STANDARD lint of every proto
#   tests/proto/buf.sh breaking   nothing that proto/stored-events.binpb promises was changed or taken away
#   tests/proto/buf.sh covered    every message of an *_events.proto is promised: the image is not behind
#   tests/proto/buf.sh accept     writes the image anew, to promise what was added; refuses when something promised is broken
#
# The image holds every *_events.proto and what these import: events are kept for ever, so their bytes must be readable for
# ever. Services may change; they are not in it. PROTO names another folder than proto/ to check.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
proto=${PROTO:-proto}
image=$proto/stored-events.binpb

fail() { echo "buf.sh: $*" >&2; exit 1; }

export PATH=$PWD/build/tools/node_modules/.bin:$PATH
command -v buf >/dev/null || fail "buf is not installed: run deploy/setup.sh"

build_image() {  # to file $1
  local paths=() path
  while read -r path; do paths+=(--path "$path"); done < <(find "$proto" -name '*_events.proto' | LC_ALL=C sort)
  [ ${#paths[@]} -gt 0 ] || fail "no *_events.proto in $proto/"
  buf build "$proto" --exclude-source-info "${paths[@]}" --output "$1"
}

check_breaking() {
  buf breaking "$proto" --against "$image" ||
    fail "a stored event's meaning would change: add a field or a new event type instead"
}

case ${1:-} in
  lint) buf lint "$proto" ;;
  breaking)
    [ -e "$image" ] || fail "$image is missing: tests/proto/buf.sh accept"
    check_breaking
    ;;
  covered)
    fresh=$(mktemp --suffix=.binpb)
    trap 'rm -f "$fresh"' EXIT
    build_image "$fresh"
    # The other way around: what is here and not there would be "deleted" by going back to the image.
    buf breaking "$image" --against "$fresh" --config "$proto/buf.yaml" >/dev/null ||
      fail "events were added that $image does not promise yet: tests/proto/buf.sh accept, and commit it"
    ;;
  accept)
    [ ! -e "$image" ] || check_breaking
    build_image "$image"
    echo "$image promises $(find "$proto" -name '*_events.proto' | wc -l) files of events"
    ;;
  *) fail "lint, breaking, covered or accept?" ;;
esac
