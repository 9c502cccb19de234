"""One database, one way to write ids, instants and documents into it."""

from __future__ import annotations

import hashlib
import json
import secrets
import string
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from peewee import (
    BigIntegerField,
    CharField,
    DatabaseProxy,
    Model,
    PostgresqlDatabase,
    SqliteDatabase,
    TextField,
)

from portal.models.pool import Pool

db: Any = DatabaseProxy()  # a peewee.Database once `connect` was called

SQLITE_WAIT_SECONDS = 10
ID_LENGTH = 16
ALPHABET = string.digits + string.ascii_letters
AMONG = "IN (SELECT value FROM json_each(?))"  # one JSON list
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnknownDatabase(ValueError):
    """The URL names a database that the portal cannot use."""


def connect(url: str) -> None:
    """Binds `db` to the database at `url`: `sqlite:///path` or `postgresql://user@host/name`. Opens nothing yet."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        db.initialize(_sqlite(parts.path[1:] if parts.path.startswith("//") else parts.path))
    elif parts.scheme in ("postgresql", "postgres"):
        db.initialize(_postgresql(url))
    else:
        raise UnknownDatabase(f"PORTAL_DATABASE_URL must start with sqlite:/// or postgresql://, not {parts.scheme!r}")


def _sqlite(path: str) -> SqliteDatabase:
    # Deferred transactions that read and then write fail under load; IMMEDIATE ones wait their turn (decision 7).
    pragmas = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": "full", "recursive_triggers": 1}
    return SqliteDatabase(path, pragmas=pragmas, timeout=SQLITE_WAIT_SECONDS, lock_type="IMMEDIATE")


def _postgresql(url: str) -> PostgresqlDatabase:
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    given = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password}
    options |= {name: unquote(value) if isinstance(value, str) else value for name, value in given.items() if value}
    return Pool(parts.path.lstrip("/"), **options)


def is_postgresql() -> bool:
    return isinstance(db.obj, PostgresqlDatabase)


def locked(query: Any) -> Any:
    """`query`, holding its rows until the transaction ends. SQLite needs no row lock: a writer is alone anyway."""
    # A plain FOR UPDATE also keeps others from inserting rows that refer to this one, and two such deeds, one holding
    # the invoice and one the customer, then wait for each other for ever. Our keys never change.
    return query.for_update("FOR NO KEY UPDATE") if is_postgresql() else query


def skipping_locked(query: Any) -> Any:
    """`query`, holding those of its rows that nobody else holds. For work that is shared out."""
    return query.for_update("FOR NO KEY UPDATE SKIP LOCKED") if is_postgresql() else query


def share(name: str) -> None:
    """Until the transaction ends, nobody claims `name`; others may share it. SQLite has one writer at a time anyway."""
    if is_postgresql():
        db.execute_sql("SELECT pg_advisory_xact_lock_shared(%s)", (_number(name),))


def claim(name: str) -> None:
    """Until the transaction ends, nobody else has `name`, alone or shared. Before any row is held."""
    if is_postgresql():
        db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_number(name),))


def _number(name: str) -> int:
    """The 64-bit number that PostgreSQL knows a lock by."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def tuples(query: Any) -> list[tuple[Any, ...]]:
    """The rows of `query` as plain tuples."""
    return list(query.tuples())


def one(sql: str, *values: Any) -> tuple[Any, ...] | None:
    """The first row of a hand-written query with `?` for its values; for reads that are too hot for the ORM."""
    if is_postgresql():
        return db.first(placed(sql), values)
    return db.execute_sql(sql, values).fetchone()


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """All rows of a hand-written query with `?` for its values."""
    return list(db.execute_sql(placed(sql) if is_postgresql() else sql, values).fetchall())


def run(sql: str, *values: Any) -> None:
    """Does a hand-written statement with `?` for its values."""
    db.execute_sql(placed(sql) if is_postgresql() else sql, values)


@lru_cache(maxsize=512)
def placed(sql: str) -> str:
    """With PostgreSQL's places for values; the same object each time, which the driver knows again sooner."""
    return sql.replace("?", "%s")


def among(column: str) -> str:
    """That `column` is one of many texts, which are a single value of the statement: `many`."""
    return f"{column} {'= ANY(?)' if is_postgresql() else AMONG}"


def many(texts: Iterable[str]) -> list[str] | str:
    return list(texts) if is_postgresql() else json.dumps(list(texts))


def give_back() -> None:
    """Ends a request's use of the database: SQLite's connection stays with its thread, PostgreSQL's is for the next."""
    if is_postgresql() and not db.is_closed():
        db.close()


def forget_connection() -> None:
    """Drops this thread's connection, which an error may have left useless; the next request opens another."""
    if isinstance(db.obj, Pool):
        db.obj.manual_close()
    elif not db.is_closed():
        db.close()


@contextmanager
def connection() -> Iterator[None]:
    """An open connection for a piece of work outside a web request."""
    db.connect(reuse_if_open=True)
    try:
        yield
    finally:
        db.close()


def new_id() -> str:
    """16 random base62 characters (95 bits): a name, not a secret."""
    return "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))


def micros(instant: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def instant(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


class IdField(CharField):
    """The primary key: an id that the outside sees."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": ID_LENGTH, "primary_key": True, "default": new_id, **options})


class InstantField(BigIntegerField):
    """An aware UTC `datetime`, kept as microseconds since 1970: it sorts, and it is the same on both databases."""

    def db_value(self, value: datetime | int | None) -> int | None:
        return micros(value) if isinstance(value, datetime) else value

    def python_value(self, value: int | None) -> datetime | None:
        return None if value is None else instant(value)


class DayField(CharField):
    """A calendar `date`, kept as `YYYY-MM-DD`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 10, **options})

    def db_value(self, value: date | str | None) -> str | None:
        return value.isoformat() if isinstance(value, date) else value

    def python_value(self, value: str | None) -> date | None:
        return None if value is None else date.fromisoformat(value)


class JsonField(TextField):
    """A plain JSON value, kept as text: never searched, read whole."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)


class Row(Model):
    """Everything that is remembered."""

    class Meta:
        database = db
        legacy_table_names = False

    @classmethod
    def columns(cls, table: str) -> str:
        """All columns, as a hand-written query that calls the table `table` asks for them."""
        return ", ".join(f"{table}.{field.column_name}" for field in cls._meta.sorted_fields)

    @classmethod
    def read(cls, values: Iterable[Any]) -> Self:
        """From the values of `columns`."""
        row, fields = cls(__no_default__=True), zip(cls._meta.sorted_fields, values, strict=True)
        row.__data__.update({field.name: field.python_value(value) for field, value in fields})
        return row
