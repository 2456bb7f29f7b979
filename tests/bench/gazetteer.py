#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A million made-up places in one city: how long their import takes, what a
search costs with a filter and without, and what Redis's GEOSEARCH costs on the
same points. Times are of CPU, so that other work on the machine counts less.
Filters are a list of bad ones, and random ones of what the data have: words in
any order, parts of words, one or two letters, with types, all closed.

    make programs build/release/bench_gazetteer
    tests/bench/gazetteer.py [--places N] [--random N] [--redis PROGRAM]
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time

from servers import TOP
from nodes import wait_until

BUILD = TOP / "build"
CITY = (34.05, -118.25)
TYPES = ["cafe", "bar", "school", "park", "pharmacy", "restaurant", "lodging", "store", "bank", "atm"]
WORDS = "Blue Corner Old Café Market Star Müller Green House Bean Royal Lucky Sun River".split()
SEARCHES = 20000
CLOSED = "Mo Tu We Th Fr Sa Su".split()
# type, keyword, open, rank
FILTERS = [
    ("", "", "", ""), ("", "", "", "prominence"), ("", "", "open", ""), ("cafe", "", "", ""),
    ("museum", "", "", ""), ("spa", "", "", ""), ("", "bean", "", ""), ("", "bean 77", "", ""),
    ("", "bean 7777", "", ""), ("", "bean 777777x", "", ""), ("", "lucky star 12", "", ""),
    ("", "bean bean", "", ""), ("museum", "bean royal", "", ""), ("cafe", "müller", "", ""),
    ("", "q", "", ""), ("", "qx", "", ""), ("", "e", "", ""), ("bar", "99999", "", ""),
    ("cafe", "ue 46", "open", ""), ("museum", "e", "", "prominence")]


def make_places(path, count):
    """A csv of places that lie thickest in the middle; their positions."""
    chance = random.Random(7)
    points = [(round(chance.gauss(CITY[0], 0.12), 7), round(chance.gauss(CITY[1], 0.15), 7))
              for _ in range(count)]
    days = [CLOSED[(time.gmtime().tm_wday + day) % 7] for day in (2, 3, 4)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,name,lat,lon,types,address,town,hours\n")
        for i, (lat, lon) in enumerate(points):
            kind = "museum" if i % 1000 == 0 else chance.choice(TYPES)
            file.write(f"p{i},{' '.join(chance.sample(WORDS, 3))} {i},{lat},{lon},{kind},"
                       f"{i % 999} Main Street,Los Angeles,{chance.choice(days)} "
                       f"{chance.randrange(24):02}:{chance.randrange(60):02}-24:00\n")
    return points


def import_places(folder):
    (folder / "NOTICE").write_text("Made up.\n")
    began = time.monotonic()
    child = subprocess.Popen([BUILD / "herdctl", "places", "import", folder / "p.csv", "-O",
                              folder / "p.sqlite", "-n", folder / "NOTICE", "--time-zone", "UTC"],
                             stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    assert status == 0
    print(f"import: {time.monotonic() - began:.1f} s, {usage.ru_utime + usage.ru_stime:.1f} s of "
          f"CPU, {usage.ru_maxrss / 1024:.0f} MB of memory, "
          f"{(folder / 'p.sqlite').stat().st_size / 1e6:.0f} MB of file")


def random_filters(count):
    """What a user may think of who wants it to be slow."""
    chance = random.Random(5)
    words = [word.lower() for word in WORDS]

    def letters(most):
        return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789")
                       for _ in range(chance.randint(1, most)))

    def keyword():
        one, two, three = (chance.choice(words) for _ in range(3))
        return chance.choice([
            letters(2), one, f"{one} {one}", f"{one} {two}", f"{one} {two} {three}",
            f"{one} {chance.randrange(100000)}", f"{one[-2:]} {two[:2]}", f"{one[-1:]} {two[:1]}",
            (one[chance.randrange(len(one)):] + one)[:8], f"{one} {letters(3)}"])

    return [(chance.choice(["", "", *TYPES, "museum"]), keyword() if chance.random() < .9 else "",
             "open" if chance.random() < .1 else "", "prominence" if chance.random() < .1 else "")
            for _ in range(count)]


def search(folder, seconds, km, filters):
    """For each filter: what is printed of it, and its us of CPU."""
    (folder / "filters").write_text("".join("\t".join(words) + "\n" for words in filters))
    done = subprocess.run([BUILD / "release" / "bench_gazetteer", folder / "p.sqlite", str(seconds),
                           "1", str(km), "20", "places", folder / "filters"],
                          capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(filters)
    return [(line, float(re.search(r"([\d.]+) us of CPU", line)[1])) for line in lines]


def compare(folder, seconds, km, count):
    """The plain search's us; prints the list, and the worst of the random filters."""
    filters = FILTERS + random_filters(count)
    found = search(folder, seconds, km, filters)
    plain = found[0][1]
    rows = [(us / plain, words, line) for words, (line, us) in zip(filters, found)]
    worst = sorted(rows[len(FILTERS):], reverse=True)[:5]
    for times, words, line in rows[:len(FILTERS)] + worst:
        print(f"{km} km, {'/'.join(words)}: {times:.2f} of the plain one; {line}")
    return plain


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def command(*words):
    words = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def pipeline(redis, commands, size=64):
    """Sends them, `size' at a time; ECHO ends each lot."""
    for at in range(0, len(commands), size):
        redis.sendall(b"".join(commands[at:at + size]) + command("ECHO", "end-of-lot"))
        tail = b""
        while not tail.endswith(b"end-of-lot\r\n"):
            tail = tail[-16:] + redis.recv(1 << 20)


def connect(path):
    redis = socket.socket(socket.AF_UNIX)
    wait_until(lambda: redis.connect_ex(str(path)) == 0, "redis listens")
    return redis


def geosearch(folder, program, points):
    """us of the server's CPU for each search around one of the points."""
    server = subprocess.Popen([program, "--port", "0", "--unixsocket", folder / "redis", "--save",
                               "", "--dir", folder], stdout=subprocess.DEVNULL)
    try:
        redis = connect(folder / "redis")
        pipeline(redis, [command("GEOADD", "p", lon, lat, f"p{i}")
                         for i, (lat, lon) in enumerate(points)])
        before = cpu_s(server.pid)
        pipeline(redis, [command("GEOSEARCH", "p", "FROMLONLAT", lon, lat, "BYRADIUS", 1, "km",
                                 "ASC", "COUNT", 20) for lat, lon in
                         random.Random(3).sample(points, min(SEARCHES, len(points)))])
        return (cpu_s(server.pid) - before) / min(SEARCHES, len(points)) * 1e6
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", type=int, default=1000000)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--random", type=int, default=200)
    parser.add_argument("--redis", default=shutil.which("redis-server"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        points = make_places(folder / "p.csv", options.places)
        import_places(folder)
        compare(folder, options.seconds, 50, options.random)
        plain = compare(folder, options.seconds, 1, options.random)
        if options.redis:
            us = geosearch(folder, options.redis, points)
            print(f"GEOSEARCH: {us:.2f} us of CPU each, names alone; ours with JSON: {plain:.2f}")


if __name__ == "__main__":
    main()
