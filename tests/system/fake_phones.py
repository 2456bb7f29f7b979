# SPDX-License-Identifier: GPL-3.0-or-later
"""Apps on phones as a node meets them: what they send, what answer they want,
and how stubborn they are. And a herd with listeners for them."""
import base64
import datetime
import http.client
import json
import re
import subprocess
import threading
import urllib.parse

from nodes import DEADLINE_S, HERDCTL, Herd, free_ports, give_back

PASSWORD = "correct horse battery"
PAUSE_S = 0.02  # between two tries; the real apps wait longer
T0 = 1700000000


class PhoneHerd(Herd):
    """A Herd whose nodes listen for phones, with users of its users file."""

    def __init__(self, folder, nodes=None, links=None, settings="", friends="", **more):
        http_settings = f"http: {{users_file: users, rate: 0{friends and f', friends: {friends}'}}}\n"
        self.http = {}
        super().__init__(folder, nodes, links, settings + http_settings, **more)
        self.http = dict(zip(self.nodes, free_ports(len(self.nodes))))
        self.keys = {}
        (self.folder / "users").touch(0o600)
        self.write()

    def text(self, *args, **changes):
        def add(line):
            return f'{line[1]}, http: "127.0.0.1:{self.http[line[2]]}"}}'
        text = super().text(*args, **changes)
        return re.sub(r'^(  (\w+): \{clients: .*)\}$', add, text, flags=re.M) if self.http else text

    def ctl(self, *words, stdin=None):
        done = subprocess.run([HERDCTL, "-X", "-c", str(self.path), *words], input=stdin, text=True,
                              capture_output=True, timeout=DEADLINE_S, cwd=self.folder)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def add_user(self, name):
        self.ctl("user", "add", name, "--password-file", "-", stdin=PASSWORD + "\n")

    def add_key(self, name):
        self.keys[name] = self.ctl("user", "add", name, "--key").split()[-1]
        return self.keys[name]

    def __exit__(self, *how):
        try:
            return super().__exit__(*how)
        finally:
            give_back(self.http.values())


