#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the test suites one after the other, shows each runner's closing lines
# and what failed, and ends with "N passed, N failed".
#
#     tests/check.sh SUITE...      suites are targets of the Makefile
#
# On a terminal it shows meanwhile which suite runs, for how long, and the last
# line of its log. What the tests leave in their temporary folder goes with it,
# unless one failed.
set -u
cd "$(dirname "$0")/.." || exit 1
logs=build/check
mkdir -p "$logs"
passed=0
failed=0

# Adds up the closing lines of cmocka, pytest and our own runners.
add_up() {
	awk '
	/^\[  PASSED  \] [0-9]+ test/ { passed += $4 }
	/^\[  FAILED  \] [0-9]+ test/ { failed += $4 }
	/^([a-z-]+: )?[0-9]+ passed, [0-9]+ failed/ {
		line = $0
		sub(/^[a-z-]+: /, "", line)
		split(line, part, /[ ,]+/)
		passed += part[1]
		failed += part[3]
		next
	}
	/^(=+ )?[0-9]+ (passed|failed|error|skipped).* in [0-9.]+s/ {
		n = split($0, part, /[ ,]+/)
		for (i = 2; i <= n; i++) {
			if (part[i] == "passed") passed += part[i - 1]
			if (part[i] ~ /^(failed|errors?)$/) failed += part[i - 1]
		}
	}
	END { print passed + 0, failed + 0 }' "$1"
}

closing_lines() {
	grep -E '^\[  (PASSED|FAILED)  \] [0-9]+ test|^([a-z-]+: )?[0-9]+ passed, [0-9]+ failed| (passed|failed|error).* in [0-9.]+s' "$1"
}

# The line that is shown while a suite runs, until this is ended.
progress() {
	local suite=$1 log=$2 start=$SECONDS columns text
	columns=$(tput cols 2>/dev/null || echo 80)
	while :; do
		text="== $number of $count: $suite, $((SECONDS - start)) s  $(
			tail -c 300 "$log" | tail -n 1 | tr -cd '[:print:]')"
		printf '\r\033[K%s' "${text:0:columns-1}"
		read -r -t 1 <>"$clock"
	done
}

TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/herd-check.XXXXXX") || exit 1
export TMPDIR
clock=$TMPDIR/clock
mkfifo "$clock" || exit 1
shown=

hide() {
	[ -n "$shown" ] || return
	kill "$shown" 2>/dev/null
	wait "$shown" 2>/dev/null
	shown=
	printf '\r\033[K'
}

finish() {
	hide
	[ "$failed" -gt 0 ] || rm -rf "$TMPDIR"
}
trap finish EXIT
trap 'failed=0; exit 130' INT
trap 'failed=0; exit 143' TERM
count=$#
number=0
for suite in "$@"; do
	log=$logs/$suite.log
	start=$SECONDS
	number=$((number + 1))
	: >"$log"
	# A short path, because sockets of nodes lie below it.
	export PYTEST_ADDOPTS="--basetemp=$TMPDIR/$number"
	if [ -t 1 ]; then
		progress "$suite" "$log" &
		shown=$!
	fi
	make -j"$(nproc)" --no-print-directory "$suite" >"$log" 2>&1
	status=$?
	hide
	read -r suite_passed suite_failed < <(add_up "$log")
	if [ "$status" -ne 0 ] && [ "$suite_failed" -eq 0 ]; then
		suite_failed=1
	fi
	passed=$((passed + suite_passed))
	failed=$((failed + suite_failed))
	echo "== $suite ($((SECONDS - start)) s)"
	closing_lines "$log"
	if [ "$status" -ne 0 ]; then
		tail -n 80 "$log"
		echo "== $suite failed; all of it is in $log, its files in $TMPDIR"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
