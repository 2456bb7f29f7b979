# SPDX-License-Identifier: GPL-3.0-or-later
"""herdctl user and phone url: the users file that phones are let in by, and
what to type into their apps."""
import base64
import fcntl
import hashlib
import json
import os
import threading

import pytest

PASSWORD = "correct horse battery"
DEVICE_KEY = "00112233445566778899aabbccddeeff"
APPS = ["owntracks", "traccar", "osmand", "gpslogger", "overland"]
HERD_FILE = """herd: lab
nodes:
  Riley: {{clients: "127.0.0.1:12001", http: "{http}"}}
  Jaquez: {{clients: "127.0.0.1:12011"}}
{settings}"""


@pytest.fixture
def users(lone_ctl, tmp_path):
    """herdctl with a herd file that names the users file tmp_path/users."""
    lone_ctl.conf = tmp_path / "herd.yaml"
    write_herd(lone_ctl)
    return lone_ctl


def write_herd(ctl, http="127.0.0.1:12003", settings="http: {users_file: users}\n"):
    ctl.conf.write_text(HERD_FILE.format(http=http, settings=settings))


def add(ctl, name, password=PASSWORD, *more):
    result = ctl("user", "add", name, "--password-file", "-", *more, stdin=password + "\n")
    assert result.returncode == 0, result.stderr
    return result


def add_key(ctl, name):
    result = ctl("user", "add", name, "--key")
    assert result.returncode == 0, result.stderr
    return result.stdout.split()[-1]


def rows(ctl):
    result = ctl("user", "ls", "--json")
    assert result.returncode == 0, result.stderr
    return {row["name"]: row for row in json.loads(result.stdout)["users"]}


def refused(result, status, *parts):
    assert result.returncode == status, result.stderr
    for part in parts:
        assert part in result.stderr
    assert result.stdout == ""


# --- the users file -----------------------------------------------------------------


def test_a_user_has_a_hash_and_a_device_the_digest_of_its_key(users, tmp_path):
    assert add(users, "jane").stdout == "jane: a new user\n"
    key = add_key(users, "jane/phone")
    assert len(bytes.fromhex(key)) == 16
    path = tmp_path / "users"
    first, second = path.read_text().splitlines()
    assert first.startswith("jane:$y$") and PASSWORD not in first
    assert second == "jane/phone:key:" + hashlib.sha256(key.encode()).hexdigest()
    assert path.stat().st_mode & 0o7777 == 0o600
    found = rows(users)
    assert {name: row["login"] for name, row in found.items()} == {
        "jane": "password", "jane/phone": "key"}
    assert (found["jane/phone"]["user"], found["jane/phone"]["device"]) == ("jane", "phone")


def test_a_change_keeps_the_place_the_comments_the_mode_and_the_devices(users, tmp_path):
    path = tmp_path / "users"
    path.write_text("# the family\njane:$y$old:phone,car\n\njohn:$y$old\njane/car:key:" + "0" * 64)
    path.chmod(0o400)
    assert "in place of the old one" in add(users, "jane").stdout
    key = add_key(users, "jane/car")
    add(users, "zoë", PASSWORD, "--devices", "watch")
    lines = path.read_text().splitlines()
    assert lines[0] == "# the family" and lines[2:4] == ["", "john:$y$old"]
    assert lines[1].startswith("jane:$y$j") and lines[1].endswith(":phone,car")
    assert lines[4] == "jane/car:key:" + hashlib.sha256(key.encode()).hexdigest()
    assert lines[5].startswith("zoë:$y$") and lines[5].endswith(":watch")
    assert path.stat().st_mode & 0o7777 == 0o400
    add(users, "jane", PASSWORD, "--devices", "")
    assert rows(users)["jane"]["devices"] is None
    assert sorted(os.listdir(tmp_path)) == ["herd.yaml", "home", "users"]


def test_a_link_stays_a_link(users, tmp_path):
    (tmp_path / "real").write_text("")
    (tmp_path / "real").chmod(0o600)
    (tmp_path / "users").symlink_to("real")
    add(users, "jane")
    assert (tmp_path / "users").is_symlink()
    assert "jane:" in (tmp_path / "real").read_text()


def test_rm_takes_a_user_with_all_devices_or_one_device(users, tmp_path):
    add(users, "jane")
    add(users, "jane-2")
    for name in ("jane/phone", "jane/car", "john/phone"):
        add_key(users, name)
    assert users("user", "rm", "jane/car", "-y").stdout == "jane/car: removed, 1 line\n"
    assert sorted(rows(users)) == ["jane", "jane-2", "jane/phone", "john/phone"]
    assert users("user", "rm", "jane", "-y").stdout == "jane: removed, 2 lines\n"
    assert sorted(rows(users)) == ["jane-2", "john/phone"]
    refused(users("user", "rm", "jane", "-y"), 1, "has no `jane'")
    refused(users("user", "rm", "john"), 2, "--yes")
    refused(users("--read-only", "user", "rm", "john", "-y"), 2, "read-only")
    assert sorted(rows(users)) == ["jane-2", "john/phone"]


