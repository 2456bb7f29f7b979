#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Three nodes on one PostgreSQL database: what is where while a node and the
# database die and come back, and when all nodes have lost all they had. The
# server runs in a folder of its own, as an ordinary user, on a Unix socket
# only. Leaves nothing running.
set -u
cd "$(dirname "$0")/../.." || exit 1
nodes=(Riley Jaquez Juzang)
# shellcheck source=tests/demo/stage.sh
. tests/demo/stage.sh
bin=
for folder in /usr/lib/postgresql/*/bin; do
	bin=$folder
done
server=

# PostgreSQL refuses to run as root.
user=()
if [ "$(id -u)" = 0 ]; then
	user=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
	chmod 755 "$dir"
fi
mkdir -m 700 "$dir/pg"
[ "$(id -u)" != 0 ] || chown postgres: "$dir/pg"

stop_server() {
	[ -n "$server" ] || return 0
	kill "-$1" "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	server=
}

at_end() {
	stop_server INT
}

sql() {
	printf '$ psql -c "%s"\n' "$1"
	"${user[@]}" psql -X -q -h "$dir/pg" -U herd -d postgres -c "$1"
}

# Children of a server that was killed hold its memory a moment longer: then it
# ends, and is started again.
start_server() {
	local from
	: >>"$dir/server.log"
	for _ in $(seq 30); do
		from=$(length "$dir/server.log")
		"${user[@]}" "$bin/postgres" -D "$dir/pg/data" -h '' -k "$dir/pg" \
		    2>>"$dir/server.log" &
		server=$!
		await "$dir/server.log" "$from" "ready to accept connections" "$server" && return 0
	done
	fail "PostgreSQL did not start"
}

export HERD_CONF=$dir/herd.yaml
pick_ports tests/demo/postgres.yaml || fail "no free ports"
say "A PostgreSQL server of our own; its address is in a file that only the nodes read"
"${user[@]}" "$bin/initdb" -D "$dir/pg/data" -A trust -U herd -E UTF8 --no-locale \
    >/dev/null || fail "initdb"
start_server
(umask 077 && echo "postgresql://herd@${dir//\//%2F}%2Fpg/postgres" >"$dir/url")
cat "$dir/url"

say "Three nodes start and make their tables"
for node in "${nodes[@]}"; do
	start_node "$node"
done
show herd wait --timeout 15s || fail "the herd did not come up"

say "Clients report to two of them; a reply comes when the row is in the database"
show -n Riley iamat kiwi.cs.ucla.edu +34.068930-118.445127 || fail "Riley did not answer"
show -n Juzang iamat karp.cs.ucla.edu 33.9416,-118.4085 || fail "Juzang did not answer"
show -n Riley iamat kiwi.cs.ucla.edu +34.070000-118.440000 || fail "Riley did not answer"

say "The view for people who ask with SQL"
sql "SELECT client_text, lat, lon, time, origin FROM herd_positions ORDER BY 1"
show store status

say "Riley dies (kill -9), then the database (kill -9)"
stop_node Riley KILL
stop_server KILL
show -n Jaquez whatsat kiwi.cs.ucla.edu 2 1 || fail "Jaquez did not answer"
show -n Jaquez store status

say "The database comes back; the nodes find it by themselves"
from=$(length "$dir/Jaquez.log")
start_server
await "$dir/Jaquez.log" "$from" event=store-connected "${pids[Jaquez]}" || fail "Jaquez did not find it"
show -n Jaquez store status
show -n Juzang iamat kiwi.cs.ucla.edu +34.080000-118.430000 || fail "Juzang did not answer"

say "All nodes stop and lose what they had; two new ones get it from the database"
stop_node Jaquez
stop_node Juzang
start_node Riley
start_node Jaquez
"$herdctl" -n Riley wait client kiwi.cs.ucla.edu --timeout 15s >/dev/null || fail "Riley did not get it"
show -n Riley client show kiwi.cs.ucla.edu || fail "Riley has no position"

say "Where kiwi has been, from the history in the database"
show -n Riley client track kiwi.cs.ucla.edu || fail "no history"

say "All stop"
