# SPDX-License-Identifier: GPL-3.0-or-later
"""Lint finds the words of tests/lint/words.txt in prose and leaves names alone."""
import subprocess

import pytest

from nodes import TOP


@pytest.mark.parametrize("name, text, found", [
    ("server/a.c", "/* One.\n * It begins Anew. */\nint anew;\n", [(2, "anew")]),
    ("server/a.c", "#include \"places/inquiry.h\"\nputs(\"a \\\"door\\\"\"); door('\"');\n", [(2, "door")]),
    ("client/a.h", "int edge; /* of the screen: edge */\n", []),
    ("server/a.h", "int edge; /* edge */\n", [(1, "edge")]),
    ("tests/a.py", "def mend():\n    \"\"\"Mended, it\n    stands.\"\"\"\n    return door  # behind it\n",
     [(2, "mended"), (3, "stands"), (4, "behind it")]),
    ("tests/a.sh", "behind=1 # behind $behind, behind a\necho 'is behind'\n", [(1, "behind a")]),
    ("man/a.1", "It is said\nin front.\n", [(1, "is said"), (2, "in front")]),
    ("README.md", "Standing connections. Whoever\n", [(1, "whoever")])])
def test_word_to_avoid_is_found_in_prose_only(tmp_path, name, text, found):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    run = subprocess.run([TOP / "tests/lint/words.sh", name], cwd=tmp_path, text=True, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = [line.split("; better: ")[0] for line in run.stdout.splitlines()]
    assert lines == [f'{name}:{number}: "{word}"' for number, word in found]
