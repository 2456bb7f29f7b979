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

# "FILE ROOM INCLUDED" for each include in quotes.
included() {
	rooms | while read -r room _; do
		find "$room" -maxdepth 1 -name '*.[ch]' | sort |
			xargs -r grep -Ho '^#include "[^"]*"' |
			sed "s|^\([^:]*\):#include \"\(.*\)\"|\1 $room \2|"
	done
}

# An include is "herd/x.h", "room/x.h", or "x.h" of a folder without rooms.
includes() {
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

cd "$(dirname "$0")/../.." || exit 2
"$@"
