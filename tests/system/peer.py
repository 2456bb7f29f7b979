# SPDX-License-Identifier: GPL-3.0-or-later
"""A second implementation of herd-protocol(7), small and slow: one node with
one link. It shares no code with herdd, so what both agree on is the page."""
import select
import socket
import struct
import time

MASK = (1 << 64) - 1
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def siphash(key, data):
    """SipHash-2-4 of bytes under a key of 16 bytes; a number."""
    k0, k1 = struct.unpack("<QQ", key)
    v0, v1 = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D
    v2, v3 = k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    tail = len(data) & 7
    words = list(struct.unpack(f"<{len(data) // 8}Q", data[:len(data) - tail]))
    words.append(int.from_bytes(data[len(data) - tail:], "little") | (len(data) & 255) << 56)
    for step, word in enumerate(words + [None]):
        if word is None:
            v2 ^= 255
        else:
            v3 ^= word
        for _ in range(4 if word is None else 2):
            v0 = (v0 + v1) & MASK
            v1 = ((v1 << 13 | v1 >> 51) & MASK) ^ v0
            v0 = (v0 << 32 | v0 >> 32) & MASK
            v2 = (v2 + v3) & MASK
            v3 = ((v3 << 16 | v3 >> 48) & MASK) ^ v2
            v0 = (v0 + v3) & MASK
            v3 = ((v3 << 21 | v3 >> 43) & MASK) ^ v0
            v2 = (v2 + v1) & MASK
            v1 = ((v1 << 17 | v1 >> 47) & MASK) ^ v2
            v2 = (v2 << 32 | v2 >> 32) & MASK
        if word is not None:
            v0 ^= word
    return v0 ^ v1 ^ v2 ^ v3


def params(max_line=65536, max_clients=10000000, expire_after_ns=0):
    """What all nodes of a herd must agree on, as HELLO carries it."""
    text = f"order=1 line={max_line} cap={max_clients} expire={expire_after_ns}"
    return b"%016x" % siphash(bytes(16), text.encode())


def time_ns(text):
    whole, _, fraction = text.partition(b".")
    return int(whole) * 10 ** 9 + int((fraction + b"0" * 9)[:9])


def client_of(line):
    fields = line.split(b" ")
    return fields[3] if fields[0] == b"AT" else fields[2]


def rank(line):
    """The place of a report in the total order of its client's reports."""
    fields = line.split(b" ")
    if fields[0] == b"AT":
        _, origin, skew, _, location, at = fields
        return time_ns(at), 0, origin, location, skew, at
    _, origin, _, at = fields
    return time_ns(at), 1, origin, b"", b"", at


class Tree:
    """64 x 64 x 64 hashes over a table, under the exchange's key."""

    def __init__(self, key, table, cut_ns):
        self.key = key
        self.size = [0, 0]  # records, bytes
        self.levels = [{}, {}, {}]  # by path of 1, 2, 3 digits
        for client, line in table.items():
            if cut_ns and rank(line)[0] <= cut_ns:
                continue
            path, value = self.path(client), siphash(key, line)
            self.size[0] += 1
            self.size[1] += len(line) + 1
            for depth in range(3):
                at = path[:depth + 1]
                self.levels[depth][at] = self.levels[depth].get(at, 0) ^ value

    def path(self, client):
        bucket = siphash(self.key, client) >> 46
        return BASE64[bucket >> 12] + BASE64[bucket >> 6 & 63] + BASE64[bucket & 63]

    def children(self, path):
        return [self.levels[len(path)].get(path + digit, 0) for digit in BASE64]


def pairs_of(hashes):
    """The hashes of a DIGEST that are not 0, after their places."""
    return "".join(digit + "".join(BASE64[h >> 6 * i & 63] for i in range(10, -1, -1))
                   for digit, h in zip(BASE64, hashes) if h) or "-"


def dense_of(hashes):
    return "".join(f"{h:016x}" for h in hashes)


def hashes_of(text):
    if len(text) == 1024:
        return [int(text[i:i + 16], 16) for i in range(0, 1024, 16)]
    pairs = [] if text == "-" else [text[i:i + 12] for i in range(0, len(text), 12)]
    told = {pair[0]: sum(BASE64.index(digit) << 6 * i for i, digit in enumerate(pair[:0:-1])) for pair in pairs}
    hashes = [told.get(digit, 0) for digit in BASE64]
    assert pairs_of(hashes) == text and max(hashes) <= MASK, text
    return hashes


