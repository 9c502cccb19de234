"""What every test may ask for: a database of each kind, with and without its tables, and a Valkey server.

The databases of a test process are shared by all its tests, so each test makes accounts of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest

from tests import servers


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the process that starts the others, or the only one
        servers.open_folder()


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
    from portal.models import base

    base.connect(database_url)
    base.migrate()
    return database_url


@pytest.fixture
def empty_database_url(database_kind: str) -> str:
    """A database that no other test has seen, without tables; nothing is bound to it."""
    return servers.new_database(database_kind)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with servers.valkey() as url:
        yield url


@functools.cache
def _shared_database(kind: str) -> str:
    return servers.new_database(kind)
