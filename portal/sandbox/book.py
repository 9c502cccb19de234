"""All that the sandbox remembers, in one SQLite file: what was committed outlives a kill -9."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SECOND = 1_000_000  # moments here are microseconds since 1970, so that the moment of an event can be its cursor
TABLES = """
CREATE TABLE IF NOT EXISTS payer (
    ref TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, email TEXT);
CREATE TABLE IF NOT EXISTS method (
    ref TEXT PRIMARY KEY, payer TEXT NOT NULL, method TEXT NOT NULL, outcome TEXT NOT NULL, label TEXT NOT NULL,
    expires TEXT, notify_url TEXT, removed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS payment (
    ref TEXT PRIMARY KEY, payment_id TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    method TEXT NOT NULL, outcome TEXT NOT NULL, label TEXT NOT NULL, stage TEXT NOT NULL, failure TEXT,
    payer TEXT, saves INTEGER NOT NULL, saved TEXT, reference TEXT NOT NULL, notify_url TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, waits TEXT, since INTEGER NOT NULL, made_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS payment_id ON payment (payment_id);
CREATE INDEX IF NOT EXISTS payment_waits ON payment (since) WHERE waits IS NOT NULL;
CREATE TABLE IF NOT EXISTS refund (
    ref TEXT PRIMARY KEY, payment TEXT NOT NULL, refund_id TEXT, amount INTEGER NOT NULL, stage TEXT NOT NULL,
    since INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS refund_payment ON refund (payment);
CREATE INDEX IF NOT EXISTS refund_waits ON refund (since) WHERE stage = 'pending';
CREATE TABLE IF NOT EXISTS dispute (
    ref TEXT PRIMARY KEY, payment TEXT NOT NULL UNIQUE, stage TEXT NOT NULL, amount INTEGER NOT NULL,
    reason TEXT NOT NULL, is_return INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS asked (key TEXT PRIMARY KEY, digest TEXT NOT NULL, ref TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    at INTEGER PRIMARY KEY, id TEXT NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL, notify_url TEXT,
    planned INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS event_planned ON event (at) WHERE planned = 0;
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, event INTEGER NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due);
"""


@dataclass(frozen=True)
class Entry:
    """One transaction at one moment: all of it is kept, or nothing."""

    db: sqlite3.Connection
    now: int  # microseconds since 1970
    base_url: str  # of the sandbox itself, for the pages that payers are sent to

    def one(self, sql: str, *values: object) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return self.db.execute(sql, values).fetchall()

    def add(self, table: str, **values: object) -> None:
        holes = ", ".join("?" * len(values))
        # The names are this program's own; only values come from elsewhere.
        self.db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({holes})", [*values.values()])  # noqa: S608  # names of ours

    def change(self, table: str, ref: str, **values: object) -> None:
        sets = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(f"UPDATE {table} SET {sets} WHERE ref = ?", [*values.values(), ref])  # noqa: S608  # names of ours


class Book:
    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(TABLES)

    @contextmanager
    def entry(self, now: int, base_url: str) -> Iterator[Entry]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            with self._db:  # commits, or takes back
                yield Entry(self._db, now, base_url)


def ref(prefix: str) -> str:
    """Nobody guesses it: whoever has a payment's may confirm it."""
    return f"{prefix}_{secrets.token_hex(16)}"
