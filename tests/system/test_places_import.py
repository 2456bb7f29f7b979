# SPDX-License-Identifier: GPL-3.0-or-later
"""herdctl places import: made-up places in the shapes that real sources have
become a data file, and a node answers from it."""
import gzip
import json
import os
import re
import resource
import sqlite3
import subprocess

import pytest

from nodes import HERDCTL, TOP, Herd

NOTICE = "© OpenStreetMap contributors, ODbL\n"


def run(folder, *words, **kinds):
    (folder / "NOTICE").write_text(NOTICE)
    return subprocess.run([HERDCTL, "places", "import", *map(str, words)], cwd=folder,
                          capture_output=True, text=True, timeout=120, **kinds)


def totals(done):
    rows = [line.rsplit("\t", 1) for line in done.stdout.splitlines()[1:]]
    return {what: int(count) for what, count in rows}


def places(path):
    """{place_id: (name, types, vicinity, lat, lng, hours)} of a data file."""
    with sqlite3.connect(path) as db:
        return {row[0]: row[1:] for row in db.execute(
            "SELECT place_id, name, list.types, vicinity, lat, lng, hours FROM place"
            " JOIN list ON list.id = place.types")}


def make(folder, name, text, *words, status=0):
    (folder / name).write_text(text)
    done = run(folder, name, "-O", "out.sqlite", "-n", "NOTICE", *words)
    assert done.returncode == status, done.stderr
    return done


def feature(properties, lon=-118.25, lat=34.05, geometry=None, **more):
    return {"type": "Feature", "properties": properties, **more, "geometry": geometry or {
        "type": "Point", "coordinates": [lon, lat]}}


def collection(*features):
    return json.dumps({"type": "FeatureCollection", "features": features})


POI = "point_of_interest,establishment"
SQUARE = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]
HOLE = [[1, 0], [2, 0], [2, 2], [1, 2], [1, 0]]


def test_osmium_export(tmp_path):
    """GeoJSON text sequences with ids of osmium's @-attributes."""
    features = [
        feature({"@type": "node", "@id": 7, "amenity": "cafe", "name": "Café A",
                 "addr:street": "Hauptstraße", "addr:housenumber": "3", "addr:city": "Berlin",
                 "opening_hours": "24/7"}),
        feature({"@type": "way", "@id": 7, "shop": "supermarket", "name": "Market",
                 "building": "yes", "addr:country": "US", "addr:street": "Main Street",
                 "addr:housenumber": "9"}, geometry={
                     "type": "MultiPolygon", "coordinates": [[SQUARE, HOLE]]}),
        feature({"highway": "residential", "name": "A Street"}),
        feature({"amenity": "bench"}),
        feature({"railway": "halt", "name": "Halt"}, id="n99"),
        feature({"place": "suburb", "name": "Suburb"}, geometry={
            "type": "LineString", "coordinates": [[179, 10], [-179, 10]]}),
    ]
    text = "".join("\x1e" + json.dumps(f, ensure_ascii=False) + "\n" for f in features)
    done = make(tmp_path, "a.geojsonseq", text)
    assert totals(done) == {
        "read": 6, "written": 4, "passed over": 2, "twice": 0, "rejected": 0, "cafe": 1,
        "supermarket": 1, "train_station": 1, "neighborhood": 1}
    found = places(tmp_path / "out.sqlite")
    assert found["n7"] == ("Café A", "cafe,food," + POI, "Hauptstraße 3, Berlin", 34.05,
                           -118.25, "24/7")
    assert found["w7"][:3] == ("Market", "supermarket,grocery_or_supermarket,store," + POI,
                               "9 Main Street")
    assert found["w7"][3:5] == (pytest.approx(1), pytest.approx(0.5))
    assert found["n99"][1].startswith("train_station,transit_station")
    suburb = next(p for p in found.values() if p[0] == "Suburb")
    assert suburb[1] == "neighborhood,political" and abs(suburb[4]) == 180


