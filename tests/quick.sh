#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A contributor's loop, from the top folder: runs the unit tests that are not
# the same program as when they passed last, then lint of the files that
# differ from the last commit (or that it changed, when none differ).
#   quick.sh PROGRAM...    with lint.sh's BUILD, CFLAGS and SOURCES
set -u
export LC_ALL=C
PASSED=build/quick
export PASSED

# shellcheck disable=SC2317 # xargs calls it
test_one() {
	local name sum
	name=$(basename "$1")
	sum=$(sha256sum <"$1")
	[ "$(cat "$PASSED/$name" 2>/dev/null)" = "$sum" ] && return
	if "$1" >"$PASSED/$name.log" 2>&1; then
		echo "$sum" >"$PASSED/$name"
		echo "ok    $name"
	else
		echo "FAIL  $name: $PASSED/$name.log"
		grep -E '^\[  ERROR|^\[  FAILED|error:|ERROR:' "$PASSED/$name.log" | head -20
		return 1
	fi
}
export -f test_one

changed() {
	{
		git diff --name-only HEAD
		git ls-files --others --exclude-standard
	} | sort -u
}

mkdir -p "$PASSED"
status=0
printf '%s\n' "$@" | xargs -P "$(nproc)" -I PROGRAM bash -c 'test_one PROGRAM' ||
	status=1
files=$(changed)
[ -n "$files" ] || files=$(git diff --name-only HEAD~1 HEAD)
ONLY=$files tests/lint/lint.sh || status=1
exit "$status"
