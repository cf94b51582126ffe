#!/usr/bin/env bash
# Builds Qinglan, starts it on this machine, fills it with a sample county and a demo district, prints where to look, and
# keeps serving until Ctrl-C, which drains and stops cleanly. Safe to run again: what is there already stays.
#
#   --once          stop after printing
#   --data=DIR      where the log, the views, the keys and the tokens live (default: data/ in the checkout)
#   --port=N        port on 127.0.0.1 (default 7410)
#   --teachers=N    of the demo district (default 300)
#   --years=N       school years of the demo district (default 3)
# QINGLAN_PRESET=dev runs the quickly built binary instead of the release.
set -euo pipefail

once=false port=7410 teachers=300 years=3 data=
for argument in "$@"; do
  case $argument in
    --once) once=true ;;
    --data=?*) data=${argument#*=} ;;
    --port=?*) port=${argument#*=} ;;
    --teachers=?*) teachers=${argument#*=} ;;
    --years=?*) years=${argument#*=} ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "run.sh: $argument? See deploy/run.sh --help" >&2; exit 2 ;;
  esac
done

source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
preset=${QINGLAN_PRESET:-release}
data=$(realpath -m "${data:-$QINGLAN_ROOT/data}")
qinglan=$QINGLAN_ROOT/build/$preset/qinglan
server=127.0.0.1:$port
keys=$data/token-keys tokens=$data/tokens
server_pid=
interrupted=130  # the exit code of Ctrl-C: a failure, until all is there

stop_server() {
  [ -n "$server_pid" ] && kill -TERM "$server_pid" 2>/dev/null || return 0
  wait "$server_pid" || true
  server_pid=
}
trap stop_server EXIT
trap 'trap - INT TERM; stop_server; exit $interrupted' INT TERM

# step WHAT COMMAND...: says what, and stops everything when it fails. An exit code of 2 is "done, but not all of it".
step() {
  local what=$1 code=0
  shift
  say "$what"
  "$@" || code=$?
  [ "$code" = 0 ] || [ "$code" = 2 ] || fail "$what: failed (exit code $code)"
}

# token NAME ARGUMENT...: a fresh token in $tokens/NAME.token
token() {
  local name=$1
  shift
  "$qinglan" token --key="$keys/private.pem" --user="$name" --hours=720 --out="$tokens/$name.token" "$@"
}

start_server() {
  rm -f "$data/port"
  # In a process group of its own, so that Ctrl-C reaches this script alone, which then ends the server in good order.
  setsid "$qinglan" serve --roles=all --data="$data" --port="$port" --keys="$keys/jwks.json" --log-key="$keys/log.key" \
    --port-file="$data/port" \
    >>"$data/serve.log" 2>&1 &
  server_pid=$!
  for _ in $(seq 300); do
    [ -e "$data/port" ] && return
    kill -0 "$server_pid" 2>/dev/null || { tail -n 5 "$data/serve.log" >&2; server_pid=; fail "the server did not start"; }
    sleep 0.2
  done
  fail "the server did not serve within a minute: see $data/serve.log"
}

field() { jq -r ".$1" "$data/demo.json"; }

fill() {
  local everywhere=(--role=district_admin --role=training_centre --role=research_office --role=school_leader --role=hr_reviewer)
  token importer "${everywhere[@]}"
  # Exit code 2: some rows of these files, as offices keep them, cannot be placed; the report says which and why.
  step "importing the sample county" "$qinglan" import --server="$server" --token-file="$tokens/importer.token" \
    --output=json "$QINGLAN_ROOT/deploy/sample-county" "$QINGLAN_ROOT/deploy/policy/four-tiers.json" >"$data/import.json"
  jq -r '.kinds | to_entries[] | "   \(.key): \(.value.rows) rows, \(.value.new) new, \(.value.already_there) there already, \(.value.refused) refused"' \
    "$data/import.json" >&2
  say "row by row: $data/import.json"
  step "filling the demo district ($teachers teachers, $years school years)" "$qinglan" demo-district --server="$server" \
    --key="$keys/private.pem" --teachers="$teachers" --years="$years" \
    --policy="$QINGLAN_ROOT/deploy/policy/four-tiers.json" --output=json >"$data/demo.json"
}

make_tokens() {
  local district school
  district=$(field org_id) school=$(field school_id)
  token teacher --role="teacher@$school" --teacher="$(field teacher_id)"
  token mentor --role="mentor@$school" --role="teacher@$school" --teacher="$(field mentor_teacher_id)"
  token training_centre --role="training_centre@$district"
  token research_office --role="research_office@$district"
  token school_leader --role="school_leader@$school"
  token hr_reviewer --role="hr_reviewer@$district"
  token district_admin --role="district_admin@$district"
  token auditor --role="auditor@$district"
  token operator --role=operator
}

portfolios() {
  local wanted
  for wanted in ready not barred; do
    echo
    step "a portfolio: $wanted" "$qinglan" portfolio --server="$server" --token-file="$tokens/district_admin.token" \
      --org="$(field org_id)" --find="$wanted"
  done
}

# A portfolio that anyone can check with the public key alone.
proof() {
  echo
  step "exporting a portfolio with its proofs" "$qinglan" portfolio --server="$server" \
    --token-file="$tokens/district_admin.token" --org="$(field org_id)" --find=ready --export="$data/portfolio.json"
  "$qinglan" log-key --show="$keys/log.key" >"$data/log.pub"
  say "checking it offline"
  "$qinglan" verify "$data/portfolio.json" --public-key="$data/log.pub" || fail "the exported portfolio does not prove itself"
}

addresses() {
  local name
  printf '\nServing on %s (gRPC, with reflection and health). Data in %s.\n' "$server" "$data"
  printf 'Demo district: organisation %s, %s events in the log.\n\nTokens, each in a file (valid 30 days):\n' \
    "$(field org_id)" "$(field position)"
  for name in teacher mentor training_centre research_office school_leader hr_reviewer district_admin auditor operator; do
    printf '\n%-16s %s\n%s\n' "$name" "$tokens/$name.token" "$(cat "$tokens/$name.token")"
  done
}

build "$preset" qinglan
mkdir -p -m 700 "$data" "$tokens"
chmod 700 "$tokens"
[ -e "$keys/private.pem" ] || step "making keys for development" "$qinglan" token --new-keys="$keys"
[ -e "$keys/log.key" ] || step "making the key that signs the log" "$qinglan" log-key --new="$keys/log.key" --name=demo.qinglan.example/log >/dev/null
say "starting the server on $server"
start_server
fill
make_tokens
portfolios
proof
addresses
if $once; then
  say "stopping"
  stop_server
  exit 0
fi
interrupted=0
printf '\nCtrl-C stops it.\n'
wait "$server_pid"
