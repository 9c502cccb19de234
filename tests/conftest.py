"""What every test may ask for: a database of each kind, with and without its tables, and a Valkey server.

The databases of a test process are shared by all its tests, so each test makes accounts of its own.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import current
from portal.app import create_app
from portal.config import Settings
from portal.models import base, schema
from portal.models.account import Account, ApiKey
from tests import houses, routes, servers, templates
from tests.given import Given
from tests.sandbox import LINK_KEYS, SECRET_KEY
from tests.sandbox import ear as ear
from tests.sandbox import sandbox as sandbox
from tests.sandbox import sandbox_process as sandbox_process
from tests.together import pytest_collection_modifyitems as pytest_collection_modifyitems


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.register_profile("patient", deadline=None)  # the machine may be busy
    hypothesis.settings.load_profile("patient")
    routes.build_late()
    templates.compile_once()
    if not hasattr(config, "workerinput"):  # the process that starts the others, or the only one
        servers.open_folder()


def pytest_collection_finish() -> None:
    """What is there by now stays: looking for garbage in it took half a second, again and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        servers.close_folder()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Makes a test run twice. pytest sorts by it, so a test process changes database once, not for each test."""
    return request.param


@pytest.fixture(scope="session")
def database_url(database_kind: str) -> str:
    """The database that all tests of this process share."""
    return _shared_database(database_kind)


@pytest.fixture(scope="session")
def migrated(database_url: str) -> str:
    """The shared database with its tables, bound to the models."""
    base.connect(database_url)
    schema.migrate()
    return database_url


@pytest.fixture
def empty_database_url(database_kind: str) -> str:
    """A database that no other test has seen, without tables; nothing is bound to it."""
    return servers.new_database(database_kind)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with servers.valkey() as url:
        yield url


@dataclass
class Clock:
    """The moment that every request of a test happens at."""

    now: datetime = field(default=datetime(2026, 11, 23, 12, 0, tzinfo=UTC))

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(migrated: str, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=migrated,
        link_keys=LINK_KEYS,
        secret_key=SECRET_KEY,
        api_rate="0",
        log_level="error",
    )


@pytest.fixture
def app(settings: Settings, clock: Clock) -> Iterator[Flask]:
    app = houses.moved_into(settings, clock)
    base.db.connect(reuse_if_open=True)  # for the test's own reading and writing
    yield app
    if not base.db.is_closed():
        base.db.close()


@pytest.fixture
def own_app(settings: Settings, clock: Clock, app: Flask) -> Flask:
    """Another with the same settings, for a test that changes it."""
    own = create_app(settings, clock)
    base.db.connect(reuse_if_open=True)
    return own


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def kid(app: Flask) -> str:
    with app.app_context():
        return current.keyring().active


@pytest.fixture
def acme(app: Flask, clock: Clock) -> Account:
    """The company whose customers and invoices a test is about."""
    return Account.open("Acme", clock.now, mode="test", by="test", support_email="help@acme.example")


@pytest.fixture
def bolt(app: Flask, clock: Clock) -> Account:
    """Another company, which has no business seeing Acme's things."""
    return Account.open("Bolt", clock.now, mode="test", by="test", support_email="help@bolt.example")


@pytest.fixture
def acme_key(acme: Account, clock: Clock) -> str:
    return ApiKey.mint(acme, clock.now, by="test")[1]


@pytest.fixture
def bolt_key(bolt: Account, clock: Clock) -> str:
    return ApiKey.mint(bolt, clock.now, by="test")[1]


@pytest.fixture
def given(app: Flask, clock: Clock, kid: str) -> Given:
    """Makes what a test starts from: `given.customer(acme)`, `given.invoice(customer)`, `given.link(row)`."""
    with app.app_context():
        return Given(lambda: clock.now, kid, current.keyring())


@functools.cache
def _shared_database(kind: str) -> str:
    return servers.new_database(kind)
