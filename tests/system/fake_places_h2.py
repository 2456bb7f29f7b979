# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake upstream's HTTP/2: many requests at once on one connection."""
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions


class Http2:
    """Serves one connection for a FakePlaces. `server.h2_mode` says how:
    good; silent: the first connection takes requests and answers none;
    goaway: the connection is called off after each answer; reset: each
    request's stream is reset."""

    def __init__(self, server, connection, number, request_type):
        self.server, self.connection = server, connection
        self.first = number == 1
        self.request_type = request_type
        self.lock = threading.Lock()  # of h2's state and of sending
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False))
        self.bodies = {}
        self.heads = {}

    def flush(self):
        self.connection.sendall(self.h2.data_to_send())

    def run(self):
        self.h2.initiate_connection()
        self.flush()
        while True:
            data = self.connection.recv(65536)
            if not data:
                return
            with self.lock:
                try:
                    events = self.h2.receive_data(data)
                except h2.exceptions.ProtocolError:
                    return  # it was called off
                self.flush()
            for event in events:
                self.on_event(event)

    def on_event(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.heads[event.stream_id] = {
                k.decode(): v.decode() for k, v in event.headers}
            self.bodies[event.stream_id] = b""
        elif isinstance(event, h2.events.DataReceived):
            self.bodies[event.stream_id] += event.data
            with self.lock:
                self.h2.acknowledge_received_data(
                    event.flow_controlled_length, event.stream_id)
                self.flush()
        elif isinstance(event, h2.events.StreamEnded):
            threading.Thread(target=self.answer, args=(event.stream_id,),
                             daemon=True).start()

    def answer(self, stream):
        head = self.heads.pop(stream)
        headers = {k: v for k, v in head.items() if not k.startswith(":")}
        headers["host"] = head[":authority"]
        request = self.request_type(head[":method"], head[":path"], headers,
                                    self.bodies.pop(stream))
        status, body = self.server.take(request, self.first)
        if status is None:
            return
        with self.lock:
            try:
                if status == "reset":
                    self.h2.reset_stream(stream)
                else:
                    self.send(stream, status, body)
                if self.server.h2_mode == "goaway":
                    self.h2.close_connection(last_stream_id=stream)
                self.flush()
            except (OSError, h2.exceptions.ProtocolError):
                pass  # the client has left

    def send(self, stream, status, body):
        data = body.encode("utf-8")
        self.h2.send_headers(stream, [
            (":status", str(status)),
            ("content-type", "application/json; charset=UTF-8"),
            ("content-length", str(len(data)))])
        while len(data) > 16384:
            self.h2.send_data(stream, data[:16384])
            data = data[16384:]
        self.h2.send_data(stream, data, end_stream=True)
