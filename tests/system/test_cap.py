# SPDX-License-Identifier: GPL-3.0-or-later
"""max_clients and removals across nodes with stores, while they are killed:
in the end all hold the same, and it is what the rules say."""
import os
import random
import signal
import time

from api import Api
from nodes import Herd, wait_until
from peer import rank

CAP = 60
SETTINGS = ("workers: 2\nplaces: {provider: none}\nstore: {engine: sqlite, durability: sync}\n"
            "link: {ping_after: 150ms, dead_after: 600ms, redial_max: 100ms}\n"
            f"max_clients: {CAP}\nat_limit: evict\n")
NAMES = ["A", "B", "C"]


def table(node):
    """(client, time, location, node, skew) of all that the node shows."""
    api, rows, after = Api(node.admin), [], ""
    while after is not None:
        page = api.get(f"/v1/clients?limit=500{after}").json
        rows += [tuple(c[key] for key in ("client", "time", "location", "node", "skew")) for c in page["clients"]]
        after = page["next"] and f"&after={page['next']}"
    return sorted(rows)


def test_cap_and_removals_agree_on_all_nodes_over_crashes(tmp_path):
    seed = int(os.environ.get("HERD_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    rng = random.Random(seed)
    base = int(time.time()) - 5000
    acknowledged = {}  # client: AT and GONE lines, as ranks
    with Herd(tmp_path, NAMES, [("A", "B"), ("B", "C"), ("A", "C")], SETTINGS) as herd:
        herd.start()
        herd.wait_synced()

        def note(line):
            fields = line.split(b" ")
            acknowledged.setdefault(fields[3] if fields[0] == b"AT" else fields[2], []).append(rank(line))

        for _ in range(10):
            up = [node for node in herd if node.process is not None]
            for node in up:
                for line in node.iamat(*[(b"c%d" % rng.randrange(180), b"+%d+%d" % (rng.randrange(90), rng.randrange(90)),
                                          b"%d" % (base + rng.randrange(900))) for _ in range(rng.randrange(1, 80))]):
                    note(line)
            node, client = rng.choice(up), b"c%d" % rng.randrange(180)
            reply = Api(node.admin).ask("DELETE", f"/v1/clients/{client.decode()}")
            assert reply.status in (200, 404)
            if reply.status == 200:
                note(b"GONE %s %s %s" % (node.name.encode(), client, reply.json["time"].encode()))
            if len(up) > 1 and rng.random() < 0.6:
                rng.choice(up).stop(signal.SIGKILL)
            for node in herd:
                if node.process is None and rng.random() < 0.6:
                    node.start()
        for node in herd:
            if node.process is None:
                node.start()
        # The greatest of each client, of those the greatest, by the whole order.
        newest = {client: max(ranks) for client, ranks in acknowledged.items()}
        kept = sorted(newest, key=lambda client: (*newest[client], client))[-CAP:]
        want = sorted((c.decode(), newest[c][5].decode(), newest[c][3].decode(), newest[c][2].decode(),
                       newest[c][4].decode()) for c in kept if newest[c][1] == 0)

        def agree():
            return all(table(node) == want for node in herd)
        try:
            wait_until(agree, "all hold what they should")
        except AssertionError:
            for node in herd:
                print(node.name, "differs in", sorted(set(table(node)) ^ set(want)))
            raise
        for node in herd:
            counts = Api(node.admin).get("/v1/status").json["clients"]
            assert (counts["count"], counts["removals"]) == (len(want), CAP - len(want))
        # What is less than all of it is refused, and answered like any other.
        assert herd["A"].iamat((b"late", b"+1+1", b"5"))
        assert herd["A"].at_line(b"late") is None
        # Each node alone has it from its own disk.
        for node in herd:
            assert node.stop() == 0
        for node in herd:
            node.start()
            assert table(node) == want
            assert node.stop() == 0