def test_overpass(tmp_path):
    done = make(tmp_path, "a.json", json.dumps({"version": 0.6, "elements": [
        {"type": "node", "id": 1, "lat": 1.5, "lon": 2.5,
         "tags": {"amenity": "pharmacy", "name": "P"}},
        {"type": "way", "id": 1, "center": {"lat": 3, "lon": 4}, "nodes": [1, 2],
         "tags": {"tourism": "hotel", "name": "H"}},
        {"type": "way", "id": 2, "tags": {"tourism": "hotel", "name": "No centre"}},
        {"type": "node", "id": 3, "lat": 1, "lon": 2}]}), status=8)
    assert "a.json:1: it has no position: ask Overpass for `out center'" in done.stderr
    assert totals(done)["passed over"] == 1
    found = places(tmp_path / "out.sqlite")
    assert found["node/1"][1:5] == ("pharmacy,health," + POI, "P", 1.5, 2.5)
    assert found["way/1"][:2] == ("H", "lodging," + POI)


def test_what_is_gone_is_passed_over(tmp_path):
    """Tags of what was there, empty shops, flags of closed places."""
    done = make(tmp_path, "a.geojson", collection(*(
        feature({"name": f"P{i}", **tags}, id=f"p{i}") for i, tags in enumerate([
            {"disused:amenity": "cafe"}, {"abandoned:shop": "bakery"}, {"was:tourism": "hotel"},
            {"shop": "vacant"}, {"closed": True}, {"closed": "true"},
            {"closed": False, "amenity": "cafe"}, {"closed": "no", "amenity": "cafe"},
            {"disused:shop": "yes", "amenity": "cafe"}, {"shop": "no", "amenity": "fuel"},
            {"amenity": "cafe;bar"}]))))
    found = places(tmp_path / "out.sqlite")
    assert totals(done)["passed over"] == 6
    assert {id: row[1].split(",")[0] for id, row in found.items()} == {
        "p6": "cafe", "p7": "cafe", "p8": "cafe", "p9": "gas_station", "p10": "cafe"}


def test_flags_of_closed_places_in_csv(tmp_path):
    make(tmp_path, "a.csv", "id,name,lat,lon,closed\n" + "".join(
        f"{i},P{i},1,2,{flag}\n" for i, flag in enumerate(
            ["", "false", "False", "0", "no", "true", "1", "2020-01-01"])))
    assert sorted(places(tmp_path / "out.sqlite")) == ["0", "1", "2", "3", "4"]


def test_blanks_around_texts_do_not_count(tmp_path):
    done = make(tmp_path, "a.csv", 'id,name,lat,lon,types,address,town\n'
                'a,"  Bean ",1,2,"cafe,bar,cafe",  ,\t\n ,"\t ",1,2,cafe,,\n" ",Two,1,2,cafe,,\n')
    found = places(tmp_path / "out.sqlite")
    assert totals(done)["passed over"] == 1
    assert found.pop("a")[:3] == ("Bean", "cafe,bar," + POI, "Bean")
    assert [id[0] for id in found] == ["h"]


def test_overture_download(tmp_path):
    def place(id, category, **more):
        return feature({
            "id": id, "names": {"primary": "Name " + id, "common": None, "rules": []},
            "categories": {"primary": category, "alternate": ["x"]}, "confidence": 0.9,
            "addresses": [{"freeform": "1 High Street", "locality": "London", "postcode": "N1",
                           "region": None, "country": "GB"}], **more}, id=id)
    done = make(tmp_path, "a.geojson", collection(
        place("o1", "coffee_shop"), place("o2", "thai_restaurant"),
        place("o3", "something_new"), place("o4", "bar", operating_status="permanently_closed"),
        place("o5", "bar", operating_status="open")))
    found = places(tmp_path / "out.sqlite")
    assert totals(done)["passed over"] == 1 and "o4" not in found
    assert found["o1"][:3] == ("Name o1", "cafe,food," + POI, "1 High Street, London")
    assert found["o2"][1] == "restaurant,food," + POI
    assert found["o3"][1] == POI
    assert found["o5"][1] == "bar," + POI


