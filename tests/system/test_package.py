# SPDX-License-Identifier: GPL-3.0-or-later
"""What the package and the container are made of says the same as the Makefile
and the sources. `make deb-check` builds and installs them."""
import gzip
import os
import re
import shutil
import subprocess

import pytest

from nodes import TOP

DIST = TOP / "server" / "dist"
DEBIAN = DIST / "debian"


def variable(name):
    """The words of a variable of the Makefile."""
    text = (TOP / "Makefile").read_text().replace("\\\n", " ")
    return re.search(rf"^{name} :?= *(.*)$", text, re.M).group(1).split()


def field(name, text):
    found = re.search(rf"^{name}: *(.*(?:\n[ \t].*)*)", text, re.M).group(1)
    return {re.sub(r"\s*\(.*\)", "", word.strip()) for word in found.split(",")}


def test_package_is_built_with_what_the_tree_is():
    control = (DEBIAN / "control").read_text()
    # build-essential has the rest.
    assert field("Build-Depends", control) - {"debhelper-compat", "dh-sequence-installsysusers"} == \
        set(variable("BUILD_PACKAGES")) - {"gcc", "make", "libc6-dev"}
    assert {"build-essential", "debhelper", "lintian"} <= set(variable("DEB_PACKAGES"))


def test_changelog_has_this_version():
    version = re.search('HERD_VERSION "(.*)"', (TOP / "include" / "herd" / "version.h").read_text()).group(1)
    newest = (DEBIAN / "changelog").read_text().splitlines()[0]
    assert newest.startswith(f"herd ({version}) unstable; urgency=")


def test_scripts_of_the_package_are_shell():
    for script in ("postinst", "prerm", "postrm"):
        path = DEBIAN / f"herd.{script}"
        assert path.read_text().count("#DEBHELPER#") == 1
        assert subprocess.run(["sh", "-n", str(path)]).returncode == 0
        if shutil.which("shellcheck"):
            done = subprocess.run(["shellcheck", str(path)], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout
    assert os.access(DEBIAN / "rules", os.X_OK)


def test_containerfile_goes_through_the_package():
    lines = [line for line in (DIST / "Containerfile").read_text().splitlines() if line and not line.startswith("#")]
    words = [line.split()[0] for line in lines]
    assert set(words) <= {"FROM", "RUN", "COPY", "WORKDIR", "USER", "ENTRYPOINT"}
    assert words.count("FROM") == 2 and words[-2:] == ["USER", "ENTRYPOINT"]
    made = {target for line in lines for target in re.findall(r"^RUN make (\S+)$", line)}
    makefile = (TOP / "Makefile").read_text()
    assert made == {"deps-deb", "deb"}
    assert all(re.search(rf"^{target}:", makefile, re.M) for target in made)
    # What was built here, and for another system, is not copied.
    assert "/build" in (TOP / ".containerignore").read_text().split()


def test_dist_is_the_same_bytes_each_time(tmp_path):
    if shutil.which("git") is None or subprocess.run(["git", "rev-parse", "HEAD"], cwd=TOP,
                                                     capture_output=True).returncode != 0:
        pytest.skip("dist packs a commit, and this tree is none")
    packed = []
    for number, mask in enumerate((0o022, 0o077)):
        clone = tmp_path / f"clone{number}"
        for command in (["git", "clone", "-q", "--no-hardlinks", str(TOP), str(clone)],
                        ["make", "-s", "-C", str(clone), "dist"]):
            done = subprocess.run(command, umask=mask, capture_output=True, text=True,
                                  env={**os.environ, "TZ": f"UTC{number}"})
            assert done.returncode == 0, done
        archive, = (clone / "build").glob("herd-*.tar.gz")
        packed.append(archive.read_bytes())
    assert packed[0] == packed[1]
    assert b"server/dist/debian/control" in gzip.decompress(packed[0])
