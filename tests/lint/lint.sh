#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Everything about the source that a tool can judge. `make lint` builds first
# and then runs this from the top folder with
#   BUILD     where the objects are (build/release)
#   CFLAGS    the project's warnings, for clang's opinion
#   SOURCES   every C file that the Makefile names
#   ONLY      if set: checks of single files look at these alone
# One line per check; what a failed one found follows it. A check whose folder
# is not there has nothing to find.

set -u
export LC_ALL=C
BUILD=${BUILD:-build/release}
CFLAGS=${CFLAGS:--Wall -Wextra}
SOURCES=${SOURCES:-}
ONLY=${ONLY:-}
JOBS=$(nproc)

passed=0
failed=0

# run NAME FUNCTION: the function prints what is wrong, and nothing when fine.
run() {
	local found
	found=$("$2" 2>&1)
	if [ -z "$found" ]; then
		passed=$((passed + 1))
		printf 'ok    %s\n' "$1"
	else
		failed=$((failed + 1))
		printf 'FAIL  %s\n' "$1"
		printf '%s\n' "$found" | sed 's/^/      /'
	fi
}

# files PATTERN FOLDER...: files of that name in the folders that exist.
files() {
	local pattern=$1 folder
	shift
	for folder in "$@"; do
		[ -d "$folder" ] && find "$folder" -name "$pattern" -type f
	done | sort | if [ -n "$ONLY" ]; then
		grep -xF -f <(tr ' ' '\n' <<<"$ONLY")
	else
		cat
	fi
}

c_files() { files '*.[ch]' include common server client tests; }
units() { files '*.c' common server client tests; }