def test_nested_members_may_be_texts_of_json(tmp_path):
    """As ogr2ogr writes them, and DuckDB's to_json()."""
    def place(id, names, categories, addresses):
        return feature({"id": id, "names": names, "categories": categories, "addresses": addresses})
    make(tmp_path, "a.geojson", collection(
        place("t1", json.dumps({"primary": 'The "Ö" \\ <é>', "common": None}),
              json.dumps({"primary": "coffee_shop", "alternate": ["x"]}),
              json.dumps([{"freeform": "1 High Street", "locality": "London", "country": "GB"}])),
        place("t2", {"primary": "Two"}, "bar", "{not json"),
        place("t3", '{"primary": "Three"', '["bar"]', "[]"),
        place("t4", json.dumps({"primary": "Four"}), "[]", "7")))
    found = places(tmp_path / "out.sqlite")
    assert found["t1"][:3] == ('The "Ö" \\ <é>', "cafe,food," + POI, "1 High Street, London")
    assert found["t2"][:2] == ("Two", "bar," + POI)
    assert found["t4"][:2] == ("Four", POI)
    assert "t3" not in found


def test_foursquare_csv(tmp_path):
    labels = "Dining and Drinking > Cafe, Coffee, and Tea House > "
    done = make(tmp_path, "a.csv", (
        "fsq_place_id,name,latitude,longitude,address,locality,country,date_closed,"
        "fsq_category_labels\n"
        f'f1,"Bean, there",34.1,-118.2,12 Main St,Los Angeles,US,,"[""{labels}Coffee Shop""]"\n'
        f'f2,Closed,34.1,-118.2,,,US,2020-01-01,"[{labels}Café]"\n'
        f'f3,Plain,34.1,-118.2,,Los Angeles,US,,"[{labels}Café, Retail > Bookstore]"\n'
        "f4,Other,34.1,-118.2,,,US,,Nothing > Known\n"
        "f5,Nowhere,,,,,US,,\n"), status=8)
    assert "a.csv:6: the latitude is not within -90..90" in done.stderr
    found = places(tmp_path / "out.sqlite")
    assert found["f1"][:3] == ("Bean, there", "cafe,food," + POI, "12 Main St, Los Angeles")
    assert found["f3"][1:3] == ("cafe,food," + POI, "Los Angeles")
    assert found["f4"][1:3] == (POI, "Other") and "f2" not in found


def test_columns_of_ones_own(tmp_path):
    make(tmp_path, "a.tsv", "key\ttitle\ty\tx\twhat\nk1\tDepot\t1\t2\tstorage;warehouse\n",
         "--columns", "id=key,name=title,lat=y,lon=x,types=what")
    assert places(tmp_path / "out.sqlite") == {
        "k1": ("Depot", "storage,warehouse," + POI, "Depot", 1, 2, "")}


def test_herd_table_and_merge(tmp_path):
    (tmp_path / "b.csv").write_text("id,name,lat,lon\nx,Second,1,1\ny,Third,1,1\n")
    with gzip.open(tmp_path / "c.csv.gz", "wt") as file:
        file.write("id,name,lat,lon\nz,Packed,1,1\n")
    (tmp_path / "a").write_text("x\t1\t2\tP\tFirst\t\tUS\tCA\t\n"
                                "n\t1\t2\tN\tOwn\t\tUS\tCA\t\tcafe\t24/7\n")
    done = run(tmp_path, "b.csv", "c.csv.gz", "-O", "two.sqlite", "-n", "NOTICE")
    assert totals(done)["written"] == 3
    done = run(tmp_path, "a", "--from", "herd", "-O", "out.sqlite", "-n", "NOTICE")
    assert done.returncode == 0, done.stderr
    assert places(tmp_path / "out.sqlite")["n"][1:6:4] == ("cafe," + POI, "24/7")
    assert places(tmp_path / "out.sqlite")["x"][1] == "locality,political"


