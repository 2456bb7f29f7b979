# SPDX-License-Identifier: GPL-3.0-or-later
"""Random lines of clients, judged by a second reading of herd-protocol(7)
that shares no code with herdd: exact fractions and regular expressions."""
import json
import os
import random
import re
import time
from fractions import Fraction

import pytest

from nodes import Herd

SPACES = b" \t\r\x0c\x0b"
NUMBER = rb"[0-9]+(?:\.[0-9]+)?"
IDS = [b"a", b"b", b"kiwi", b"\xff\xfe", b"\x1c", b"\xc2\xa0", b"%s%n", b"x" * 300, b"a\0b", b"+1+1", b"1", b"IAMAT",
       b"\x7f\x01\x1b[2J", "käse".encode()]
LOCATIONS = [b"+34-118", b"+90-180", b"+90.0-180.0", b"+90.000000001-1", b"-90+180.0000000000000000001", b"+0-0",
             b"-0-0", b"+9e1-1", b"+1,2-3", b"+34.-118", b"+.5-1", b"+0089.999-0179.99", b"+1-2-3", b"1-2", b"+1",
             b"+1+", b"+1.2.3+4", "+١+1".encode(), b"+181+1", b"+1 +1"]
TIMES = [b"0", b"00", b"1", b"1.5", b"1.", b".5", b"1." + b"0" * 28, b"17179869183", b"17179869184",
         b"17179869183." + b"9" * 20, b"1e5", b"-1", b"+1", b"9" * 20, b"0" * 32, b"0" * 33, b"1621464827.959498503",
         b"1621464827.9594985030", b"%.3f", b"1_0", b"0x1"]
RADII = [b"1", b"50", b"50.0", b"50." + b"0" * 26 + b"1", b"0", b"0.0", b"0." + b"0" * 27 + b"1", b"00050", b"5e1",
         b"-1", b"1.", b".1", b"51", b"9" * 40]
BOUNDS = [b"1", b"20", b"020", b"21", b"0", b"00", b"-1", b"+1", b"1.0", b"9" * 30, b"0" * 30 + b"5"]
OTHERS = [b"iamat", b"AT", b"HELLO", b"", b"GET / HTTP/1.1", b"POST / HTTP/1.1", b"\x16\x03\x01", b"PING 1", b"IAMATx", b"IAMA", b"WHATSATS", b"\0"]


def number(text):
    return Fraction(text.decode())


def is_location(text):
    match = re.fullmatch(rb"[+-](" + NUMBER + rb")[+-](" + NUMBER + rb")", text)
    return bool(match) and number(match[1]) <= 90 and number(match[2]) <= 180


def is_time(text, now):
    return bool(re.fullmatch(NUMBER, text)) and len(text) <= 32 and number(text) < 2 ** 34 and \
        number(text) <= Fraction(now) + 300


def fields_of(line):
    return [field for field in re.split(rb"[ \t\r\n\x0c\x0b]+", line) if field]


def kind_of(line, known, now):
    fields = fields_of(line)
    if b"\0" in line or len(fields) != 4:
        return None
    word, _, third, fourth = fields
    if word == b"IAMAT" and is_location(third) and is_time(fourth, now):
        return word
    if word == b"WHATSAT" and fields[1] in known and re.fullmatch(NUMBER, third) and 0 < number(third) <= 50 and \
            re.fullmatch(rb"[0-9]+", fourth) and 1 <= int(fourth) <= 20:
        return word
    return None


def speech(lines, known, now):
    """The first line that is not blank decides: "herd", "get" or "foreign"."""
    first = next((line for line in lines if fields_of(line)), b"")
    if kind_of(first, known, now):
        return "herd"
    if first[:2] == b"\x16\x03" or b"\x21\x12\xa4\x42" in (first[4:8], first[6:10]):
        return "foreign"
    match = re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t\r\x0c\x0b](?:.*[ \t\r\x0c\x0b])?"
                         rb"HTTP/[0-9][^ \t\r\x0c\x0b]*[ \t\r\x0c\x0b]*", first, re.S)
    return "herd" if not match else "get" if match[1] in (b"GET", b"HEAD") else "foreign"


