#!/usr/bin/env bash
# Builds the development preset and runs every test; ends with ctest's own summary. Arguments go to ctest:
#   deploy/test.sh              everything
#   deploy/test.sh -R contract  the tests whose name matches
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
cd "$QINGLAN_ROOT"
build dev
ctest --preset dev -j2 "$@"