def test_first_of_one_id_counts(tmp_path):
    done = make(tmp_path, "a.csv", "id,name,lat,lon\na,One,1,1\na,Two,1,1\n")
    assert totals(done)["twice"] == 1
    assert places(tmp_path / "out.sqlite")["a"][0] == "One"


def test_place_without_id_has_the_same_one_each_time(tmp_path):
    text = "name,lat,lon\nA,1,1\nB,1,1\n"
    make(tmp_path, "a.csv", text)
    before = places(tmp_path / "out.sqlite")
    make(tmp_path, "a.csv", text)
    assert places(tmp_path / "out.sqlite") == before and len(before) == 2


def test_rejects_have_their_lines(tmp_path):
    lines = [json.dumps(feature({"id": str(i), "name": "x"})) for i in range(60)]
    lines[3] = '{"type":"Feature","properties":{"name":"cut'
    lines[5] = json.dumps(feature({"name": "far"}, lat=91))
    lines[7] = json.dumps(feature({"name": "point"}, geometry={"type": "Point"}))
    lines[9] = "garbage"
    lines[11] = json.dumps(feature({"name": "bad\ufffd"})).replace("\\ufffd", "\\ud800")
    for i in range(20, 50):
        lines[i] = json.dumps(feature({"name": "x"}, geometry=None, lat="north"))
    done = make(tmp_path, "a.geojsonl", "\x1e" + "\n\x1e".join(lines) + "\n", "--rejects",
                "rejects", status=8)
    rejects = (tmp_path / "rejects").read_text().splitlines()
    assert [line.split(":")[1] for line in rejects[:4]] == ["4", "6", "8", "10"]
    assert len(rejects) >= 34 and totals(done)["rejected"] == len(rejects)
    assert len(done.stderr.splitlines()) == 20 and "--rejects alone" in done.stderr
    assert totals(done)["written"] == 60 - len(rejects) - totals(done)["passed over"]


@pytest.mark.parametrize("words,why", [
    (["a.csv"], "-O"), (["a.csv", "-O", "o"], "-n FILE"),
    (["a.csv", "-O", "o", "-n", "NOTICE", "--from", "gpx"], "--from"),
    (["a.csv", "-O", "o", "-n", "NOTICE", "--columns", "id"], "FIELD=COLUMN"),
    (["a.csv", "-O", "o", "-n", "NOTICE", "--columns", "colour=red"], "the fields are"),
    (["a.csv", "-O", "o", "-n", "NOTICE"], "no column `name'"),
    (["none.csv", "-O", "o", "-n", "NOTICE"], "none.csv: No such file"),
    (["a.csv", "-O", "o", "-n", "none"], "none: cannot read it"),
    (["empty.csv", "-O", "o", "-n", "NOTICE"], "no places"),
    (["b.csv", "-O", "no/where/o", "-n", "NOTICE"], "No such file")])
def test_wrong_use_says_what_to_do_and_leaves_nothing(tmp_path, words, why):
    (tmp_path / "a.csv").write_text("id,lat,lon\n1,1,1\n")
    (tmp_path / "b.csv").write_text("name,lat,lon\n1,1,1\n")
    (tmp_path / "empty.csv").write_text("")
    done = run(tmp_path, *words)
    assert done.returncode != 0 and why in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["NOTICE", "a.csv", "b.csv", "empty.csv"]


def test_full_disk_leaves_the_old_file(tmp_path):
    (tmp_path / "out.sqlite").write_text("as it was")
    (tmp_path / "a.csv").write_text("name,lat,lon\n" + "".join(
        f"Place {i},1,{i / 1000}\n" for i in range(5000)))
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
    done = run(tmp_path, "a.csv", "-O", "out.sqlite", "-n", "NOTICE", preexec_fn=limit)
    assert done.returncode != 0 and "File too large" in done.stderr
    assert (tmp_path / "out.sqlite").read_text() == "as it was"
    assert len(list(tmp_path.iterdir())) == 3


