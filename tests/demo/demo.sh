#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The herd in one minute: five nodes on loopback, a report, a question, a
# phone, a crash and a recovery. On a terminal it ends in herdctl on that herd. Leaves
# nothing running.
set -u
cd "$(dirname "$0")/../.." || exit 1
nodes=(Riley Jaquez Juzang Campbell Bernard)
# shellcheck source=tests/demo/stage.sh
. tests/demo/stage.sh

export HERD_CONF=$dir/herd.yaml
pick_ports tests/demo/herd.yaml || fail "no free ports"
sed -i -e "/^  Riley:/s|}$|, http: \"$phones\"}|" \
    -e '$a http: {users_file: users}' "$dir/herd.yaml"
install -m 600 /dev/null "$dir/users"
say "Five nodes start; each knows its neighbours from one herd file"
for node in "${nodes[@]}"; do
	start_node "$node"
done
show herd wait --timeout 15s || fail "the herd did not come up"
show herd status

# A report floods to Campbell in about a millisecond; on a busy machine later.
knows() {
	"$herdctl" -n Campbell wait client "$@" --timeout 15s >/dev/null ||
		fail "Campbell did not get it"
}

say "A client tells Riley where it is"
show -n Riley iamat kiwi.cs.ucla.edu +34.068930-118.445127 || fail "Riley did not answer"
show -n Riley iamat karp.cs.ucla.edu 33.9416,-118.4085
knows karp.cs.ucla.edu
knows kiwi.cs.ucla.edu

say "Campbell, two hops away, knows; real places, no network"
show -n Campbell whatsat kiwi.cs.ucla.edu 10 5 || fail "Campbell did not answer"

say "The same as it goes over the wire"
show -n Campbell raw WHATSAT karp.cs.ucla.edu 5 1

say "Jane's phone reports to Riley over HTTP, as the app OwnTracks does"
echo sesame | show user add jane --password-file -
show -n Riley config reload || fail "Riley did not read its users"
position='{"_type":"location","lat":34.063017,"lon":-118.448103,"tst":'$(date +%s)'}'
printf '$ curl -u jane:sesame -H "X-Limit-D: phone" http://%s/owntracks \\\n    -d '\''%s'\''\n' "$phones" "$position"
curl -sS -f -u jane:sesame -H 'X-Limit-D: phone' "http://$phones/owntracks" -d "$position" ||
	fail "Riley did not take the phone's report"
echo
knows jane/phone
show -n Campbell whatsat jane/phone 2 3 || fail "Campbell does not know the phone"

say "Every node's links and clients"
show -n all peer ls
show -n all client ls

say "Juzang dies (kill -9); the herd goes on over Bernard"
stop_node Juzang KILL
before=$(date +%s.%N)
show -n Riley iamat kiwi.cs.ucla.edu +34.052235-118.243683 || fail "Riley did not answer"
knows kiwi.cs.ucla.edu --newer-than "$before"
show -n Campbell whatsat kiwi.cs.ucla.edu 2 2 || fail "Campbell did not answer"
show client show kiwi.cs.ucla.edu -n all
show -n Riley peer ls

say "Juzang comes back empty, compares tables with its neighbours and has all"
start_node Juzang
show herd wait --timeout 15s || fail "Juzang did not catch up"
show client show kiwi.cs.ucla.edu -n all || fail "the nodes do not agree"

if [ -t 0 ] && [ -t 1 ]; then
	say "The herd is yours: try status, peer ls, help. Ctrl-D ends it"
	"$herdctl"
fi
say "All nodes stop"
