# SPDX-License-Identifier: GPL-3.0-or-later
"""mkgazetteer: a table of one's own becomes a data file, or nothing does."""
import json
import os
import pathlib
import sqlite3
import subprocess

import pytest

from nodes import TOP, Herd

MKGAZETTEER = os.environ.get("MKGAZETTEER", str(TOP / "build" / "mkgazetteer"))
ROW = ["my1", "34.07", "-118.45", "P", "Häuschen \"<1>\"", "", "US", "CA", "1200"]


def table(*rows):
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def row(**changes):
    names = ["id", "lat", "lng", "kind", "name", "vicinity", "country", "admin1", "population"]
    return [changes.get(name, value) for name, value in zip(names, ROW)]


def make(path, data, *options):
    return subprocess.run([MKGAZETTEER, *options, str(path)], input=data, capture_output=True,
                          timeout=60)


def test_own_table_answers_a_whatsat(tmp_path):
    (tmp_path / "notice").write_text("Places: me.\n\nAll <mine>.\n")
    data = table(row(), row(id="my2", kind="T", lat="34.08", name="Station", vicinity="Town"),
                 row(id="my3", kind="f", lat="-34", population=""))
    result = make(tmp_path / "own.sqlite", data, "-n", str(tmp_path / "notice"))
    assert result.returncode == 0, result.stderr
    with Herd(tmp_path, ["Riley"], [], "places: {data: own.sqlite}\n") as herd:
        herd.start()
        answer = herd["Riley"].ask(b"IAMAT me +34.07-118.45 5\nWHATSAT me 10 20\n")
    text = answer.split(b"\n", 2)[2].decode()
    found = json.loads(text)
    assert found["html_attributions"] == ["Places: me.", "All <mine>."]
    assert [p["name"] for p in found["results"]] == [ROW[4], "Station"]
    assert found["results"][1]["types"][0] == "train_station"
    assert '"name" : "Häuschen \\"\\u003c1\\u003e\\"",' in text


def test_facts_are_written(tmp_path):
    path = tmp_path / "own.sqlite"
    assert make(path, table(row())).returncode == 0
    with sqlite3.connect(path) as db:
        meta = dict(db.execute("SELECT key, value FROM meta"))
        assert meta["rows"] == "1" and len(meta["source_sha256"]) == 64
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT name, vicinity FROM place").fetchone() == (ROW[4], ROW[4])
    assert path.stat().st_mode & 0o777 == 0o644
    assert [p.name for p in tmp_path.iterdir()] == ["own.sqlite"]


@pytest.mark.parametrize("data,why", [
    (b"", "no places"),
    (table(row())[:-1], "line 1"),
    (table(row(), ["x"]), "line 2: fewer than 9 columns"),
    (table(row() + ["x"]), "types are for places of kind N"),
    (table(row() + [""] * 3), "more than 11 columns"),
    (table(row(kind="N") + ["Cafe"]), "types are words"),
    (table(row(id="")), "the id"),
    (table(row(id="i" * 129)), "the id"),
    (table(row(), row()), "two places have the id my1"),
    (table(row(lat="90.1")), "the latitude"),
    (table(row(lat="nan")), "the latitude"),
    (table(row(lat="")), "the latitude"),
    (table(row(lat="1.2.3")), "the latitude"),
    (table(row(lng="-180.01")), "the longitude"),
    (table(row(kind="Z")), "the kind"),
    (table(row(kind="")), "the kind"),
    (table(row(name="")), "the name"),
    (table(row(name="n" * 513)), "the name"),
    (table(row(vicinity="n" * 513)), "the vicinity"),
    (table(row(population="-1")), "the population"),
    (table(row(name="n" * 9000)), "longer than"),
    (table(row(name="a\0b")), "line 1"),
    (table(row()).replace(b"H\xc3\xa4", b"H\xff"), "not UTF-8")])
def test_bad_table_is_refused_with_its_line(tmp_path, data, why):
    path = tmp_path / "own.sqlite"
    path.write_text("as it was")
    result = make(path, data)
    assert result.returncode == 1
    assert why in result.stderr.decode()
    assert path.read_text() == "as it was"
    assert [p.name for p in tmp_path.iterdir()] == ["own.sqlite"]


def test_limits_are_taken(tmp_path):
    data = table(row(id="i" * 128, name="n" * 512, vicinity="v" * 512, lat="90", lng="-180"),
                 row(lat="-90", lng="180", population="100000000000"))
    assert make(tmp_path / "own.sqlite", data).returncode == 0


@pytest.mark.parametrize("arguments,status", [([], 2), (["a", "b"], 2), (["-x", "a"], 2),
                                              (["-h"], 0), (["-V"], 0)])
def test_usage(arguments, status):
    result = subprocess.run([MKGAZETTEER, *arguments], input=b"", capture_output=True, timeout=60)
    assert result.returncode == status
    assert result.stdout if status == 0 else result.stderr


def test_notice_is_checked(tmp_path):
    notice = tmp_path / "notice"
    for text, why in ((b"\xff", "not UTF-8"), (b"a\n" * 17, "more than 16 lines"),
                      (b"a" * 20000, "cannot read")):
        notice.write_bytes(text)
        result = make(tmp_path / "own.sqlite", table(row()), "-n", str(notice))
        assert result.returncode == 1 and why in result.stderr.decode()
    assert "No such file" in make(tmp_path / "own.sqlite", table(row()), "-n",
                                  str(tmp_path / "none")).stderr.decode()
    assert "own.sqlite" not in [p.name for p in pathlib.Path(tmp_path).iterdir()]
