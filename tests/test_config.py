"""Settings come from the environment; secrets are made once, and nobody reads half of one."""

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
from pathlib import Path

import pytest

from portal import config
from portal.config import (
    ApiRate,
    Settings,
    SettingsError,
    change_keyring,
    described,
    ensure_secrets,
    read_settings,
    ring_stamp,
    write_keyring,
)
from portal.tokens import Key, Keyring, new_secret

ROOT = Path(__file__).parent.parent
LONG = "0123456789abcdef" * 4
ELSEWHERE = "postgresql://portal:hush@db.internal/portal"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("PORTAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def settings(tmp_path):
    return read_settings(data_dir=tmp_path / "here")


# The environment


def test_nothing_has_to_be_set(tmp_path):
    settings = read_settings()

    assert settings.data_dir == tmp_path / "data"
    assert settings.database_url == f"sqlite:///{tmp_path}/data/portal.db"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert (settings.gateway, settings.trusted_proxies, settings.api_rate) == ("none", 0, (100, 1000))
    assert settings.embedded
    assert settings.loopback
    assert settings.keyring_file == tmp_path / "data" / "link-keys"
    assert not (tmp_path / "data").exists()


def test_each_setting_is_read_from_its_variable(monkeypatch, tmp_path):
    given = {
        "DATA_DIR": str(tmp_path / "there"),
        "DATABASE_URL": ELSEWHERE,
        "BASE_URL": "https://Pay.Example.com/",
        "LINK_KEYS": "ring",
        "SECRET_KEY": LONG,
        "REDIS_URL": "redis://cache:6379/0",
        "SMTP_URL": "smtps://me:hush@mail:465",
        "GATEWAY": "Sandbox",
        "SANDBOX_URL": "http://127.0.0.1:8123",
        "STRIPE_SECRET_KEY": "sk_test_hush",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_seen",
        "STRIPE_WEBHOOK_SECRETS": "whsec_new, whsec_old",
        "STRIPE_API_URL": "http://127.0.0.1:8420/",
        "TRUSTED_PROXIES": "2",
        "API_RATE": "5/50",
        "NOTICE_ALLOW": "10.0.0.0/8, fd00::/8",
        "EVENT_GRACE_HOURS": "48",
        "LOG_LEVEL": "WARNING",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"PORTAL_{name}", value)

    settings = read_settings()

    assert {f"PORTAL_{name}" for name in given} == {row.variable for row in described()}
    assert settings.data_dir == tmp_path / "there"
    assert settings.database_url == ELSEWHERE
    assert settings.base_url == "https://pay.example.com"
    assert settings.link_keys.get_secret_value() == "ring"
    assert settings.stripe_secret_key.get_secret_value() == "sk_test_hush"
    assert [one.get_secret_value() for one in settings.stripe_webhook_secrets] == ["whsec_new", "whsec_old"]
    assert settings.stripe_api_url == "http://127.0.0.1:8420"
    assert settings.secret_key.get_secret_value() == LONG
    assert settings.redis_url == "redis://cache:6379/0"
    assert settings.smtp_url == "smtps://me:hush@mail:465"
    assert (settings.gateway, settings.log_level, settings.trusted_proxies) == ("sandbox", "warning", 2)
    assert settings.api_rate == ApiRate(5, 50)
    assert settings.event_grace_hours == 48
    assert [str(network) for network in settings.notice_allow] == ["10.0.0.0/8", "fd00::/8"]
    assert not settings.embedded
    assert not settings.loopback
    assert settings.keyring_file is None


def test_an_empty_variable_is_not_set(monkeypatch):
    monkeypatch.setenv("PORTAL_LINK_KEYS", "")
    monkeypatch.setenv("PORTAL_GATEWAY", "")

    assert read_settings() == Settings()
    assert read_settings().link_keys is None


def test_settings_cannot_be_changed_afterwards(settings):
    with pytest.raises(ValueError, match="frozen"):
        settings.gateway = "stripe"


def test_printing_settings_or_secrets_shows_no_secret(tmp_path):
    settings = read_settings(
        database_url=ELSEWHERE,
        redis_url="redis://:hush@cache",
        smtp_url="smtp://me:hush@mail",
        stripe_secret_key="sk_live_hush",
        stripe_webhook_secrets="whsec_hush",
        link_keys=f"k1:{LONG}:active",
        secret_key=LONG,
    )

    for shown in (repr(settings), str(settings), repr(ensure_secrets(settings))):
        assert "hush" not in shown
        assert LONG not in shown


@pytest.mark.parametrize("row", described(), ids=lambda row: row.variable)
def test_every_setting_is_described(row):
    assert row.variable.startswith("PORTAL_")
    assert row.default
    assert row.unit
    assert row.description.endswith(".")


@pytest.mark.parametrize(
    ("given", "rate"), [("0", (0, 0)), ("0/5", (0, 0)), ("7", (7, 70)), ("100/1000", (100, 1000)), (" 3/3 ", (3, 3))]
)
def test_the_rate_is_requests_a_second_and_a_burst(monkeypatch, given, rate):
    monkeypatch.setenv("PORTAL_API_RATE", given)

    assert read_settings().api_rate == rate


REFUSED = [
    ("DATABASE_URL", "mysql://x/y", "sqlite:///FILE or postgresql://"),
    ("DATABASE_URL", "sqlite:///:memory:", "sqlite:///FILE or postgresql://"),
    ("DATABASE_URL", "sqlite:///", "sqlite:///FILE or postgresql://"),
    ("DATABASE_URL", "sqlite:///a.db?mode=ro", "sqlite:///FILE or postgresql://"),
    ("BASE_URL", "pay.example.com", "an address without a path"),
    ("BASE_URL", "ftp://pay.example.com", "an address without a path"),
    ("BASE_URL", "https://pay.example.com/portal", "an address without a path"),
    ("BASE_URL", "https://pay.example.com/?a", "an address without a path"),
    ("BASE_URL", "https://me@pay.example.com", "an address without a path"),
    ("BASE_URL", "https://pay.example.com:99999", "an address without a path"),
    ("BASE_URL", "https://", "an address without a path"),
    ("BASE_URL", "http://pay.example.com", "must begin with https://"),
    ("BASE_URL", "http://127.0.0.1.example.com", "must begin with https://"),
    ("BASE_URL", "http://192.168.1.5:8000", "must begin with https://"),
    ("SECRET_KEY", "short", "at least 32 random characters"),
    ("SECRET_KEY", "changeme" * 8, "at least 32 random characters"),
    ("REDIS_URL", "cache:6379", "must begin with redis://"),
    ("SMTP_URL", "mail", "must be smtp://HOST:PORT"),
    ("SMTP_URL", "smtp://:25", "must be smtp://HOST:PORT"),
    ("GATEWAY", "paypal", "must be 'none', 'sandbox' or 'stripe'"),
    ("STRIPE_SECRET_KEY", "pk_test_hush", "begin with sk_ or rk_"),
    ("STRIPE_PUBLISHABLE_KEY", "sk_test_hush", "begin with pk_"),
    ("STRIPE_WEBHOOK_SECRETS", "whsec_good, we_1234", "begin with whsec_"),
    ("STRIPE_API_URL", "http://stripe.example.com", "an http:// address of this machine"),
    ("STRIPE_API_URL", "https://127.0.0.1", "an http:// address of this machine"),
    ("STRIPE_API_URL", "http://127.0.0.1/v1", "an http:// address of this machine"),
    ("TRUSTED_PROXIES", "-1", "must be 0 or more"),
    ("TRUSTED_PROXIES", "11", "must be 10 or less"),
    ("TRUSTED_PROXIES", "one", "must be a whole number"),
    ("API_RATE", "fast", "requests a second and the burst"),
    ("API_RATE", "100/10", "requests a second and the burst"),
    ("API_RATE", "-1", "requests a second and the burst"),
    ("NOTICE_ALLOW", "10.0.0.1/8", "must be networks"),
    ("NOTICE_ALLOW", "localhost", "must be networks"),
    ("LOG_LEVEL", "loud", "must be 'debug', 'info', 'warning' or 'error'"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), REFUSED)
def test_a_setting_that_cannot_be_used_is_refused_in_a_sentence(monkeypatch, name, value, sentence):
    monkeypatch.setenv(f"PORTAL_{name}", value)

    with pytest.raises(SettingsError) as refused:
        read_settings()

    assert str(refused.value).startswith(f"PORTAL_{name} must ")
    assert sentence in str(refused.value)
    assert str(refused.value).endswith(".")


def test_all_that_is_wrong_is_said_at_once(monkeypatch):
    monkeypatch.setenv("PORTAL_GATEWAY", "paypal")
    monkeypatch.setenv("PORTAL_SECRET_KEY", "hush")

    with pytest.raises(SettingsError) as refused:
        read_settings()

    assert len(str(refused.value).splitlines()) == 2
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({}, "live"),
        ({"gateway": "sandbox"}, "test"),
        ({"gateway": "stripe", "stripe_secret_key": "sk_test_1"}, "test"),
        ({"gateway": "stripe", "stripe_secret_key": "rk_live_1"}, "live"),
        ({"gateway": "stripe"}, "live"),
        ({"gateway": "none", "stripe_secret_key": "sk_test_1"}, "live"),
    ],
)
def test_new_accounts_are_in_test_mode_where_no_real_money_could_move(given, mode):
    assert read_settings(**given).new_mode == mode


