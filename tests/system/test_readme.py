# SPDX-License-Identifier: GPL-3.0-or-later
"""README.md speaks of the tree as it is: files, functions and tests that it
names exist, and its places to start reading say at their top what they are."""
import os
import re

import pytest

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def text(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


README = text("README.md")
FILE = r"(?:server|client|common|include|tests|man)/[\w/.-]*\w\.(?:c|h|def|py|sh|txt|yaml)"


def section(title):
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^\#{{1,3}} |\Z)", README, re.M | re.S)
    assert found, title
    return found[2]


def test_files_exist():
    named = re.findall(rf"(?<![\w/])({FILE})", README)
    assert len(named) > 30
    assert [path for path in named if not os.path.exists(os.path.join(TOP, path))
            and "NAME" not in path] == []


def test_places_to_start_reading_say_what_they_are():
    stops = re.findall(rf"^\d\. `({FILE})`:", section("Where to start reading"), re.M)
    assert len(stops) == 10
    assert sum(stop.startswith("client/") for stop in stops) == 5
    for stop in stops:
        assert re.match(r"/\* SPDX-License-Identifier: GPL-3.0-or-later \*/\n/\*\n \* \w", text(stop)), stop


@pytest.mark.parametrize("title", ["The path of an IAMAT", "The path of a WHATSAT", "The path of a phone's report",
                                   "The path of `herdctl client show ID -n all`"])
def test_paths_name_functions_where_they_are(title):
    """A function is in the file that was named last before it."""
    steps = re.findall(r"^\d+\. ", section(title), re.M)
    assert len(steps) == 10
    file, functions = None, 0
    for token in re.findall(r"`([^`\s]+)`", section(title)):
        if re.fullmatch(FILE, token):
            file = token
        elif token.endswith("()"):
            assert re.search(rf"^{re.escape(token[:-2])}\(", text(file), re.M), (file, token)
            functions += 1
    assert functions >= 7


def test_forgotten_steps_fail_tests_that_exist():
    named = set(re.findall(r"`(test_\w+)`", section("How to add ...")))
    sources = "".join(text(f"tests/{folder}/{name}") for folder in ("unit", "system")
                      for name in os.listdir(os.path.join(TOP, "tests", folder))
                      if name.endswith((".c", ".py")))
    assert len(named) >= 9
    assert [name for name in named if not re.search(rf"\b{name}\(", sources)] == []
