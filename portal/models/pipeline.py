"""Statements under way: PostgreSQL works on what was sent while Python goes on, and answers when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from peewee import __exception_wrapper__  # type: ignore[attr-defined]  # its stubs leave it out

from portal.models.base import db, is_postgresql, placed, rows

Rows = list[tuple[Any, ...]]


@contextmanager
def pipelined() -> Iterator[None]:
    """Within it statements are sent, and waited for where their rows are asked for: at the end, all of them.

    SQLite works in this process: there each is done at once.
    """
    if not is_postgresql():
        yield
        return
    with __exception_wrapper__, db.connection().pipeline():
        yield


def sent(sql: str, *values: Any) -> Callable[[], Rows]:
    """Does a hand-written statement with `?` for its values. What is returned waits for its rows."""
    if is_postgresql():
        cursor = db.execute_sql(placed(sql), values)
        return lambda: list(cursor.fetchall())
    found = rows(sql, *values)  # now: SQLite would look when it is asked, and see what came after
    return lambda: found