def short_cut(one, other):
    """Do both send all that differs below the root? Each is the 64 hashes of
    a root, how many records there are, and their bytes."""
    both = [(a, b) for a, b in zip(one[0], other[0]) if a and b]
    common, nodes = len(both), sum(a != b for a, b in both)
    filled = [sum(map(bool, side[0])) for side in (one, other)]
    records, size = (sum(side[i] * nodes // z for side, z in zip((one, other), filled) if z) for i in (1, 2))
    if not nodes or not records:
        return False

    def hit(hits, places):
        if hits >= 8 * places:
            return places
        return -(-places * hits * (2 * places + hits) // (2 * places ** 2 + 2 * places * hits + hits ** 2))

    def cost(clients):
        children = 64 * nodes
        lines = hit(clients, children)
        hashes = hit(records // 2, children) + hit(lines + lines * (records // 2) // children, 64 * lines)
        return 10 * nodes + 11 * lines + 12 * hashes + clients * (size // records)

    likely = cost(min(sum(16 * common // (common - i) for i in range(nodes)) // 16, records // 2))
    if nodes == common:
        likely = (2 * likely + 3 * cost(records // 2)) // 5
    return size // 2 < likely


class Peer:
    """A node called `name` with a table {client: line} and one link at most.
    Without `features` it is one of the first edition."""

    def __init__(self, name, herd="ucla", agreed=None, features=(b"pairs",)):
        self.name, self.herd, self.params = name.encode(), herd.encode(), agreed or params()
        self.features = features
        self.table = {}
        self.listener = None
        self.socket = None
        self.answers = True  # off: reads but says nothing by itself
        self.reset()

    def reset(self):
        self.input = b""
        self.heard = []        # every line received
        self.said = []         # every line sent
        self.other = None      # its name
        self.nonce = self.other_nonce = None
        self.exchange = 0
        self.checked = self.other_checked = self.attached = False
        self.pairs = False     # both have the feature
        self.short_cut = False
        self.tree = None
        self.open = 0
        self.owed = set()      # paths, of any depth
        self.next_sent = self.next_heard = False
        self.received = self.acked = 0
        self.echo = None       # the line that is just being taken in
        self.closed = False

    # --- connecting

    def listen(self, port):
        self.listener = socket.create_server(("127.0.0.1", port), reuse_port=False)

    def accept(self, deadline_s=20, **hello):
        self.listener.settimeout(deadline_s)
        self.begin(self.listener.accept()[0], None, **hello)

    def dial(self, port, other, **hello):
        self.begin(socket.create_connection(("127.0.0.1", port), timeout=20), other, **hello)

    def begin(self, connection, other, **hello):
        self.reset()
        self.socket = connection
        self.fresh = hello.get("fresh", True)
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.nonce = hello.get("nonce", bytes(range(16)))
        fields = [b"herd=" + hello.get("herd", self.herd), b"node=" + hello.get("node", self.name)]
        if other is not None:
            fields.append(b"peer=" + other.encode())
        fields += [b"nonce=" + self.nonce.hex().encode(), b"params=" + hello.get("params", self.params),
                   b"fresh=%d" % self.fresh]
        if self.features:
            fields.append(b"features=" + b",".join(self.features))
        self.say(b" ".join([b"HELLO", hello.get("version", b"herd/1")] + fields + hello.get("more", [])))

    def hang_up(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None

    def close(self):
        self.hang_up()
        if self.listener is not None:
            self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- lines

    def say(self, *lines):
        self.said += lines
        self.socket.sendall(b"".join(line + b"\n" for line in lines))

    def words(self, lines=None):
        return [line.split(b" ")[0] for line in (self.heard if lines is None else lines)]

    def turn(self, timeout_s=0.02):
        """Reads what is there and answers it; False at the end of the stream."""
        if self.closed:
            return False
        poll = select.poll()  # select() knows only the first 1,024 descriptors
        poll.register(self.socket, select.POLLIN)
        if not poll.poll(timeout_s * 1000):
            return True
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self.closed = not data
        *lines, self.input = (self.input + data).split(b"\n")
        try:
            self.answer(lines)
        except (BrokenPipeError, ConnectionResetError):
            self.closed = True
        return not self.closed

    def answer(self, lines):
        self.heard += lines
        if not self.answers:
            return
        for line in lines:
            self.take(line)
        if self.received > self.acked and not self.closed:
            self.acked = self.received
            self.say(b"ACK %d" % self.received)

    def run(self, condition, what="it happens", deadline_s=20):
        """Takes part in the link until `condition()` is true; its value."""
        end = time.monotonic() + deadline_s
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < end, f"not within {deadline_s} s: {what}; heard {self.heard[-5:]}"
            alive = self.turn()
            assert alive or condition(), f"closed before: {what}; heard {self.heard[-5:]}"

    def run_to_end(self, deadline_s=20):
        """Until the other side hangs up; its last line."""
        end = time.monotonic() + deadline_s
        while self.turn():
            assert time.monotonic() < end, "still open"
        return self.heard[-1] if self.heard else None

    def sync(self):
        self.run(lambda: self.synced, "SYNCED")
        return self

    @property
    def synced(self):
        return self.next_sent and self.next_heard

    def take(self, line):
        word, *fields = line.split(b" ")
        {b"HELLO": self.on_hello, b"CHECK": self.on_check, b"DIGEST": self.on_digest, b"NEXT": self.on_next,
         b"AT": self.on_report, b"GONE": self.on_report, b"PING": self.on_ping, b"PONG": self.on_nothing,
         b"ACK": self.on_nothing, b"BYE": self.on_nothing}[word](line, *fields)

    def on_nothing(self, *_):
        pass

    def on_ping(self, _, number):
        now = time.time_ns()
        self.say(b"PONG %s %d.%09d" % (number, now // 10 ** 9, now % 10 ** 9))

    def on_hello(self, _, version, *fields):
        assert version == b"herd/1"
        told = dict(field.split(b"=", 1) for field in fields)
        self.other, self.other_nonce = told[b"node"], bytes.fromhex(told[b"nonce"].decode())
        assert told[b"params"] == self.params and told[b"herd"] == self.herd
        self.pairs = b"pairs" in self.features and b"pairs" in told.get(b"features", b"").split(b",")
        # Who has data waits for an empty neighbour to ask.
        if self.fresh or told[b"fresh"] == b"0":
            self.check()

    # --- reports

    def put(self, line):
        """The accept rule: newer wins. True if the table has changed."""
        client = client_of(line)
        held = self.table.get(client)
        if held is not None and rank(held) >= rank(line):
            return False
        self.table[client] = line
        if self.attached and line is not self.echo:
            self.say(line)
        return True

    def on_report(self, line, *_):
        assert self.attached, "a report before the exchange began"
        self.received += 1
        self.echo = line
        self.put(line)
        self.echo = None

    # --- the exchange

    def check(self):
        """Begins an exchange, or answers the other's beginning."""
        self.exchange += 1
        self.checked, self.next_sent, self.next_heard = True, False, False
        self.say(b"CHECK %d 0" % self.exchange)

    def on_check(self, _, number, cut):
        if not self.checked:
            self.check()
        assert int(number) == self.exchange
        first, second = ((self.nonce, self.other_nonce) if self.name < self.other
                         else (self.other_nonce, self.nonce))
        message = second + struct.pack("<Q", self.exchange)
        key = struct.pack("<QQ", siphash(first, message + b"\0"), siphash(first, message + b"\1"))
        self.attached = True
        self.cut_ns = int(cut) * 10 ** 9
        self.tree = Tree(key, self.table, self.cut_ns)
        self.owed, self.open = set(), 0
        self.digest("")

    def digest(self, path):
        self.open += 1
        hashes = (pairs_of if self.pairs else dense_of)(self.tree.children(path))
        size = self.tree.size if self.pairs and not path else []
        self.say(" ".join(["DIGEST", path or "-", hashes, *map(str, size)]).encode())

    def on_digest(self, _, path, hashes, *size):
        path = "" if path == b"-" else path.decode()
        theirs = hashes_of(hashes.decode())
        assert len(size) == (2 if self.pairs and not path else 0) and (self.pairs or len(hashes) == 1024)
        self.open -= 1
        if size:
            self.short_cut = short_cut([self.tree.children(""), *self.tree.size], [theirs, *map(int, size)])
        for digit, ours, other in zip(BASE64, self.tree.children(path), theirs):
            if ours == other:
                continue
            if len(path) == 2 or not ours or not other or (not path and self.short_cut):
                self.owed.add(path + digit)
            else:
                self.digest(path + digit)
        if self.open == 0:
            self.pay()

    def pay(self):
        for client, line in list(self.table.items()):
            path = self.tree.path(client)
            if not self.owed.isdisjoint({path[:1], path[:2], path}) and \
                    (not self.cut_ns or rank(line)[0] > self.cut_ns):
                self.say(line)
        self.say(b"NEXT")
        self.next_sent = True
        self.end_exchange()

    def on_next(self, _):
        self.next_heard = True
        self.end_exchange()

    def end_exchange(self):
        if self.synced:
            self.checked = False