def test_memory_does_not_grow_with_the_texts(tmp_path):
    """120 MB of names; what is kept of a place is a few dozen bytes."""
    with open(tmp_path / "a.csv", "w") as file:
        file.write("name,lat,lon\n")
        for i in range(240000):
            file.write(f"{i}{'n' * 480},{i % 80},{i % 170}\n")

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (112 << 20, 112 << 20))
    done = run(tmp_path, "a.csv", "-O", "out.sqlite", "-n", "NOTICE", preexec_fn=limit)
    assert done.returncode == 0, done.stderr
    assert totals(done)["written"] == 240000


def test_node_answers_from_it_with_towns(tmp_path):
    make(tmp_path, "a.geojson", collection(
        feature({"id": "c1", "amenity": "cafe", "name": "The Café"}, -118.445127, 34.06893)),
        "--with-towns")
    with Herd(tmp_path, ["Riley"], [], "places: {data: out.sqlite}\n") as herd:
        herd.start()
        answer = herd["Riley"].ask(b"IAMAT me +34.068930-118.445127 5\nWHATSAT me 1 20\n")
        wide = herd["Riley"].ask(b"WHATSAT me 10 20\n")
    found = json.loads(answer.split(b"\n", 2)[2])
    assert [p["name"] for p in found["results"]] == ["The Café"]
    assert found["results"][0]["icon"].endswith("cafe-71.png")
    assert NOTICE.strip() in found["html_attributions"]
    assert any("GeoNames" in line for line in found["html_attributions"])
    assert len(json.loads(wide.split(b"\n", 1)[1])["results"]) > 3


def test_interrupt_leaves_nothing(tmp_path):
    (tmp_path / "NOTICE").write_text(NOTICE)
    process = subprocess.Popen(
        [HERDCTL, "places", "import", "-", "--from", "csv", "-O", "out.sqlite", "-n", "NOTICE"],
        cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b"name,lat,lon\nA,1,1\n")
    process.stdin.flush()
    os.kill(process.pid, 15)
    assert process.wait(20) != 0
    process.stdin.close()
    process.stderr.close()
    assert [p.name for p in tmp_path.iterdir()] == ["NOTICE"]


# --- a running node takes the new file ---------------------------------------------

ASK = b"WHATSAT me 1 20\n"


def names_near(node):
    return [p["name"] for p in json.loads(node.ask(ASK).split(b"\n", 1)[1])["results"]]


@pytest.fixture
def node(tmp_path):
    make(tmp_path, "a.csv", "name,lat,lon,category\nOld,34.06893,-118.445127,cafe\n")
    with Herd(tmp_path, ["Riley"], [], "places: {data: out.sqlite}\n") as herd:
        herd.start()
        herd["Riley"].ask(b"IAMAT me +34.068930-118.445127 5\n")
        yield herd["Riley"]


def ctl(node, *words):
    return subprocess.run([HERDCTL, "-c", str(node.herd.path), "-n", node.name, "-o", "json",
                           *words], capture_output=True, text=True, timeout=60)


def test_reload_takes_a_new_file_and_keeps_the_old_one_after_a_bad_one(tmp_path, node):
    assert names_near(node) == ["Old"]
    make(tmp_path, "a.csv", "name,lat,lon,category\nNew,34.06893,-118.445127,cafe\n")
    assert names_near(node) == ["Old"]
    done = ctl(node, "places", "reload")
    assert done.returncode == 0 and json.loads(done.stdout)["nodes"][0]["changed"] is True, done
    assert names_near(node) == ["New"]
    assert json.loads(ctl(node, "places", "reload").stdout)["nodes"][0]["changed"] is False
    (tmp_path / "bad").write_text("no database")
    os.replace(tmp_path / "bad", tmp_path / "out.sqlite")
    done = ctl(node, "places", "reload")
    assert done.returncode != 0 and "out.sqlite" in done.stderr
    assert names_near(node) == ["New"]


