"""The connections to PostgreSQL that the threads of a process share."""

from __future__ import annotations

import time
from typing import Any
from weakref import WeakKeyDictionary

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