@pytest.mark.parametrize("words, part", [
    (("jane:x",), "is not USER"), (("",), "is not USER"), (("a/b/c", "--key"), "is not USER"),
    (("/phone", "--key"), "is not USER"), (("ja ne",), "is not USER"), (("#jane",), "is not USER"),
    (("ja\x1bne",), "is not USER"), (("x" * 65,), "is not USER"),
    (("jane/phone",), "give --key"), (("jane", "--key"), "jane/DEVICE"),
    (("jane/phone", "--key", "--devices", "x"), "for users"),
    (("jane",), "no terminal"),
    (("jane", "--password-file", "-"), "1 to 256 bytes"),
])
def test_add_refuses_what_it_cannot_do(users, tmp_path, words, part):
    refused(users("user", "add", *words), 2, part)
    assert not (tmp_path / "users").exists()


def test_add_writes_no_file_that_a_node_would_refuse(users, tmp_path):
    for number in range(32):
        add_key(users, f"jane/d{number}")
    before = (tmp_path / "users").read_bytes()
    refused(users("user", "add", "jane/one-more", "--key"), 8, "at most 32 devices")
    refused(users("user", "add", "john", "--password-file", "-", "--devices", "a,,b",
                  stdin="x\n"), 8, "stays as it is", "line 33")
    assert (tmp_path / "users").read_bytes() == before


def test_a_bad_file_is_named_with_its_line_and_left_alone(users, tmp_path):
    path = tmp_path / "users"
    path.write_text("jane:$y$x\njohn:Secret\n")
    path.chmod(0o600)
    for result in (users("user", "ls"), users("user", "add", "zoe/phone", "--key"),
                   users("user", "rm", "jane", "-y")):
        refused(result, 8, "line 2")
        assert "Secret" not in result.stderr
    path.chmod(0o644)
    refused(users("user", "ls"), 8, "chmod 600")
    path.unlink()
    refused(users("user", "ls"), 8, "No such file")


def test_a_password_file_is_private(users, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o644)
    refused(users("user", "add", "jane", "--password-file", secret), 8, "chmod 600")
    secret.chmod(0o600)
    assert users("user", "add", "jane", "--password-file", secret).returncode == 0
    secret.write_text("x" * 257)
    refused(users("user", "add", "jane", "--password-file", secret), 2, "1 to 256 bytes")


def test_the_file_is_the_herds_or_the_one_that_is_named(users, tmp_path):
    other = tmp_path / "other"
    add(users, "jane", PASSWORD, "--users-file", other)
    assert other.read_text().startswith("jane:")
    assert not (tmp_path / "users").exists()
    write_herd(users, settings="http: {users_file: users-%n}\n")
    add(users, "jane", PASSWORD, "-n", "Jaquez")
    assert (tmp_path / "users-Jaquez").exists()
    write_herd(users, settings='http: {users_file: "credential:users"}\n')
    refused(users("user", "ls"), 8, "LoadCredential")
    write_herd(users, settings="")
    users.conf.write_text(users.conf.read_text().replace(', http: "127.0.0.1:12003"', ""))
    refused(users("user", "ls"), 8, "--users-file")


