#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# words.sh FILE...: prints each word of words.txt in the files' prose, with what
# to write instead. Code may use the words as names, so C, Python and shell are
# read for their comments and strings alone.
set -u
export LC_ALL=C
list=$(dirname "$0")/words.txt
any=$(grep -v '^#' "$list" | cut -f1 | paste -sd'|')
# shellcheck disable=SC2016 # awk's own $1
grep -liwE "$any" "$@" | xargs -r awk -F'\t' '
FNR == 1 {
	inside = ""
	is_c = FILENAME ~ /\.([ch]|def)$/
	is_text = FILENAME ~ /\.([1-8]|md)$/
}
FILENAME ~ /words\.txt$/ {
	if (!/^#/) {
		word[++count] = "(^|[^a-z0-9_])(" $1 ")([^a-z0-9_]|$)"
		instead[count] = $2
		where[count] = $3 == "" ? "." : $3
	}
	next
}
# The prose of the line. `inside`: the end of a piece that an earlier line
# began.
function prose(line,   text, at, token) {
	while (line != "") {
		if (inside != "") {
			at = index(line, inside)
			if (at == 0)
				return text " " line
			text = text " " substr(line, 1, at - 1)
			line = substr(line, at + length(inside))
			inside = ""
		}
		if (!match(line, is_c ? C : SCRIPT))
			return text
		token = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		if (token == "/*")
			inside = "*/"
		else if (token == "\"\"\"")
			inside = token
		else if (token == "#")
			return text " " line
		else
			text = text " " token
	}
	return text
}
BEGIN {
	string = "\"([^\"\\\\]|\\\\.)*\"|\047([^\047\\\\]|\\\\.)*\047"
	C = "/\\*|" string
	SCRIPT = "\"\"\"|#|" string
}
is_c && /^[ \t]*#[ \t]*include/ { next }
{
	text = tolower(is_text ? $0 : prose($0))
	for (i = 1; i <= count; i++)
		if (text ~ word[i] && FILENAME ~ where[i] &&
		    match(text, word[i])) {
			found = substr(text, RSTART, RLENGTH)
			gsub(/^[^a-z]+|[^a-z]+$/, "", found)
			printf "%s:%d: \"%s\"; better: %s\n", FILENAME,
			    FNR, found, instead[i]
		}
}' "$list"
