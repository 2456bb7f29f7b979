#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What tests/lint/rooms.txt says about rooms, from the top folder:
#   rooms.sh views            build/rooms/SIDE-ROOM: a folder of links to the
#                             rooms that it may include, for the compiler's -I
#   rooms.sh includes         prints each include that the table does not allow
#   rooms.sh symbols BUILD    prints each call or use of data that it does not
#                             allow, from the objects below BUILD
#   rooms.sh names            prints what has one name in two places
#   rooms.sh owners BUILD     prints files without a header of their own and what
#                             is not named for its file
set -u
export LC_ALL=C
TABLE=tests/lint/rooms.txt

# "room may use ..." lines.
rooms() { grep -Ev '^(#|up |$)' "$TABLE"; }

views() {
	local room used view each
	rm -rf build/rooms
	rooms | while read -r room used; do
		view=build/rooms/${room//\//-}
		mkdir -p "$view"
		case $room in
		*/*) used+=" ${room#*/}" ;;
		esac
		for each in $used; do
			ln -s "../../../${room%%/*}/$each" "$view/$each"
		done
	done
}

# "FILE ROOM INCLUDED" for each include in quotes, however it is spaced.
included() {
	rooms | while read -r room _; do
		find "$room" -maxdepth 1 -name '*.[ch]' -o -maxdepth 1 -name '*.def' |
			sort | xargs -r grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]*"' |
			sed "s|^\([^:]*\):[^\"]*\"\(.*\)\"|\1 $room \2|"
	done
}

# The table itself: each folder of sources has a row, and a row uses rows above
# it alone, so that no two rooms can see each other.
table() {
	find common server client -name '*.[ch]' | sed 's|/[^/]*$||' | sort -u |
		while read -r folder; do
			rooms | grep -q "^$folder\( \|\$\)" ||
				echo "$folder: has no row in $TABLE"
		done
	rooms | awk '
		{
			side = $1
			sub(/\/.*/, "", side)
			for (i = 2; i <= NF; i++)
				if (!((side "/" $i) in above))
					print "'"$TABLE"': " $1 " uses " $i ", which is no row above it"
			above[$1] = 1
		}'
}

# An include is "herd/x.h", "room/x.h", or "x.h" of a folder without rooms.
includes() {
	table
	included | awk '
		FILENAME != "-" {
			if ($0 ~ /^(#|up |$)/)
				next
			side = $1
			sub(/\/.*/, "", side)
			if ($1 ~ /\//) {
				name = $1
				sub(/.*\//, "", name)
				may[$1 " " name] = 1
			}
			for (i = 2; i <= NF; i++)
				may[$1 " " $i] = 1
			next
		}
		{
			room = $3
			if (!sub(/\/[^\/]*$/, "", room))
				room = $2 ~ /\// ? "?" : ""
			if (room != "" && room != "herd" &&
			    !(($2 " " room) in may))
				print $1 ": may not include " $3
		}' "$TABLE" -
}

# "ROOM T|U SYMBOL OBJECT" of all objects: what each defines and what it takes.
linked() {
	local room object source
	rooms | while read -r room _; do
		[ -d "$1/$room" ] || continue
		find "$1/$room" -maxdepth 1 -name '*.o' | sort |
			while read -r object; do
				source=${object#"$1"/}
				[ -f "${source%.o}.c" ] && nm -g "$object" | awk -v room="$room" \
					-v object="$source" '
					{ print room, NF == 2 ? "U" : "T", $NF, object }'
			done
	done
}

# A symbol of one side is looked for there and in common, whose own symbols
# may be of no side.
symbols() {
	linked "$1" | sort -k2,2 -s | awk '
		function side(room) { sub(/\/.*/, "", room); return room }
		FILENAME != "-" {
			if ($1 == "up")
				up[$2 " " $3] = 1
			if ($0 ~ /^(#|up |$)/)
				next
			may[$1 " " $1] = may[$1 " common"] = 1
			for (i = 2; i <= NF; i++)
				may[$1 " " side($1) "/" $i] = 1
			next
		}
		$2 == "T" { defined[side($1) " " $3] = $1; next }
		{
			owner = defined[side($1) " " $3]
			if (owner == "")
				owner = defined["common " $3]
			if (owner == "" && $1 == "common")
				owner = defined["server " $3] defined["client " $3]
			if (owner != "" && !(($1 " " owner) in may) &&
			    !((owner " " $3) in up))
				print $4 ": may not use " $3 " of " owner
		}' "$TABLE" -
}

# One name is one thing: files (a header in include/herd is its common/x.c's),
# and tags of structs.
names() {
	find common include server client -name '*.[ch]' | sort | awk -F/ '
		{ name = $NF; sub(/\.[ch]$/, "", name); place = $0; sub(/\.[ch]$/, "", place)
		  sub(/^include\/herd/, "common", place) }
		name != "main" && name in at && at[name] != place {
			print place ".*: there is " at[name] ".* already" }
		{ at[name] = place }'
	find common include server client -name '*.[ch]' | sort |
		xargs grep -HoE '^(static |const )*struct [a-z_0-9]+ \{' |
		sed -E 's/^([^:]*):.*struct ([a-z_0-9]+) \{/\2 \1/' | sort |
		awk '$1 == last { print $2 ": struct " $1 " is one of " file " too" }
		     { last = $1; file = $2 }'
}

# Each x.c with functions for others has its x.h, and what it exports is named for it: x_verb, or with the
# first words of a name of several (watch_news.c has watch_...). Else
# tests/lint/owners.txt says what it has instead.
owners() {
	rooms | while read -r room _; do
		find "$room" -maxdepth 1 -name '*.c' | sort
	done | while read -r source; do
		header=${source%.c}.h
		object=$1/${source%.c}.o
		[ -f "$object" ] || continue
		[ -f "$header" ] || [ -f "include/herd/${header##*/}" ] || header=
		nm -g --defined-only "$object" |
			awk -v source="$source" -v header="$header" '
			# Rows of a list name the others: commands, handlers.
			NF == 3 && $3 !~ /^(main$|cmd_|serve_)/ {
				print "name", source, $3
				functions += $2 == "T"
			}
			END { if (functions > 0 && header == "") print "header", source }'
	done | awk '
		function stem(text) { sub(/s$/, "", text); return text }
		FILENAME != "-" {
			if ($1 ~ /^#/ || NF == 0)
				next
			for (i = 2; i <= NF; i++)
				if ($i == "-")
					bare[$1] = 1
				else
					prefixes[$1] = prefixes[$1] " " $i
			next
		}
		$1 == "header" {
			if (!($2 in bare))
				print $2 ": has no header of its own"
			next
		}
		{
			base = $2
			sub(/.*\//, "", base)
			sub(/\.c$/, "", base)
			count = split(base, word, "_")
			name = ""
			for (i = 1; i <= count; i++) {
				name = name (i > 1 ? "_" : "") word[i]
				if ($3 == name || index($3, stem(name)) == 1)
					next
			}
			count = split(prefixes[$2], prefix, " ")
			for (i = 1; i <= count; i++)
				if (index($3, prefix[i]) == 1)
					next
			print $2 ": " $3 " is not named for it"
		}' tests/lint/owners.txt -
}

cd "$(dirname "$0")/../.." || exit 2
"$@"