def test_hangup_takes_a_new_file(tmp_path, node):
    make(tmp_path, "a.csv", "name,lat,lon,category\nNew,34.06893,-118.445127,cafe\n")
    node.process.send_signal(1)
    node.wait_log(r"event=places .*new gazetteer is in use")
    assert names_near(node) == ["New"]


def test_status_says_what_the_file_has(tmp_path, node):
    row = json.loads(ctl(node, "places", "status").stdout)["providers"][0]
    assert row["places"] == 1 and row["types"] == {"cafe": 1}
    assert row["bounds"] == {"south": 34.06893, "west": -118.445127, "north": 34.06893,
                             "east": -118.445127}
    assert row["data"].endswith("out.sqlite") and row["data_made"].startswith("20")
    assert row["data_bytes"] == (tmp_path / "out.sqlite").stat().st_size


def whatsat(node, *flags):
    done = ctl(node, "whatsat", "me", "5km", "20", "--columns", "name", *flags)
    assert done.returncode == 0, done.stderr
    return [row["name"] for row in json.loads(done.stdout)["places"]]


@pytest.fixture
def street(tmp_path):
    """Places along a street, 11 m apart; the big one is the farthest."""
    (tmp_path / "a").write_text("".join(
        f"{i}\t{34.06893 + i / 10000:.5f}\t-118.445127\tN\t{name}\t\tUS\tCA\t{people}\t{types}\t"
        f"{hours}\n" for i, (name, types, hours, people) in enumerate([
            ("Café Blue", "cafe,food", "24/7", 0), ("Bar Blue", "bar", "", 0),
            ("CAFE RED", "cafe", "Mo-Su 00:00-00:00", 0), ("Shut", "cafe", "Mo-Su off", 0),
            ("Odd", "cafe", "sunrise-sunset", 7)])))
    done = run(tmp_path, "a", "--from", "herd", "-O", "out.sqlite", "-n", "NOTICE", "--time-zone",
               "America/Los_Angeles")
    assert done.returncode == 0, done.stderr
    with Herd(tmp_path, ["Riley"], [], "places: {data: out.sqlite}\n") as herd:
        herd.start()
        herd["Riley"].ask(b"IAMAT me +34.068930-118.445127 5\n")
        yield herd["Riley"]


def test_whatsat_with_filters(street):
    assert whatsat(street, "--type", "cafe") == ["Café Blue", "CAFE RED", "Shut", "Odd"]
    assert whatsat(street, "--keyword", "cafe") == ["Café Blue", "CAFE RED"]
    assert whatsat(street, "--keyword", "BLUE", "--type", "bar") == ["Bar Blue"]
    assert whatsat(street, "--open-now") == ["Café Blue", "CAFE RED"]
    assert whatsat(street, "--rank", "prominence")[0] == "Odd"
    done = ctl(street, "whatsat", "me", "5", "1", "--rank", "prominence")
    assert [row["name"] for row in json.loads(done.stdout)["places"]] == ["Odd"]
    assert whatsat(street, "--rank", "distance")[0] == "Café Blue"
    assert whatsat(street, "--type", "museum") == []
    done = ctl(street, "whatsat", "me", "5", "20", "--type", "Museum!")
    assert done.returncode != 0 and "type is a word" in done.stderr
    done = ctl(street, "whatsat", "nobody", "5", "20", "--type", "cafe")
    assert done.returncode != 0 and "no such client" in done.stderr
    done = ctl(street, "places", "test", "34.06893,-118.445127", "--keyword", "red")
    assert json.loads(done.stdout)["tests"][0]["results"] == 1


def test_filters_go_by_the_new_file_after_a_reload(tmp_path, street):
    assert whatsat(street, "--type", "bar") == ["Bar Blue"]
    (tmp_path / "b.csv").write_text("name,lat,lon,types\nNew Bar,34.06893,-118.445127,bar\n")
    assert run(tmp_path, "b.csv", "-O", "out.sqlite", "-n", "NOTICE").returncode == 0
    assert ctl(street, "places", "reload").returncode == 0
    assert whatsat(street, "--type", "bar") == ["New Bar"]
    assert whatsat(street, "--keyword", "blue") == []


