# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that misuse a node, for tests and benchmarks: many that are idle,
many that send a byte at a time, many that never read."""
import errno
import resource
import selectors
import socket

PER_ADDRESS = 900  # a node lets 1,024 in
BIG_QUESTION = b"WHATSAT big 50 20\n"
BIG_PLACE = b"+50.1109+008.6821"


def raise_file_limit(want):
    """True if this process may now open `want` files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= want:
        return True
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, max(hard, want)))
    except (ValueError, OSError):
        return False
    return True


class Abusers:
    """`count` connections to a node on loopback, from as many addresses as
    its limit for one asks for. Use as a context manager."""

    def __init__(self, port, count, receive_buffer=None):
        self.sockets = []
        self.selector = selectors.DefaultSelector()
        try:
            for i in range(count):
                s = socket.socket()
                self.sockets.append(s)
                if receive_buffer:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                s.bind((f"127.0.0.{2 + i // PER_ADDRESS}", 0))
                s.connect(("127.0.0.1", port))
                s.setblocking(False)
        except OSError:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.selector.close()
        for s in self.sockets:
            s.close()
        self.sockets = []

    def send(self, data):
        """To each what its socket takes; how many took it all."""
        whole = 0
        for s in self.sockets:
            try:
                whole += s.send(data) == len(data)
            except BlockingIOError:
                pass
            except ConnectionError:
                pass
        return whole

    def receive(self):
        """What has come on each; None where the node has closed."""
        return [receive(s) for s in self.sockets]

    def dropped(self):
        """How many the node has closed, without reading what it sent."""
        return sum(is_dropped(s) for s in self.sockets)


def receive(s):
    got = b""
    try:
        while True:
            data = s.recv(65536)
            if not data:
                return None
            got += data
    except BlockingIOError:
        return got
    except ConnectionError:
        return None


def is_dropped(s):
    """A peer that closes with our bytes unread resets the connection."""
    try:
        s.send(b"x\n")
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ECONNRESET, errno.EPIPE):
            raise
        return True
    return False