# What a file may include, by its room.
flags_of() {
	local flags='-std=c11 -D_GNU_SOURCE -Iinclude'
	case $1 in
	server/* | client/*)
		flags+=" -Ibuild/rooms/$(dirname "$1" | tr / -)"
		flags+=' -DHERD_SHAREDIR=""'
		;;
	tests/*) flags+=' -Iserver -Iclient -Itests' ;;
	esac
	case $1 in
	include/* | common/* | server/core/*) ;;
	*) flags+=" $(pkg-config --cflags libevent libcurl libcjson sqlite3 \
		openssl cmocka 2>/dev/null)" ;;
	esac
	printf '%s\n' "$flags"
}
export -f flags_of

# --- layout and opinion -------------------------------------------------------

format() {
	c_files | xargs -r clang-format-14 --dry-run -Werror
}

# gcc's warnings are the build's; these are clang's.
clang_one() {
	# shellcheck disable=SC2046,SC2086
	clang-14 -fsyntax-only -Werror $CFLAGS $(flags_of "$1") "$1"
}
export -f clang_one
export CFLAGS

clang_warnings() {
	units | xargs -r -P "$JOBS" -I FILE bash -c 'clang_one FILE'
}

# A minute of work: files whose text after the preprocessor was fine before
# are not looked at again.
tidy_one() {
	local key stamp
	key=$({ cat .clang-tidy
		# shellcheck disable=SC2046
		gcc -E $(flags_of "$1") "$1"; } | sha256sum)
	stamp=build/lint/${key%% *}
	[ -e "$stamp" ] && return
	# shellcheck disable=SC2046
	if clang-tidy-14 --quiet "$1" -- $(flags_of "$1") \
		>"$stamp.$$" 2>/dev/null; then
		mv "$stamp.$$" "$stamp"
	else
		cat "$stamp.$$"
		rm "$stamp.$$"
	fi
}
export -f tidy_one

tidy() {
	mkdir -p build/lint
	units | xargs -r -P "$JOBS" -I FILE bash -c 'tidy_one FILE'
}

# cppcheck reads no system header but the one whose macros are statements.
second_opinion() {
	local sources=() queue
	queue=$(echo '#include <sys/queue.h>' | gcc -M -x c - |
		grep -o '/[^ ]*sys/queue\.h')
	mapfile -t sources < <(units)
	[ "${#sources[@]}" -gt 0 ] || return
	mkdir -p build/lint/cppcheck
	cppcheck --quiet --std=c11 --enable=warning,portability,performance \
		--inline-suppr --suppressions-list=tests/lint/cppcheck.txt \
		--cppcheck-build-dir=build/lint/cppcheck -j "$JOBS" \
		-D_GNU_SOURCE -D__GNUC__ --include="$queue" \
		--include=tests/lint/macros.h -Iinclude -Iserver -Iclient -Itests \
		"${sources[@]}"
}

# --- structure ------------------------------------------------------------------

headers_alone() {
	files '*.h' include common server client tests | while read -r header; do
		# shellcheck disable=SC2046
		echo "#include \"$header\"" | gcc -fsyntax-only -x c -I. \
			$(flags_of "$header") -Wall -Werror -
	done
}

# HERD_X_H for herd/x.h and x.h.
guards() {
	files '*.h' include common server client tests | while read -r header; do
		guard=$(basename "$header" .h | tr 'a-z-' 'A-Z_')
		grep -q "^#ifndef HERD_.*${guard}_H\$" "$header" ||
			echo "$header: no guard HERD_${guard}_H"
	done
}

# A folder is a layer: what each may include in quotes and in brackets.
includes() {
	local foreign='event\|curl/\|readline/\|cjson/\|sqlite3\|openssl/\|yaml\.h'

	# No type of a library in the shared headers and in the core.
	files '*.[ch]' include common server/core |
		grep -v '^common/yamltree.c$' |
		xargs -r grep -Hn "#include *[<\"]\($foreign\)"
	files '*.h' include | xargs -r grep -Hn '#include "' |
		grep -v '#include "herd/'
	files '*.[ch]' common | xargs -r grep -Hn '#include "' |
		grep -v '#include "\(herd/\)\?[a-z_]*\.\(h\|def\)"'
	files '*.[ch]' server client common include | xargs -r grep -Hn '#include "\.\.'
	tests/lint/rooms.sh includes
}

# undefined ARCHIVE: "object symbol" of what each object takes from elsewhere.
undefined() {
	[ -f "$BUILD/$1" ] && nm -u "$BUILD/$1" | awk '
		/\.o:$/ { sub(/:$/, ""); object = $0 }
		$1 == "U" { print object, $2 }'
}

defined() {
	nm --defined-only "$BUILD"/lib{herd,core}.a 2>/dev/null |
		awk 'NF == 3 { print $3 }'
}

# Nothing but memory and strings below server/core: no socket, no clock, no
# log, no locale. tests/lint/symbols.txt says who may use what else.
symbols() {
	local room=$1 archive=$2
	undefined "$archive" | awk -v room="$room" '
		FILENAME == "tests/lint/symbols.txt" {
			if ($0 !~ /^#/ && NF == 2)
				may[$1 " " $2] = 1
			next
		}
		FILENAME != "-" { ours[$1] = 1; next }
		{
			symbol = $2
			sub(/^__/, "", symbol)
			sub(/_chk$/, "", symbol)
			if ($2 in ours || ("all " symbol) in may ||
			    (room " " symbol) in may || ($1 " " symbol) in may)
				next
			print room "/" $1 ": uses " $2
		}' tests/lint/symbols.txt <(defined) -
}
room_names() { tests/lint/rooms.sh names; }
room_owners() { tests/lint/rooms.sh owners "$BUILD"; }
room_symbols() { tests/lint/rooms.sh symbols "$BUILD"; }
common_symbols() { symbols common libherd.a; }
core_symbols() { symbols core libcore.a; }

banned() {
	local object
	[ -d "$BUILD" ] || return
	find "$BUILD" -name '*.o' | sort | while read -r object; do
		source=${object#"$BUILD"/}
		[ -f "${source%.o}.c" ] || continue
		nm -u "$object" | awk -v source="${source%.o}.c" '
			{
				symbol = $2
				sub(/^__(isoc99_)?/, "", symbol)
				sub(/_chk$/, "", symbol)
			}
			symbol ~ /^(strcpy|strcat|v?sprintf|strtok|atoi|v?sscanf|localtime|ctime|signal|system|popen|alloca|rand)$/ {
				print source ": " symbol
			}'
	done
	c_files | xargs -r grep -Hnw 'alloca\|NDEBUG'
	# cJSON reads; common/json.c writes.
	files '*.c' common server client | xargs -r grep -HnE \
		'cJSON_(Print|Create|Add|Insert|Replace|Set|Duplicate)'
	# A thread that takes signals: thread_start() is how one begins.
	files '*.c' server | grep -v '^server/base/thread.c$' |
		xargs -r grep -Hnw 'pthread_create'
}

# Each C file is named in the Makefile: none is forgotten by the build.
listed() {
	[ -n "$SOURCES" ] || return
	files '*.c' common server client tests/unit tests/fuzz |
		grep -vxF -f <(tr ' ' '\n' <<<"$SOURCES" | grep .) |
		sed 's/$/: not in the Makefile/'
}

# --- text ---------------------------------------------------------------------

licences() {
	{
		c_files
		files '*.sh' tests
		files '*.py' tests server
		[ -f Makefile ] && echo Makefile
	} | while read -r file; do
		head -2 "$file" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later' ||
			echo "$file: no SPDX line"
	done
}

words() {
	{
		c_files
		files '*.py' tests
		files '*.sh' tests
		files '*.[1-8]' man
	} | grep -v '^tests/lint/lint.sh$' |
		xargs -r grep -HnwE 'TODO|FIXME|XXX|[Nn]ot implemented|[Uu]nimplemented'
}

words_to_avoid() {
	{
		c_files
		files '*.def' include server client
		files '*.py' tests
		files '*.sh' tests
		files '*.[1-8]' man
		[ -n "$ONLY" ] || ls README.md 2>/dev/null
	} | grep -v '^tests/system/test_words.py$' | xargs -r tests/lint/words.sh
}

conflicts() {
	git ls-files 2>/dev/null | grep -v '\.gz$' |
		xargs -r grep -HnE '^(<<<<<<<|>>>>>>>) '
}

spaces() {
	{
		c_files
		files '*.py' tests
		files '*.[1-8]' man
		echo Makefile
	} | xargs -r grep -HnE '[[:space:]]+$' | cut -c1-100
}

# Pages that refer to each other are not installed here.
manual() {
	files '*.[1-8]' man | xargs -r mandoc -Tlint -Wstyle 2>&1 |
		grep -vE 'referenced manual not found|outdated mandoc.db'
}

shell() {
	files '*.sh' tests man client server | xargs -r shellcheck
}

python() {
	files '*.py' tests server client | xargs -r -n 1 /usr/bin/python3 -c '
import ast, sys
try:
    ast.parse(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1])
except SyntaxError as error:
    print(f"{sys.argv[1]}:{error.lineno}: {error.msg}")'
}

cd "$(dirname "$0")/../.." || exit 2
run 'layout (clang-format)' format
run 'warnings (clang)' clang_warnings
run 'mistakes (clang-tidy)' tidy
run 'mistakes (cppcheck)' second_opinion
run 'headers compile alone' headers_alone
run 'headers have their guard' guards
run 'rooms: includes' includes
run 'rooms: symbols' room_symbols
run 'rooms: one name is one thing' room_names
run 'rooms: names follow files' room_owners
run 'libraries: symbols of common' common_symbols
run 'libraries: symbols of server/core' core_symbols
run 'banned functions' banned
run 'all sources are built' listed
run 'licence lines' licences
run 'words that mean unfinished' words
run 'words to avoid' words_to_avoid
run 'no merge conflicts' conflicts
run 'white space at ends of lines' spaces
run 'manual pages (mandoc)' manual
run 'shell scripts (shellcheck)' shell
run 'python scripts parse' python
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
