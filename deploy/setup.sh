#!/usr/bin/env bash
# Installs what the build needs and is missing: Debian packages (deploy/packages.txt), buf from npm. Quick when all is there.
# Other scripts source it; then it also sets the environment for the compiler cache.
set -euo pipefail
QINGLAN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUF_VERSION=1.75.0

# Paths are kept relative to the checkout, so that one checkout's objects serve another.
export CCACHE_BASEDIR=$QINGLAN_ROOT CCACHE_NOHASHDIR=1

fail() { echo "${0##*/}: $*" >&2; exit 1; }
say() { echo "== $*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else
    command -v sudo >/dev/null || fail "not root, and no sudo: as root, run: $*"
    sudo "$@"
  fi
}

# Names, one a line, of the packages among the arguments that are not installed.
missing_packages() {
  local installed
  installed=$(dpkg-query --show --showformat='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
    awk '$2 == "installed" { print $1 }' | sort -u) || true
  printf '%s\n' "$@" | sort -u | comm -23 - <(echo "$installed")
}

install_packages() {
  local wanted missing
  mapfile -t wanted < <(grep -Ev '^(#|$)' "$QINGLAN_ROOT/deploy/packages.txt")
  command -v npm >/dev/null || wanted+=(nodejs npm)
  command -v dpkg-query >/dev/null || fail "not a Debian: install by hand what deploy/packages.txt lists"
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  as_root apt-get update -q >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
}

# Under build/, without a lock file: the version is pinned here, the registry is the machine's business.
install_buf() {
  local tools=$QINGLAN_ROOT/build/tools
  [ "$("$tools/node_modules/.bin/buf" --version 2>/dev/null)" = "$BUF_VERSION" ] && return
  say "installing buf $BUF_VERSION"
  mkdir -p "$tools"
  npm install --prefix "$tools" --no-save --no-package-lock --no-audit --no-fund --loglevel=error \
    "@bufbuild/buf@$BUF_VERSION" >&2
}

# build PRESET [TARGET...]: configures and builds, everything or these targets.
build() {
  local preset=$1 output
  shift
  say "building ($preset)"
  (
    cd "$QINGLAN_ROOT"
    output=$(cmake --preset "$preset" 2>&1) || { echo "$output"; fail "configuring failed"; }
    cmake --build --preset "$preset" -j "$(nproc)" ${1:+--target "$@"}
  ) >&2
}

install_packages
install_buf
