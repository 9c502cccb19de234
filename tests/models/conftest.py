"""Models need a database and no app; `outside` is somebody with a driver of their own, who knows nothing of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from portal.models import base
from portal.tokens import Key, Keyring
from tests.given import Given

RING = Keyring([Key("k1", b"Behold the one test key of keys!")])


@pytest.fixture
def app(migrated: str) -> Iterator[None]:
    """Stands where other tests have the app: an open database is enough here."""
    base.db.connect(reuse_if_open=True)
    yield
    if not base.db.is_closed():
        base.db.close()


@pytest.fixture
def kid() -> str:
    return RING.active


@pytest.fixture
def given(app: None, clock: Any, kid: str) -> Given:
    return Given(lambda: clock.now, kid, RING)


@dataclass
class Outside:
    """A plain connection with the driver's own settings: in SQLite no foreign keys, no recursive triggers."""

    url: str

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite:")

    def run(self, *statements: tuple[str, tuple[Any, ...]] | str) -> None:
        """All the statements in one transaction, committed."""
        with self._connection() as connection:
            for statement in statements:
                sql, values = (statement, ()) if isinstance(statement, str) else statement
                connection.execute(self._sql(sql), values)
            connection.commit()

    def refused(self, *statements: tuple[str, tuple[Any, ...]] | str) -> str:
        """The sentence in which the database refuses one of the statements, or "" if it does them all."""
        try:
            self.run(*statements)
        except (sqlite3.IntegrityError, psycopg.IntegrityError) as refused:
            return str(refused).splitlines()[0]
        return ""

    def row(self, sql: str, *values: Any) -> dict[str, Any]:
        with self._connection() as connection:
            cursor = connection.execute(self._sql(sql), values)
            found = cursor.fetchone()
            return dict(zip([column[0] for column in cursor.description], found, strict=True)) if found else {}

    def inserting(self, table: str, row: dict[str, Any], how: str = "INSERT INTO") -> tuple[str, tuple[Any, ...]]:
        marks = ", ".join("?" for _ in row)
        return f"{how} {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())

    def upserting(
        self, table: str, row: dict[str, Any], *changing: str, key: str = "id"
    ) -> tuple[str, tuple[Any, ...]]:
        sql, values = self.inserting(table, row)
        sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in changing)
        return f"{sql} ON CONFLICT ({key}) DO UPDATE SET {sets}", values

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        if self.is_sqlite:
            opened = sqlite3.connect(self.url.removeprefix("sqlite://").replace("//", "/"))
        else:
            opened = psycopg.connect(self.url)
        with closing(opened) as connection:
            yield connection

    def _sql(self, sql: str) -> str:
        return sql if self.is_sqlite else sql.replace("?", "%s")


@pytest.fixture
def outside(migrated: str, app: None) -> Outside:
    return Outside(migrated)
