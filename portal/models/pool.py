"""The connections to PostgreSQL that the threads of a process share."""

from __future__ import annotations

import time
from typing import Any
from weakref import WeakKeyDictionary

from peewee import __exception_wrapper__  # type: ignore[attr-defined]  # what makes the driver's errors peewee's
from playhouse.postgres_ext import PooledPsycopg3Database

CONNECTIONS = 16  # a process; more threads than this wait
WAIT_SECONDS = 10
STALE_SECONDS = 300
QUIET_SECONDS = 5


class Pool(PooledPsycopg3Database):
    """Connections that are asked whether they still live after QUIET_SECONDS, and not at each use.

    That question is a round trip to the server, and as dear as most of what is asked after it. A connection that
    died within those seconds costs one answer of 503, and is dropped.
    """

    def __init__(self, name: str, **options: Any) -> None:
        sizes = {"max_connections": CONNECTIONS, "stale_timeout": STALE_SECONDS, "timeout": WAIT_SECONDS}
        super().__init__(name, **sizes, **options)
        self._heard: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def _is_closed(self, connection: Any) -> bool:
        heard = self._heard.get(connection)
        if heard is not None and time.monotonic() - heard < QUIET_SECONDS and not connection.closed:
            return False
        return bool(super()._is_closed(connection))

    def _can_reuse(self, connection: Any) -> bool:
        self._heard[connection] = time.monotonic()
        return bool(super()._can_reuse(connection))

    def first(self, sql: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The first row, brought by a cursor that stays with its connection, and in PostgreSQL's own format.

        A new cursor and the way through text cost half as much again as the server takes for a row.
        """
        connection = self.connection()
        if not hasattr(connection, "reader"):
            connection.reader = connection.cursor(binary=True)
        with __exception_wrapper__:
            row: tuple[Any, ...] | None = connection.reader.execute(sql, values).fetchone()
        return row
