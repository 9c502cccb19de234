"""What signs is made once, is kept for its owner alone, and nobody reads half of it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.config import LINK_KEYS_FILE, SettingsError, read_settings
from portal.secret_store import SECRET_KEY_FILE, change_keyring, ensure_secrets, ring_stamp, write_keyring
from portal.tokens import Key, Keyring, new_secret
from tests.test_config import ELSEWHERE, LONG, ROOT
from tests.test_config import _empty_environment as _empty_environment
from tests.test_config import settings as settings


def test_secrets_are_made_once_and_then_kept(settings):
    first = ensure_secrets(settings)

    assert ensure_secrets(settings) == first
    assert len(first.secret_key) >= 32
    assert read_settings(secret_key=first.secret_key).secret_key is not None


def test_the_ring_that_is_made_is_one_that_signs(settings):
    ring = Keyring.parse(ensure_secrets(settings).keyring_text)

    assert ring.unseal("invoice", ring.seal("invoice", bytes(16), 0, ring.active)).token_id == bytes(16)
    assert list(ring.states.values()) == ["active"]


def test_two_installations_have_nothing_in_common(tmp_path):
    one, two = (ensure_secrets(read_settings(data_dir=tmp_path / name)) for name in "ab")

    assert one.keyring_text != two.keyring_text
    assert one.secret_key != two.secret_key


def test_secrets_that_are_set_are_used_and_nothing_is_written(settings):
    given = read_settings(data_dir=settings.data_dir, link_keys="ring", secret_key=LONG)

    assert ensure_secrets(given) == ("ring", LONG)
    assert not settings.data_dir.exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_may_read_the_files(settings, umask):
    before = os.umask(umask)
    try:
        ring = Keyring.parse(ensure_secrets(settings).keyring_text)
        write_keyring(settings, ring.renewed(Key("zz", new_secret())).dump())
    finally:
        os.umask(before)

    assert files_of(settings) == ["link-keys", "secret-key"]
    assert {mode_of(settings.data_dir / name) for name in files_of(settings)} == {0o600}
    assert mode_of(settings.data_dir) & 0o077 == 0


@pytest.mark.parametrize(
    ("given", "missing", "present"),
    [
        ({}, ["PORTAL_LINK_KEYS (`portal keys new`", "PORTAL_SECRET_KEY (`openssl rand -hex 32`"], []),
        ({"secret_key": LONG}, ["PORTAL_LINK_KEYS"], ["PORTAL_SECRET_KEY"]),
        ({"link_keys": "ring"}, ["PORTAL_SECRET_KEY"], ["PORTAL_LINK_KEYS"]),
    ],
)
@pytest.mark.parametrize("database", [ELSEWHERE, "sqlite:////srv/elsewhere.db"])
def test_with_another_database_missing_secrets_are_asked_for(tmp_path, database, given, missing, present):
    settings = read_settings(data_dir=tmp_path / "here", database_url=database, **given)

    with pytest.raises(SettingsError) as refused:
        ensure_secrets(settings)

    assert all(text in str(refused.value) for text in missing)
    assert not any(text in str(refused.value) for text in present)
    assert not settings.data_dir.exists()


def test_with_another_database_secrets_that_are_set_are_enough(tmp_path):
    settings = read_settings(data_dir=tmp_path / "here", database_url=ELSEWHERE, link_keys="ring", secret_key=LONG)

    assert ensure_secrets(settings) == ("ring", LONG)


@pytest.mark.parametrize("name", ["link-keys", "secret-key"])
def test_an_emptied_file_is_never_replaced_in_silence(settings, name):
    ensure_secrets(settings)
    (settings.data_dir / name).write_text("\n")

    with pytest.raises(SettingsError, match=f"{name} is empty: restore it from a backup"):
        ensure_secrets(settings)


def test_a_file_that_we_did_not_write_is_refused(settings):
    ensure_secrets(settings)
    (settings.data_dir / "link-keys").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="does not hold what the portal wrote"):
        ensure_secrets(settings)


def test_a_data_directory_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match="set PORTAL_DATA_DIR to a directory that this user may write"):
        ensure_secrets(read_settings(data_dir=tmp_path / "file" / "data"))


def test_a_failed_start_leaves_nothing_behind(settings, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(SettingsError, match="No space left on device"):
        ensure_secrets(settings)

    assert files_of(settings) == []


def test_another_ring_takes_the_place_of_the_first(settings):
    ring = Keyring.parse(ensure_secrets(settings).keyring_text)
    before = ring_stamp(settings.keyring_file)

    write_keyring(settings, ring.renewed(Key("zz", new_secret())).dump())

    assert Keyring.parse(ensure_secrets(settings).keyring_text).active == "zz"
    assert before != ring_stamp(settings.keyring_file) == ring_stamp(settings.keyring_file)


def test_a_ring_that_is_kept_elsewhere_is_not_written(tmp_path):
    set_by_hand = read_settings(data_dir=tmp_path, link_keys="ring")
    other_database = read_settings(data_dir=tmp_path, database_url=ELSEWHERE)

    for one in (set_by_hand, other_database):
        with pytest.raises(SettingsError, match="set PORTAL_LINK_KEYS to the new ones"):
            write_keyring(one, "other")
        assert one.keyring_file is None
    assert list(tmp_path.iterdir()) == []


def test_the_stamp_of_a_ring_that_is_not_made_yet_is_none(settings):
    assert ring_stamp(settings.keyring_file) is None


# Many at once


STARTER = """
import json, secrets, sys, time
from portal.config import read_settings
from portal.secret_store import ensure_secrets
made = 0
draw = secrets.token_bytes
def counted(length):
    global made
    made += 1
    return draw(length)
