# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin API as a script sees it: HTTP over a Unix socket or TCP."""
import http.client
import json
import socket
import urllib.parse

from nodes import DEADLINE_S


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=DEADLINE_S):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Reply:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def json(self):
        assert self.headers["Content-Type"] == "application/json", self.headers
        return json.loads(self.body)

    @property
    def error(self):
        error = self.json["error"]
        assert set(error) == {"code", "message", "hint"} and error["message"]
        return error["code"]


class Api:
    """api.get("/v1/status") -> Reply. `address`: a path or (host, port)."""

    def __init__(self, address, token=None):
        self.address, self.token = address, token

    def connection(self):
        if isinstance(self.address, tuple):
            return http.client.HTTPConnection(*self.address, timeout=DEADLINE_S)
        return UnixConnection(self.address)

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def ask(self, method, path, body=None):
        connection = self.connection()
        try:
            connection.request(method, path, body=body, headers=self.headers())
            response = connection.getresponse()
            return Reply(response, response.read())
        finally:
            connection.close()

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path):
        return self.ask("POST", path)

    def put(self, path, value):
        return self.ask("PUT", path, json.dumps(value))

    def delete(self, path):
        return self.ask("DELETE", path)

    def stream(self, path):
        return Stream(self.connection(), path, self.headers())

    def pages(self, query=""):
        """All clients, page by page."""
        after = ""
        while after is not None:
            reply = self.get(f"/v1/clients?{query}{'&after=' + after if after else ''}").json
            yield reply["clients"]
            after = reply["next"]


class Stream:
    """A chunked answer; lines as they come."""

    def __init__(self, connection, path, headers):
        self.connection = connection
        connection.request("GET", path, headers=headers)
        self.response = connection.getresponse()
        assert self.response.status == 200, self.response.read()

    def line(self):
        return self.response.readline()

    def event(self):
        line = self.line()
        assert line.endswith(b"\n"), line
        return json.loads(line)

    def until(self, condition):
        """Events up to and with the first that fits."""
        events = []
        while True:
            events.append(self.event())
            if condition(events[-1]):
                return events

    def close(self):
        self.response.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def quoted(client):
    return urllib.parse.quote(client, safe="")
