"""A backfill tells of a time that is over: its events count together once it is closed, and no more once reverted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from portal.domain.metrics import read
from portal.models.account import Account
from portal.models.base import among, db, many, micros, rows, run
from portal.models.customer import Customer
from portal.models.event import Backfill, exactly
from portal.models.ingestion import claim
from portal.models.invoice import IllegalState
from portal.models.record import Record
from portal.models.recounting import recount
from portal.models.tallying import QUARTER, day_of

OPEN_FOR = timedelta(days=1)  # unless told otherwise
LONGEST = timedelta(days=366)
AT_ONCE = 2000  # events
UNDER_WAY = ("pending", "pending_revert")


def begin(
    account: Account,
    now: datetime,
    by: str,
    *,
    start: datetime,
    end: datetime,
    customer: Customer | None,
    close_at: datetime | None,
    replaces: bool,
    deprecation_filter: str | None,
) -> Backfill:
    """A backfill that takes events. Raises IllegalState where another one of this time takes some."""
    with db.atomic():
        claim(account.id)
        others = Backfill.select().where(
            Backfill.account == account,
            Backfill.status.in_(UNDER_WAY),
            Backfill.timeframe_start < end,
            Backfill.timeframe_end > start,
        )
        if any(customer is None or other.customer_id in (None, customer.id) for other in others):
            raise IllegalState("another backfill of this timeframe is open: close it or revert it first")
        backfill = Backfill.create(
            account=account,
            customer=customer,
            created_at=now,
            timeframe_start=start,
            timeframe_end=end,
            close_at=close_at or now + OPEN_FOR,
            replaces=replaces,
            deprecation_filter=deprecation_filter,
        )
        Record.write(account.id, now, by, "backfill.created", backfill.id)
    return backfill


def close(backfill: Backfill, now: datetime, by: str) -> Backfill:
    """From now on its events count, in the place of others where it replaces. Raises IllegalState unless it is open."""
    with db.atomic():
        held = _held(backfill)
        if held.status != "pending":
            raise IllegalState(f"only a pending backfill can be closed; this one is {held.status}")
        days = _replace(held) if held.replaces else set()
        days |= days_of("backfill_id = ?", held.id)
        run("UPDATE event SET counts = TRUE WHERE backfill_id = ? AND deprecated_at IS NULL", held.id)
        held.status, held.close_at = "reflected", now
        held.save()
        recount(held.account_id, days)
        Record.write(held.account_id, now, by, "backfill.closed", held.id)
    return held


def close_due(backfill: Backfill, now: datetime, by: str) -> bool:
    """Closes it unless somebody did already."""
    with db.atomic():
        held = _held(backfill)
        if held.status != "pending":
            return False
        close(held, now, by)
    return True


def revert(backfill: Backfill, now: datetime, by: str) -> Backfill:
    """Its events count no more, and those that it replaced do again. Raises IllegalState where it was reverted."""
    with db.atomic():
        held = _held(backfill)
        if held.status == "reverted":
            raise IllegalState("this backfill was reverted before")
        days = days_of("backfill_id = ?", held.id)
        held.status, held.reverted_at = "reverted", now
        held.save()
        run("UPDATE event SET counts = FALSE, replaced_by = NULL WHERE backfill_id = ?", held.id)
        if held.replaces:  # only then are there any, and no index finds them
            days |= days_of("account_id = ? AND replaced_by = ?", held.account_id, held.id)
            _set_free(held)
        recount(held.account_id, days)
        Record.write(held.account_id, now, by, "backfill.reverted", held.id)
    return held


def due(now: datetime) -> list[Backfill]:
    """Those that close by themselves by now."""
    return list(Backfill.select().where(Backfill.status == "pending", Backfill.close_at <= now))


def events_of(ids: Iterable[str]) -> dict[str, int]:
    """How many events came in each backfill."""
    sql = f"SELECT backfill_id, COUNT(*) FROM event WHERE {among('backfill_id')} GROUP BY backfill_id"  # noqa: S608 - ours
    found: dict[str, int] = dict(rows(sql, many(ids)))
    return found


def _held(backfill: Backfill) -> Backfill:
    claim(backfill.account_id)
    return Backfill.get_by_id(backfill.id)


def _replace(backfill: Backfill) -> set[tuple[str, str]]:
    """Takes the place of what counted in its timeframe; the days, (customer, day), of that."""
    keys = None if backfill.deprecation_filter is None else _matching(backfill, "counts")
    return _mark(backfill, "counts", "counts = FALSE, replaced_by = ?", backfill.id, keys=keys)


def _set_free(backfill: Backfill) -> None:
    """Those that it replaced count again, unless a later one would have replaced them too."""
    later = Backfill.select().where(
        Backfill.account == backfill.account_id,
        Backfill.status == "reflected",
        Backfill.replaces,
        Backfill.close_at >= backfill.close_at,
        Backfill.timeframe_start < backfill.timeframe_end,
        Backfill.timeframe_end > backfill.timeframe_start,
    )
    for other in later.order_by(Backfill.close_at, Backfill.id):
        keys = None if other.deprecation_filter is None else _matching(other, "replaced_by = ?", backfill.id)
        _mark(other, "replaced_by = ?", "replaced_by = ?", other.id, backfill.id, keys=keys)
    run(SET_FREE, backfill.account_id, backfill.id)


def _mark(backfill: Backfill, which: str, change: str, *values: str, keys: list[str] | None) -> set[tuple[str, str]]:
    """Does `change` to those events in the timeframe of `backfill` that are `which`, or to those of `keys`."""
    where, bounds = _others_in(backfill)
    changed, asked = values[0], values[1:]
    days: set[tuple[str, str]] = set()
    for part in [None] if keys is None else [keys[n : n + AT_ONCE] for n in range(0, len(keys), AT_ONCE)]:
        some = where if part is None else f"{where} AND {among('key')}"
        given = (*bounds, *asked) if part is None else (*bounds, *asked, many(part))
        which_of_them = f"{some.replace('{which}', which)}"
        days |= days_of(which_of_them, *given)
        run(f"UPDATE event SET {change} WHERE {which_of_them}", changed, *given)  # noqa: S608 - our own names
    return days


def _matching(backfill: Backfill, which: str, *values: str) -> list[str]:
    """The keys of those that the deprecation filter names."""
    takes = read(filter_sql(backfill.deprecation_filter or "")).takes
    where, bounds = _others_in(backfill)
    keys: list[str] = []
    last = ""
    while True:
        sql = f"SELECT key, name, properties FROM event WHERE {where.replace('{which}', which)} AND key > ? ORDER BY key LIMIT {AT_ONCE}"  # noqa: S608, E501 - ours
        found = rows(sql, *bounds, *values, last)
        keys += [key for key, name, properties in found if takes(name, exactly(properties))]
        if len(found) < AT_ONCE:
            return keys
        last = found[-1][0]


def _others_in(backfill: Backfill) -> tuple[str, tuple[Any, ...]]:
    """Events that are not its own, in its timeframe."""
    where = "account_id = ? AND at >= ? AND at < ? AND (backfill_id IS NULL OR backfill_id <> ?)"
    bounds = (backfill.account_id, micros(backfill.timeframe_start), micros(backfill.timeframe_end), backfill.id)
    if backfill.customer_id is not None:
        return f"{where} AND customer_id = ? AND {{which}}", (*bounds, backfill.customer_id)
    return f"{where} AND {{which}}", bounds


def days_of(where: str, *values: Any) -> set[tuple[str, str]]:
    """The days, (customer, day), that events lie on."""
    sql = f"SELECT DISTINCT customer_id, at / {QUARTER} FROM event WHERE customer_id IS NOT NULL AND ({where})"  # noqa: S608 - ours
    quarters = rows(sql, *values)
    ids = {customer_id for customer_id, _ in quarters}
    timezones = dict(rows(f"SELECT id, timezone FROM customer WHERE {among('id')}", many(ids)))  # noqa: S608 - ours
    return {(id, day_of(quarter * QUARTER, timezones[id])) for id, quarter in quarters}


def filter_sql(text: str) -> str:
    """A deprecation filter as the SQL of a metric, which is read the same way."""
    return f"SELECT COUNT(*) FROM events WHERE {text}"  # noqa: S608 - never executed


SET_FREE = """
UPDATE event SET replaced_by = NULL, counts = deprecated_at IS NULL AND (
  backfill_id IS NULL OR (SELECT status FROM backfill WHERE id = event.backfill_id) = 'reflected')
 WHERE account_id = ? AND replaced_by = ?
"""
