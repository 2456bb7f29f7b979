#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Branch and line coverage of common/ and server/core/ from gcov's files.
#
#     tests/coverage.sh BUILD
set -u
build=$1
for folder in common server/core; do
	find "$build/$folder" -name '*.gcda' -print0 |
	    xargs -0 -r gcov -b -n 2>/dev/null |
	    awk -v folder="$folder" '
		/^File / { mine = index($0, "\x27" folder "/") > 0 && $0 ~ /\.c\x27$/ }
		mine && /^Lines executed:/ { split($2, a, ":"); lines += $4; hit += $4 * a[2] / 100 }
		mine && /^Taken at least once:/ { split($4, a, ":"); branches += $6; taken += $6 * a[2] / 100 }
		END {
			if (lines > 0 && branches > 0)
				printf "%-14s %5.1f %% of %d lines, %5.1f %% of %d branches\n",
				    folder, 100 * hit / lines, lines, 100 * taken / branches, branches
		}'
done