def test_changes_at_the_same_time_wait_for_each_other(users, tmp_path):
    names = [f"u{number}/phone" for number in range(24)]
    threads = [threading.Thread(target=add_key, args=(users, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(rows(users)) == sorted(names)


def test_a_lock_that_stays_is_named_in_time(users, tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        result = users("--timeout", "100ms", "user", "add", "jane/phone", "--key")
        refused(result, 4, "another herdctl")
    finally:
        os.close(folder)


# --- on the terminal ----------------------------------------------------------------


def on_terminal(terminal, users, *words):
    shown = terminal("user", "add", *words, env={"HERD_CONF": users.conf})
    shown.expect("Password of jane: ")
    return shown


def test_a_password_is_asked_for_twice_and_never_shown(terminal, users):
    shown = on_terminal(terminal, users, "jane")
    shown.line(PASSWORD)
    shown.expect("Again, for jane: ")
    shown.line(PASSWORD)
    shown.expect("jane: a new user")
    shown.expect("config reload")
    assert shown.end() == 0
    assert PASSWORD not in shown.seen
    assert rows(users)["jane"]["login"] == "password"


def test_two_passwords_that_differ_change_nothing(terminal, users, tmp_path):
    shown = on_terminal(terminal, users, "jane")
    shown.line(PASSWORD)
    shown.expect("Again, for jane: ")
    shown.line(PASSWORD + "!")
    shown.expect("not the same")
    assert shown.end() == 2
    assert not (tmp_path / "users").exists()


def test_a_session_asks_too_and_remembers_nothing(terminal, users):
    shown = terminal(env={"HERD_CONF": users.conf})
    shown.expect("> ")
    for interrupted in (True, False):
        shown.line("user add jane")
        shown.expect("Password of jane: ")
        if interrupted:
            shown.send("half\x03")
            shown.expect("> ")
            continue
        shown.line(PASSWORD)
        shown.expect("Again, for jane: ")
        shown.line(PASSWORD)
        shown.expect("jane: a new user")
    shown.expect("> ")
    shown.line("exit")
    assert shown.end() == 0
    assert PASSWORD not in shown.seen and "half" not in shown.seen
    history = list((users.home / ".local/state").rglob("history"))
    assert history and PASSWORD not in history[0].read_text()


def test_ctrl_c_leaves_the_terminal_as_it_was(terminal, users, tmp_path):
    shown = on_terminal(terminal, users, "jane")
    hidden = shown.modes()
    shown.send("half\x03")
    assert shown.end() in (130, -2)
    assert not hidden[3] & 0o10, "ECHO is on while a password is typed"
    assert not (tmp_path / "users").exists()


# --- what to type -------------------------------------------------------------------


def fields(ctl, app, *more, name="jane/phone", stdin=None):
    result = ctl("phone", "url", name, "--app", app, *more, stdin=stdin)
    assert result.returncode == 0, result.stderr
    return {line[:18].strip(): line[19:] for line in result.stdout.splitlines()}


def configuration(found):
    link = found["or open this link"]
    assert link.startswith("owntracks:///config?inline=")
    return json.loads(base64.b64decode(link.split("=", 1)[1]))


def test_owntracks_gets_its_fields_and_a_link_with_them(users):
    found = fields(users, "owntracks", "--host", "phones.example.org", "--secret-file", "-",
                   name="zoë/my-phoné", stdin=PASSWORD + "\n")
    assert found["URL"] == "https://phones.example.org/owntracks"
    assert (found["Username"], found["Password"]) == ("zoë", PASSWORD)
    assert (found["Device ID"], found["Tracker ID"]) == ("my-phoné", "né")
    assert configuration(found) == {
        "_type": "configuration", "mode": 3, "url": "https://phones.example.org/owntracks",
        "auth": True, "username": "zoë", "password": PASSWORD, "deviceId": "my-phoné", "tid": "né"}
    assert "password" not in configuration(fields(users, "owntracks", "--host", "x"))


def test_other_apps_get_the_key_in_its_place(users):
    for app in APPS[1:]:
        found = fields(users, app, "--host", "phones.example.org:8443/", "--secret-file", "-",
                       stdin=DEVICE_KEY + "\n")
        text = " ".join(found.values())
        assert DEVICE_KEY in text and "https://phones.example.org:8443/" in text
        assert "8443//" not in text
        assert DEVICE_KEY not in " ".join(fields(users, app, "--host", "x").values())
    assert found["or open this link"] == (
        "overland://setup?url=https%3A%2F%2Fphones.example.org%3A8443%2Foverland"
        f"&token={DEVICE_KEY}&device_id=phone")


def test_the_address_is_the_nodes_own(users, tmp_path):
    assert fields(users, "traccar")["Server URL"] == "http://127.0.0.1:12003/"
    assert "loopback" in users("phone", "url", "jane/phone", "--app", "traccar").stderr
    tls = "http: {users_file: users, tls_cert: c, tls_key: k}\n"
    write_herd(users, "phones.example.org:443", tls)
    assert fields(users, "traccar")["Server URL"] == "https://phones.example.org:443/"
    write_herd(users, "[2001:db8::1]:443", tls)
    assert fields(users, "traccar")["Server URL"] == "https://[2001:db8::1]:443/"
    write_herd(users, "0.0.0.0:443", tls)
    refused(users("phone", "url", "jane/phone", "--app", "traccar"), 2, "--host")
    refused(users("phone", "url", "jane/phone", "--app", "traccar", "-n", "Jaquez"), 8,
            "Jaquez has no listener")
    assert fields(users, "traccar", "--host", "http://10.0.0.1:8000")["Server URL"] == "http://10.0.0.1:8000/"


@pytest.mark.parametrize("words, part", [
    (("jane/phone",), "--app: give one of"), (("jane/phone", "--app", "x"), "owntracks traccar"),
    (("jane", "--app", "traccar"), "is not USER/DEVICE"),
    (("jane/a b", "--app", "traccar"), "is not USER/DEVICE"),
])
def test_phone_url_says_what_it_needs(users, words, part):
    refused(users("phone", "url", *words), 2, part)


def test_names_and_apps_are_completed(users):
    add_key(users, "jane/phone")
    add(users, "john")
    assert users("__complete", "user", "rm", "j").stdout.split() == ["jane/phone", "john"]
    assert users("__complete", "phone", "url", "jane/phone", "--app", "").stdout.split() == sorted(APPS)