def test_open_now_is_told_only_where_it_is_known(street):
    results = json.loads(street.ask(ASK).split(b"\n", 1)[1])["results"]
    assert {p["name"]: p.get("opening_hours", {}).get("open_now") for p in results} == {
        "Café Blue": True, "Bar Blue": None, "CAFE RED": True, "Shut": False, "Odd": None}


# --- herdctl(1), PLACES OF YOUR OWN, typed by the book ------------------------------

BLOCK = re.compile(r"^\.\\\" run places\n\.Bd -literal -offset indent\n(.*?)^\.Ed$", re.M | re.S)
OSM = "".join(json.dumps(feature({"amenity": "cafe", "name": name, "opening_hours": "24/7"},
                                 -118.445127, 34.06893, id=id)) + "\n"
              for id, name in (("n1", "Bean One"), ("n2", "Two")))
OVERTURE = collection(feature({"id": "o1", "names": {"primary": "Bean O"},
                               "categories": {"primary": "coffee_shop"}}, -118.445127, 34.06893))
FOURSQUARE = ("fsq_place_id,name,latitude,longitude,address,locality,country,date_closed,"
              "fsq_category_labels\nf1,Bean F,34.06893,-118.445127,1 Main St,Los Angeles,US,,"
              "[Dining and Drinking > Cafe]\n")
# What the other programs write; their arguments are looked at in the page alone.
TOOLS = {"osmium": ("osm.geojsonseq", OSM), "overturemaps": ("overture.geojson", OVERTURE),
         "duckdb": ("foursquare.csv", FOURSQUARE)}


def book():
    page = (TOP / "man" / "herdctl.1").read_text()
    blocks = [block.replace("\\e", "\\").replace("\\-", "-") for block in BLOCK.findall(page)]
    assert page.split(".Sh PLACES OF YOUR OWN")[1].split(".Sh ")[0].count("\n.Bd ") == len(blocks)
    return blocks


@pytest.mark.parametrize("number,cafes", [(0, ["Bean One", "Two"]), (1, ["Bean O"]),
                                          (2, ["Bean F"]), (3, ["Bean D"])])
def test_the_books_way_leads_to_cafes(tmp_path, number, cafes):
    blocks = book()
    assert len(blocks) == 5
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, (out, text) in TOOLS.items():
        (tools / f"{name}.out").write_text(text)
        (tools / name).write_text(f"#!/bin/sh\ncp {tools}/{name}.out {out}\n")
        (tools / name).chmod(0o755)
    (tmp_path / "depots.csv").write_text("title,y,x,what\nBean D,34.06893,-118.445127,cafe\n")
    make(tmp_path, "first.csv", "name,lat,lon\nBefore,34.06893,-118.445127\n")
    os.replace(tmp_path / "out.sqlite", tmp_path / "places.sqlite")
    with Herd(tmp_path, ["Riley"], [], "places: {data: places.sqlite}\n") as herd:
        herd.start()
        herd["Riley"].ask(b"IAMAT phone-1 +34.068930-118.445127 5\n")
        env = dict(os.environ, HERD_CONF=str(herd.path), HERD_NODE="Riley",
                   PATH=f"{tools}:{os.path.dirname(HERDCTL)}:{os.environ['PATH']}")
        shown = []
        for block in (blocks[number], blocks[4]):
            done = subprocess.run(["bash", "-ec", block], cwd=tmp_path, env=env, text=True,
                                  capture_output=True, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            shown.append(done.stdout)
        found = json.loads(herd["Riley"].ask(b"WHATSAT phone-1 1 20\n").split(b"\n", 1)[1])
    assert sorted(p["name"] for p in found["results"]) == cafes
    assert all(p["types"][0] == "cafe" for p in found["results"])
    assert found["html_attributions"] == [(tmp_path / "notice").read_text().strip()]
    assert all(name in shown[1] for name in cafes) and "Before" not in shown[1]
