# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy that does to a link what networks do: delay, drip, cut, reset,
half-open connections, packets split at every byte. One thread serves all
proxies of a Network; faults are attributes that may change at any time."""
import collections
import selectors
import socket
import struct
import threading
import time

from nodes import free_ports

READ_SIZE = 65536
QUEUE_MAX = 262144  # bytes of one direction; beyond it the source waits


class Pipe:
    """One direction of a connection."""

    def __init__(self, source, sink, dials):
        self.source, self.sink, self.dials = source, sink, dials
        self.queue = collections.deque()  # (due, bytes)
        self.size = 0
        self.eof = False
        self.shut = False
        self.next_at = 0.0  # no byte leaves before


class Pair:
    def __init__(self, proxy, near, far):
        self.proxy, self.near, self.far = proxy, near, far
        self.pipes = (Pipe(near, far, True), Pipe(far, near, False))
        self.swallowed = False  # for ever: a stream can't lose its middle


class Proxy:
    """Listens on `port`, connects each connection on to `target`."""

    def __init__(self, network, target):
        self.network, self.target = network, target
        self.port = free_ports(1)[0]
        self.delay = 0.0      # seconds that each byte is under way
        self.rate = None      # bytes per second, each way
        self.chunk = None     # most bytes of one packet
        self.swallow = False  # connections stay, no byte arrives any more
        self.down = False     # accepts and hangs up at once
        self.record = False   # keep what goes through
        self.seen = {True: bytearray(), False: bytearray()}  # by dialler's direction
        self.connections = 0
        self.pairs = []
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(64)
        self.listener.setblocking(False)

    def lines(self, dials=None):
        """Words of the whole lines recorded, in both directions or one."""
        with self.network.lock:
            sides = [self.seen[d] for d in ((True, False) if dials is None else (dials,))]
            return [line.split(b" ")[0] for side in sides for line in bytes(side).split(b"\n")[:-1]]

    def forget(self):
        with self.network.lock:
            for side in self.seen.values():
                side.clear()

    def cut(self):
        """Ends all connections in order (FIN)."""
        self.network.end(self, False)

    def reset(self):
        """Ends all connections rudely (RST)."""
        self.network.end(self, True)

    def heal(self):
        """No fault from now on; swallowed connections stay lost."""
        self.delay, self.rate, self.chunk, self.swallow, self.down = 0.0, None, None, False, False
        self.network.wake()


class Network:
    """All proxies of a test. Use as a context manager."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.lock = threading.RLock()
        self.waker, self.woken = socket.socketpair()
        self.waker.setblocking(False)
        self.woken.setblocking(False)
        self.selector.register(self.woken, selectors.EVENT_READ, None)
        self.proxies = []
        self.open = True
        self.failure = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def proxy(self, target):
        with self.lock:
            proxy = Proxy(self, target)
            self.proxies.append(proxy)
            self.selector.register(proxy.listener, selectors.EVENT_READ, proxy)
        self.wake()
        return proxy

    def wake(self):
        try:
            self.waker.send(b"x")
        except BlockingIOError:
            pass

    def end(self, proxy, rude):
        with self.lock:
            for pair in list(proxy.pairs):
                self.close(pair, rude)

    def close(self, pair, rude=False):
        for s in (pair.near, pair.far):
            if rude:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            try:
                self.selector.unregister(s)
            except KeyError:
                pass
            s.close()
        pair.proxy.pairs.remove(pair)

    def accept(self, proxy):
        try:
            near, _ = proxy.listener.accept()
        except BlockingIOError:
            return
        if proxy.down:
            near.close()
            return
        far = socket.socket()
        try:
            far.connect(("127.0.0.1", proxy.target))
        except OSError:
            near.close()
            far.close()
            return
        for s in (near, far):
            s.setblocking(False)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        proxy.connections += 1
        proxy.pairs.append(Pair(proxy, near, far))

    def read(self, pair, pipe, now):
        proxy = pair.proxy
        try:
            data = pipe.source.recv(READ_SIZE)
        except BlockingIOError:
            return
        if not data:
            pipe.eof = True
        elif proxy.swallow or pair.swallowed:
            pair.swallowed = True
        else:
            pipe.queue.append((now + proxy.delay, data))
            pipe.size += len(data)

    def write(self, pair, pipe, now):
        """Sends what is due; the moment when it wants to go on, or None."""
        proxy = pair.proxy
        while pipe.queue:
            due, data = pipe.queue[0]
            due = max(due, pipe.next_at)
            if due > now:
                return due
            size = len(data) if proxy.chunk is None else min(proxy.chunk, len(data))
            if proxy.rate is not None:
                size = max(1, min(size, int(proxy.rate / 50)))
            try:
                sent = pipe.sink.send(data[:size])
            except BlockingIOError:
                return None
            if proxy.record:
                proxy.seen[pipe.dials] += data[:sent]
            if proxy.rate is not None:
                pipe.next_at = now + sent / proxy.rate
            pipe.size -= sent
            pipe.queue.popleft()
            if sent < len(data):
                pipe.queue.appendleft((due, data[sent:]))
        if pipe.eof and not pipe.shut and not pair.swallowed:
            pipe.sink.shutdown(socket.SHUT_WR)
            pipe.shut = True
        return None

    def arm(self, pair):
        for s in (pair.near, pair.far):
            events = 0
            for pipe in pair.pipes:
                if pipe.source is s and not pipe.eof and pipe.size < QUEUE_MAX:
                    events |= selectors.EVENT_READ
                if pipe.sink is s and pipe.queue and max(pipe.queue[0][0], pipe.next_at) <= time.monotonic():
                    events |= selectors.EVENT_WRITE
            known = self.selector.get_map().get(s)
            if known is None and events:
                self.selector.register(s, events, pair)
            elif known is not None and not events:
                self.selector.unregister(s)
            elif known is not None and known.events != events:
                self.selector.modify(s, events, pair)

    def serve(self, pair, now):
        """Moves bytes; when to come back."""
        wanted = []
        try:
            for pipe in pair.pipes:
                at = self.write(pair, pipe, now)
                if at is not None:
                    wanted.append(at)
            if all(pipe.eof and (pipe.shut or pair.swallowed) for pipe in pair.pipes):
                self.close(pair)
            else:
                self.arm(pair)
        except OSError:
            self.close(pair, True)
        return wanted

    def turn(self):
        now = time.monotonic()
        wanted = [now + 1]
        with self.lock:
            for proxy in self.proxies:
                for pair in list(proxy.pairs):
                    wanted += self.serve(pair, now)
        events = self.selector.select(max(0.0, min(wanted) - time.monotonic()))
        with self.lock:
            now = time.monotonic()
            for key, mask in events:
                if key.fileobj is self.woken:
                    self.woken.recv(4096)
                elif isinstance(key.data, Proxy):
                    self.accept(key.data)
                elif mask & selectors.EVENT_READ and key.data in key.data.proxy.pairs:
                    pipe = next(p for p in key.data.pipes if p.source is key.fileobj)
                    try:
                        self.read(key.data, pipe, now)
                    except OSError:
                        self.close(key.data, True)

    def run(self):
        try:
            while self.open:
                self.turn()
        except Exception as failure:  # shown by the test that uses us
            self.failure = failure
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open = False
        self.wake()
        self.thread.join()
        for proxy in self.proxies:
            self.end(proxy, True)
            proxy.listener.close()
        self.selector.close()
        self.waker.close()
        self.woken.close()
        assert self.failure is None, self.failure