class Phone(threading.Thread):
    """Sends its positions, oldest first, each again until it is answered as the
    app wants; to the next node when one does not answer at all."""

    def __init__(self, herd, name, positions):
        super().__init__(daemon=True)
        self.herd, self.name_, self.queue = herd, name, list(positions)
        self.user, self.device = name.split("/")
        self.answered = []  # (time, node), in the order of the answers
        self.refused = []   # (status, body) of the others
        self.unreached = 0
        self.stopped = None  # why it has given up
        self.nodes = list(herd.nodes)
        self.at = sum(name.encode()) % len(self.nodes)
        self.connection = None
        self.leave = threading.Event()

    # --- what an app is ---

    def batch(self):
        """How many positions the next message has."""
        return 1

    def message(self, positions):
        """(method, path, body, headers) for positions (time, lat, lon)."""
        raise NotImplementedError

    def is_content(self, status, body):
        """Does the app take that answer for a yes?"""
        return 200 <= status < 300

    def refuse(self, status, body):
        """What the app does about another answer; by default it tries again."""

    # --- how it goes on ---

    def node(self):
        return self.nodes[self.at % len(self.nodes)]

    def post(self, method, path, body, headers):
        """The answer's status and body, or None if there is none."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(
                    "127.0.0.1", self.herd.http[self.node()], timeout=DEADLINE_S)
            self.connection.request(method, path, body=body, headers=headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            return None

    def send(self):
        """The first message once; is it done with?"""
        positions = self.queue[:self.batch()]
        answer = self.post(*self.message(positions))
        if answer is None:
            self.unreached += 1
            self.at += 1
            return False
        if not self.is_content(*answer):
            self.refused.append(answer)
            self.refuse(*answer)
            return False
        self.answered += [(position[0], self.node()) for position in positions]
        del self.queue[:len(positions)]
        return True

    def run(self):
        while self.queue and not self.stopped and not self.leave.is_set():
            if not self.send():
                self.leave.wait(PAUSE_S)
        if self.connection is not None:
            self.connection.close()


class OwnTracks(Phone):
    """Has a password; sends one message again for ever, and all later ones wait."""

    def message(self, positions):
        time, lat, lon = positions[0]
        credentials = base64.b64encode(f"{self.user}:{PASSWORD}".encode()).decode()
        body = time if isinstance(time, str) else json.dumps({
            "_type": "location", "lat": lat, "lon": lon, "tst": time, "tid": self.device[-2:],
            "acc": 12, "batt": 80, "vel": 0, "conn": "w", "topic": f"owntracks/{self.user}/{self.device}"})
        return "POST", "/owntracks", body, {
            "Authorization": f"Basic {credentials}", "Content-Type": "application/json",
            "X-Limit-U": self.user, "X-Limit-D": self.device, "User-Agent": "Owntracks-Android/gms/420412000"}

    def is_content(self, status, body):
        return 200 <= status < 300 and isinstance(json.loads(body), list)


class KeyPhone(Phone):
    @property
    def key(self):
        return self.herd.keys[self.name_]


class Traccar9(KeyPhone):
    """Stops for good when it is told that its request is bad."""

    def message(self, positions):
        time, lat, lon = positions[0]
        when = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
        return "POST", "/", json.dumps({
            "location": {"timestamp": when.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                         "coords": {"latitude": lat, "longitude": lon, "accuracy": 4.5, "speed": 0,
                                    "heading": -1, "altitude": 35.2},
                         "is_moving": True, "odometer": 0, "event": "motionchange",
                         "battery": {"level": 0.88, "is_charging": False}, "activity": {"type": "still"},
                         "extras": {}},
            "device_id": self.key}), {"Content-Type": "application/json"}

    def refuse(self, status, body):
        if status == 400:
            self.stopped = body


class OsmAnd(KeyPhone):
    """A URL with everything in it; times in milliseconds."""

    def message(self, positions):
        time, lat, lon = positions[0]
        query = urllib.parse.urlencode({
            "id": self.key, "lat": lat, "lon": lon, "timestamp": time * 1000, "hdop": 3.9, "altitude": 35.2,
            "speed": 0.0, "bearing": 0})
        return "GET", f"/?{query}", None, {"User-Agent": "OsmAnd"}


class GpsLogger(KeyPhone):
    """The same with times in seconds, and Basic's place for the key unused."""

    def message(self, positions):
        time, lat, lon = positions[0]
        query = urllib.parse.urlencode({
            "lat": lat, "lon": lon, "timestamp": time, "acc": 8.0, "alt": 35.2, "spd": 0.0, "batt": 80.0})
        return "GET", f"/?{query}&id={self.key}", None, {"User-Agent": "GPSLogger"}


class Overland(KeyPhone):
    """Batches, and the same one again until it is told {"result": "ok"}."""
    BATCH = 20

    def batch(self):
        return self.BATCH

    def message(self, positions):
        def feature(time, lat, lon):
            when = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
            return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [lon, lat]},
                    "properties": {"timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "altitude": 35,
                                   "speed": -1, "horizontal_accuracy": 5, "motion": ["stationary"],
                                   "battery_state": "unplugged", "battery_level": 0.8, "wifi": "",
                                   "device_id": self.device}}
        return "POST", "/overland", json.dumps({"locations": [feature(*p) for p in positions]}), {
            "Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}

    def is_content(self, status, body):
        return 200 <= status < 300 and json.loads(body).get("result") == "ok"


APPS = {"owntracks": OwnTracks, "traccar": Traccar9, "osmand": OsmAnd, "gpslogger": GpsLogger,
        "overland": Overland}


def track(count, seed=0, start=T0):
    """Positions (time, lat, lon) of a walk, one a second."""
    return [(start + i, round(48.85 + seed / 100 + i / 10000, 6), round(2.29 + i / 10000, 6))
            for i in range(count)]