secrets.token_bytes = counted
for line in sys.stdin:
    directory, moment = json.loads(line)
    made = 0
    time.sleep(max(0, moment - time.monotonic()))
    print(json.dumps([*ensure_secrets(read_settings(data_dir=directory)), made]), flush=True)
"""


def test_processes_that_start_at_once_agree_on_one_ring_and_one_secret(tmp_path):
    processes, rounds, raced = 8, 12, 0
    starters = [python(STARTER) for _ in range(processes)]

    for turn in range(rounds):
        directory = tmp_path / str(turn)
        order = json.dumps([str(directory), time.monotonic() + (1.5 if turn == 0 else 0.02)]) + "\n"
        for starter in starters:
            starter.stdin.write(order)
            starter.stdin.flush()
        answers = [json.loads(starter.stdout.readline()) for starter in starters]

        assert len({tuple(answer[:2]) for answer in answers}) == 1
        assert answers[0][:2] == [(directory / name).read_text().strip() for name in ("link-keys", "secret-key")]
        assert sorted(os.listdir(directory)) == ["link-keys", "secret-key"]
        assert {mode_of(directory / name) for name in os.listdir(directory)} == {0o600}
        raced += sum(answer[2] for answer in answers) > 1

    for starter in starters:
        assert starter.communicate(timeout=10)[1] == ""
    print(f"{raced} of {rounds} rounds of {processes} processes were races")
    assert raced, "nobody ever lost a race, so nothing was shown"


KILLED_BEFORE_PUBLISHING = """
import os, signal, sys
from portal.config import read_settings
from portal.secret_store import ensure_secrets
os.link = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
ensure_secrets(read_settings(data_dir=sys.argv[1]))
"""


def test_a_process_killed_while_writing_leaves_no_half_file(settings):
    victim = python(KILLED_BEFORE_PUBLISHING, str(settings.data_dir))
    victim.communicate(timeout=30)

    assert victim.returncode == -signal.SIGKILL
    assert not (settings.data_dir / "link-keys").exists()
    Keyring.parse(ensure_secrets(settings).keyring_text)


def test_whoever_reads_while_the_ring_is_written_reads_a_whole_one(settings):
    whole = {dump_of(count) for count in (1, 30)}
    ensure_secrets(settings)
    write_keyring(settings, min(whole, key=len))
    done = threading.Event()

    def read():
        seen = set()
        while not done.is_set():
            seen.add(ensure_secrets(settings).keyring_text)
        return seen

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        for turn in range(200):
            write_keyring(settings, sorted(whole, key=len)[turn % 2])
        done.set()

    assert set.union(*(reader.result() for reader in readers)) == whole


CHANGER = """
import sys
from portal.config import read_settings
from portal.secret_store import change_keyring
from portal.tokens import Key, Keyring, new_kid, new_secret
def add(text):
    ring = Keyring.parse(text)
    return ring.renewed(Key(new_kid(ring.states), new_secret())).dump()
for _ in range(10):
    change_keyring(read_settings(data_dir=sys.argv[1]), add)
"""


def test_keys_that_are_added_at_once_are_all_there(settings):
    changers = [python(CHANGER, str(settings.data_dir)) for _ in range(4)]
    for changer in changers:
        assert changer.communicate(timeout=60)[1] == ""

    ring = Keyring.parse(ensure_secrets(settings).keyring_text)

    assert len(ring.states) == 1 + 4 * 10
    assert files_of(settings) == ["link-keys", "secret-key"]


def test_a_change_that_is_refused_changes_nothing(settings):
    before = ensure_secrets(settings)

    with pytest.raises(ValueError, match="Exactly one"):
        change_keyring(settings, lambda text: Keyring.parse(text.replace("active", "verify")).dump())

    assert ensure_secrets(settings) == before


def test_the_names_of_the_files_are_the_documented_ones():
    assert (LINK_KEYS_FILE, SECRET_KEY_FILE) == ("link-keys", "secret-key")


def python(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def dump_of(count):
    ring = Keyring([Key("a0", new_secret())])
    for number in range(1, count):
        ring = ring.renewed(Key(f"{number:02}", new_secret()))
    return ring.dump()


def files_of(settings):
    return sorted(os.listdir(settings.data_dir))


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)
