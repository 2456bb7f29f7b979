#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the demos share: nodes as children of the script, ended by pid, in a
# folder that goes with them. A demo sets `nodes`, and may define at_end().
herdd=$PWD/build/herdd
herdctl=$PWD/build/herdctl
dir=$(mktemp -d "${TMPDIR:-/tmp}/herd-demo.XXXXXX") || exit 1
declare -A pids=()

at_end() {
	:
}

stop_node() {
	local pid=${pids[$1]:-}
	[ -n "$pid" ] || return 0
	kill "-${2:-TERM}" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	unset "pids[$1]"
}

finish() {
	local node
	for node in "${!pids[@]}"; do
		kill "${pids[$node]}" 2>/dev/null
	done
	for node in "${!pids[@]}"; do
		wait "${pids[$node]}" 2>/dev/null
	done
	at_end
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
	echo "demo: $*" >&2
	tail -n 3 "$dir"/*.log >&2
	exit 1
}

# pick_ports FILE: the sample's ports, or the next ones that nobody uses, and
# `phones`, the address of a listener for them.
pick_ports() {
	local base port
	for base in 12000 13000 14000 15000 16000; do
		for port in 1 2 3 4 5 101 102 103 104 105 201; do
			if (: <"/dev/tcp/127.0.0.1/$((base + port))") 2>/dev/null; then
				continue 2
			fi
		done
		sed -e "s|127.0.0.1:12|127.0.0.1:${base%000}|g" \
		    -e "s|/tmp/herd-demo/|$dir/|g" "$1" >"$dir/herd.yaml"
		# shellcheck disable=SC2034 # for the demo
		phones=127.0.0.1:$((base + 201))
		return 0
	done
	return 1
}

start_node() {
	"$herdd" -c "$dir/herd.yaml" "$1" 2>>"$dir/$1.log" &
	pids[$1]=$!
}

say() {
	printf '\n\033[1m# %s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi
}

# Shows a command as a user would type it, then runs it.
show() {
	printf '$ herdctl'
	printf ' %s' "$@"
	printf '\n'
	"$herdctl" -o table --no-pager "$@"
}

# await FILE FROM WORDS PID: until a line after that byte has the words; fails
# when the process has ended instead.
await() {
	timeout 30 grep -q -m 1 -e "$3" < <(tail -c "+$(($2 + 1))" -f -s 0.1 --pid="$4" "$1")
}

# length FILE: its bytes; 0 if there is none
length() {
	stat -c %s "$1" 2>/dev/null || echo 0
}