# Where the portal is


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8000", "http://localhost:9", "http://pay.localhost", "http://[::1]:8000", "http://127.8.9.1"],
)
def test_http_is_for_this_machine(address):
    assert read_settings(base_url=address).loopback


def test_https_is_for_others():
    assert not read_settings(base_url="https://localhost").loopback


def test_links_follow_the_port_until_an_address_is_set():
    assert read_settings().on_port(8123).base_url == "http://127.0.0.1:8123"
    assert read_settings(base_url="https://pay.example.com").on_port(8123).base_url == "https://pay.example.com"


def test_a_database_file_in_the_data_directory_is_embedded(tmp_path):
    inside = read_settings(data_dir=tmp_path / "d", database_url=f"sqlite:///{tmp_path}/d/other.db")
    outside = read_settings(data_dir=tmp_path / "d", database_url=f"sqlite:///{tmp_path}/d/../e.db")
    relative = read_settings(data_dir=tmp_path / "d", database_url="sqlite:///d/x.db")

    assert (inside.embedded, outside.embedded, relative.embedded) == (True, False, True)
    assert relative.sqlite_path == tmp_path / "d/x.db"
    assert read_settings(database_url=ELSEWHERE).sqlite_path is None


# Secrets


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

    for settings in (set_by_hand, other_database):
        with pytest.raises(SettingsError, match="set PORTAL_LINK_KEYS to the new ones"):
            write_keyring(settings, "other")
        assert settings.keyring_file is None
    assert list(tmp_path.iterdir()) == []


def test_the_stamp_of_a_ring_that_is_not_made_yet_is_none(settings):
    assert ring_stamp(settings.keyring_file) is None


# Many at once


STARTER = """
import json, secrets, sys, time
from portal.config import ensure_secrets, read_settings
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
from portal.config import ensure_secrets, read_settings
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
from portal.config import change_keyring, read_settings
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
    assert (config.LINK_KEYS_FILE, config.SECRET_KEY_FILE) == ("link-keys", "secret-key")


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