def draw_space(rng, least):
    return bytes(rng.choice(SPACES) for _ in range(rng.choice([least, 1, 1, 2, 3])))


def draw_line(rng):
    if rng.random() < 0.55:
        fields = [b"IAMAT", rng.choice(IDS), rng.choice(LOCATIONS), rng.choice(TIMES)]
    elif rng.random() < 0.8:
        fields = [b"WHATSAT", rng.choice(IDS), rng.choice(RADII), rng.choice(BOUNDS)]
    else:
        fields = [rng.choice(OTHERS), b"x"][:rng.choice([1, 2, 2, 2])]
    if fields[-1] == b"%.3f":  # about max_ahead from now
        fields[-1] %= time.time() + rng.choice([280, 320])
    change = rng.random()
    if change < 0.05:
        fields.pop(rng.randrange(len(fields)))
    elif change < 0.1:
        fields.insert(rng.randrange(len(fields) + 1), rng.choice([b"x", b"\0", b"1"]))
    elif change < 0.13:
        at = rng.randrange(len(fields))
        field = bytearray(fields[at] or b"x")
        field[rng.randrange(len(field))] = rng.choice([c for c in range(256) if c != 10])
        fields[at] = bytes(field)
    line = draw_space(rng, 0)
    for i, field in enumerate(fields):
        line += (draw_space(rng, 1) if i else b"") + field
    return line + draw_space(rng, 0)


def check_at(fields, reply, at, now, known):
    """The end of the AT line at `at`; notes the report."""
    match = re.compile(rb"AT Riley ([+-]\d+\.\d{9}) " + re.escape(b" ".join(fields[1:])) + rb"\n").match(reply, at)
    assert match, (fields, reply[at:at + 200])
    skew = number(match[1])
    assert match[1] != b"-0.000000000" and abs(skew - (Fraction(now) - number(fields[3]))) < 5
    place = int(number(fields[3]) * 10 ** 9), fields[2], match[1], fields[3]
    if fields[1] not in known or place > known[fields[1]][0]:
        known[fields[1]] = place, match[0]
    return match.end()


def check_places(fields, reply, at, known):
    line = known[fields[1]][1]
    assert reply.startswith(line, at), (fields, line, reply[at:at + 200])
    end = reply.index(b"\n\n", at + len(line))
    assert len(json.loads(reply[at + len(line):end])["results"]) <= int(fields[3])
    return end + 2


@pytest.mark.parametrize("settings", ["", "store: {engine: sqlite, durability: sync}\n"])
def test_any_line_is_answered_by_the_rules(tmp_path, settings):
    seed = int(os.environ.get("HERD_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    rng = random.Random(seed)
    known, kinds = {}, {b"IAMAT": 0, b"WHATSAT": 0, None: 0}
    with Herd(tmp_path, ["Riley"], [], "workers: 2\n" + settings) as herd:
        node = herd.start()["Riley"]
        for _ in range(150):
            lines = [draw_line(rng) for _ in range(rng.randrange(1, 60))]
            request = b"\n".join(lines) + (b"\n" if rng.random() < 0.7 or not lines[-1] else b"")
            reply = node.ask(request, [rng.randrange(1, 200) for _ in range(rng.randrange(6))])
            at, now = 0, time.time()
            spoken = speech(lines, known, now)
            if spoken == "foreign":  # nothing after that line is read
                lines = lines[:next(i for i, line in enumerate(lines) if fields_of(line)) + 1]
            for line in lines:
                kind = kind_of(line, known, now) if spoken == "herd" else None
                kinds[kind] += 1
                if kind is None:
                    assert reply.startswith(b"? " + line + b"\n", at), (line, reply[at:at + 200])
                    at += len(line) + 3
                elif kind == b"IAMAT":
                    at = check_at(fields_of(line), reply, at, now, known)
                else:
                    at = check_places(fields_of(line), reply, at, known)
            assert at == len(reply), reply[at:]
    assert min(kinds.values()) > 50, kinds
