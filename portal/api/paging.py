"""Lists are read from the newest to the oldest, a page at a time; a cursor is a place in the order, not a number."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable
from typing import Annotated, Any

from peewee import Field as Column
from peewee import Tuple
from pydantic import BeforeValidator, Field, WithJsonSchema

from portal.api import errors
from portal.api.body import Query
from portal.api.fields import When, WholeSecond
from portal.models.base import instant, micros

DEFAULT = 20
MOST = 100
PLACE = re.compile(r"(-?[0-9]{1,18})\.([0-9A-Za-z]{1,16})")


def _limit(given: object) -> object:
    if not isinstance(given, str) or not re.fullmatch(r"[0-9]{1,3}", given, re.ASCII) or not 1 <= int(given) <= MOST:
        raise ValueError(f"must be a number from 1 to {MOST}")
    return int(given)


LIMITS = WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST})


class Paged(Query):
    """The parameters of every list; a list with filters adds its own."""

    limit: Annotated[int, BeforeValidator(_limit), LIMITS] = DEFAULT
    cursor: str | None = None


class Dated(Paged):
    """A list that can be narrowed to when its rows were made."""

    after: WholeSecond | None = Field(None, alias="created_at[gt]")
    since: When | None = Field(None, alias="created_at[gte]")
    before: When | None = Field(None, alias="created_at[lt]")
    until: WholeSecond | None = Field(None, alias="created_at[lte]")

    def narrowed(self, rows: Any, at: Any) -> Any:
        """Those of the query `rows` whose `at` lies within the bounds."""
        bounds = ((self.after, at.__gt__), (self.since, at.__ge__), (self.before, at.__lt__), (self.until, at.__le__))
        for bound, compare in bounds:
            rows = rows.where(compare(bound)) if bound else rows
        return rows


def page(
    rows: Any, order: tuple[Column, Column], given: Paged, shape: Callable[[list[Any]], list[Any]]
) -> dict[str, Any]:
    """One page of the query `rows` in Orb's shape, newest first by `order` (an instant, the id).

    `shape` sees all rows of the page at once.
    """
    at, id = order
    if given.cursor is not None:
        last_at, last_id = _place(given.cursor)
        # One comparison of pairs: with two and an OR, both databases read the list from its beginning.
        rows = rows.where(Tuple(at, id) < Tuple(micros(last_at), last_id))
    found = list(rows.order_by(at.desc(), id.desc()).limit(given.limit + 1))
    shown, more = found[: given.limit], len(found) > given.limit
    cursor = _cursor(getattr(shown[-1], at.name), shown[-1].id) if more else None
    return {"data": shape(shown), "pagination_metadata": {"has_more": more, "next_cursor": cursor}}


def _cursor(at: Any, id: str) -> str:
    return urlsafe_b64encode(f"{micros(at)}.{id}".encode()).rstrip(b"=").decode()


def _place(cursor: str) -> tuple[Any, str]:
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
        found = PLACE.fullmatch(text)
        place = (instant(int(found[1])), found[2]) if found else None
    except (Error, ValueError, OverflowError):
        place = None
    if place is None or _cursor(*place) != cursor:
        raise errors.invalid("cursor must be the next_cursor of an earlier page, unchanged.")
    return place
