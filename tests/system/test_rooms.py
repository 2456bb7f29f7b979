# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of rooms (tests/lint/rooms.txt) holds what it promises: in a copy
of the sources, an include or a call that runs up or sideways is found."""
import os
import shutil
import subprocess

import pytest

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


@pytest.fixture
def copy(tmp_path):
    """The product's sources and the lint, with the views of its rooms."""
    for folder in ("include", "common", "server", "client", "tests/lint"):
        shutil.copytree(os.path.join(TOP, folder), tmp_path / folder,
                        ignore=shutil.ignore_patterns("data"))
    rooms(tmp_path, "views")
    return tmp_path


def rooms(top, *words):
    run = subprocess.run(["tests/lint/rooms.sh", *words], cwd=top, text=True,
                         capture_output=True, timeout=120)
    assert run.returncode in (0, 1, 123) and run.stderr == ""
    return run.stdout.splitlines()


def add(top, path, line):
    """Puts a line in front of a source file's text."""
    file = top / path
    file.write_text(line + "\n" + file.read_text())


def compiles(top, path, object_name=None):
    folder = os.path.dirname(path).replace("/", "-")
    run = subprocess.run(
        ["gcc", "-std=c11", "-D_GNU_SOURCE", "-Iinclude", f"-Ibuild/rooms/{folder}",
         *(["-c", "-o", object_name] if object_name else ["-fsyntax-only"]), path],
        cwd=top, text=True, capture_output=True, timeout=120)
    return run.returncode == 0, run.stderr


def test_sources_keep_to_the_table(copy):
    assert rooms(copy, "includes") == []


@pytest.mark.parametrize("path, included", [
    ("server/core/digest.c", "base/clock.h"),      # sideways: the core has no clock
    ("server/core/batch_timer.c", "node/node.h"),  # up
    ("server/base/log.c", "core/table.h"),         # sideways
    ("server/places/olc.c", "admin/admin.h"),      # up
    ("server/store/store.c", "net/links.h"),       # up
    ("server/admin/query.c", "herdd.h"),           # up, to a file without room
    ("client/out/width.c", "net/reply.h"),         # sideways
    ("client/base/arena.c", "out/out.h"),          # up
    ("client/run/live.c", "repl/repl.h"),          # up
    ("common/buf.c", "core/table.h"),              # up
])
def test_an_include_that_runs_up_or_sideways_is_found(copy, path, included):
    ok, error = compiles(copy, path)
    assert ok, error
    add(copy, path, f'#include "{included}"')
    assert rooms(copy, "includes") == [f"{path}: may not include {included}"]
    # The compiler does not even find it.
    ok, error = compiles(copy, path)
    assert not ok and "fatal error: " in error


@pytest.mark.parametrize("path, declared, symbol, owner", [
    ("server/core/digest.c", "void log_close(void *);", "log_close", "server/base"),
    ("server/store/same_file.c", "void links_close(void *);", "links_close", "server/net"),
    ("client/out/width.c", "void repl_run(void *);", "repl_run", "client/repl"),
    ("common/buf.c", "void table_free(void *);", "table_free", "server/core"),
])
def test_a_symbol_that_runs_up_or_sideways_is_found(copy, path, declared, symbol, owner):
    """Declared by hand, so that no include tells of it."""
    build = copy / "objects"
    user = build / path.replace(".c", ".o")
    owned = build / owner / "owner.o"
    for file in (user, owned):
        file.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-c", "-x", "c", "-o", owned, "-"], check=True, text=True,
                   input=f"void {symbol}(void *p); void {symbol}(void *p) {{ (void)p; }}")
    (copy / owner / "owner.c").write_text("")
    ok, error = compiles(copy, path, str(user))
    assert ok, error
    assert rooms(copy, "symbols", "objects") == []
    file = copy / path
    file.write_text(file.read_text() + f"\n{declared}\nvoid try_it(void);\n"
                    f"void try_it(void) {{ {symbol}(0); }}\n")
    ok, error = compiles(copy, path, str(user))
    assert ok, error
    found = rooms(copy, "symbols", "objects")
    assert found == [f"{path.replace('.c', '.o')}: may not use {symbol} of {owner}"]


def test_a_name_of_two_files_or_structs_is_found(copy):
    assert rooms(copy, "names") == []
    (copy / "client/base/loop_watch.c").write_text("struct table { int x; };\n")
    found = rooms(copy, "names")
    assert any("loop_watch" in line for line in found)
    assert any("struct table " in line for line in found)


def test_a_function_that_is_not_named_for_its_file_is_found(copy):
    build = copy / "objects/server/core"
    build.mkdir(parents=True)
    (copy / "server/core/idle.c").write_text("void digest_run(void) {}\nvoid idle_run(void) {}\n")
    subprocess.run(["gcc", "-c", "-o", build / "idle.o", "server/core/idle.c"], check=True, cwd=copy)
    assert rooms(copy, "owners", "objects") == [
        "server/core/idle.c: digest_run is not named for it",
        "server/core/idle.c: has no header of its own"]


@pytest.mark.parametrize("line", ['#include "../core/table.h"', '#  include "core/table.h"',
                                  '\t#include\t"core/table.h"', '# include "../core/table.h"'])
def test_an_include_is_found_however_it_is_written(copy, line):
    """A path relative to the file would get past the compiler."""
    add(copy, "server/base/log.c", line)
    included = line.split('"')[1]
    assert rooms(copy, "includes") == [f"server/base/log.c: may not include {included}"]


def test_an_include_in_a_table_of_rows_is_found(copy):
    add(copy, "server/admin/route_rows.def", '#include "herdd.h"')
    assert rooms(copy, "includes") == ["server/admin/route_rows.def: may not include herdd.h"]


def test_a_folder_without_a_row_is_found(copy):
    (copy / "server/extra").mkdir()
    (copy / "server/extra/extra.c").write_text('#include "core/table.h"\n')
    assert rooms(copy, "includes") == ["server/extra: has no row in tests/lint/rooms.txt"]


def test_a_row_that_lets_an_arrow_run_up_is_found(copy):
    table = copy / "tests/lint/rooms.txt"
    table.write_text(table.read_text().replace("server/core\n", "server/core       node\n"))
    assert rooms(copy, "includes") == [
        "tests/lint/rooms.txt: server/core uses node, which is no row above it"]
