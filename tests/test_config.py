"""Settings come from the environment; what cannot be used is refused in a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from portal.config import (
    ApiRate,
    Settings,
    SettingsError,
    described,
    read_settings,
)
from portal.secret_store import ensure_secrets

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


def test_pages_made_while_one_key_moved_test_money_are_not_those_of_a_live_key():
    def made_by(key):
        return read_settings(gateway="stripe", stripe_secret_key=key).money_mover

    assert made_by("sk_test_1") == made_by("rk_test_2") != made_by("sk_live_1")
    assert {read_settings(gateway=name).money_mover for name in ("none", "sandbox")} == {"none", "sandbox"}
