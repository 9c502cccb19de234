"""Events arrive: each idempotency key of an account is kept once and counted once, however often it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from portal.models import base
from portal.models.base import among, db, is_postgresql, many, micros, rows, run
from portal.models.event import Backfill, Event, EventBefore, exact_json
from portal.models.tallying import Tallies, day_of, measured

HOUR = 3600 * 1_000_000  # microseconds
HOURS_A_STATEMENT = 100
STRANGER = "customer_id is the id of no customer; send external_customer_id where there is none yet."
NOT_HERS = "This backfill is for another customer."
OTHER_BODY = "idempotency_key is used twice in this batch, for different events."
WAS_DEPRECATED = (
    "This event was deprecated and cannot be sent again; an event in its place needs another idempotency_key."
)
WAS_THERE = "An event outside of this backfill has this idempotency_key; one that replaces it needs another."


class Arrival(NamedTuple):
    """An event as it was told, and read."""

    key: str
    customer_id: str | None
    external_id: str | None  # this or the customer's own
    name: str
    at: int  # microseconds since 1970
    properties: dict[str, Any]


class Whose(NamedTuple):
    """The customer of an event."""

    id: str
    timezone: str


@dataclass
class Outcome:
    """What became of the keys of a batch."""

    ingested: list[str] = field(default_factory=list)
    duplicate: list[str] = field(default_factory=list)
    failed: dict[str, list[str]] = field(default_factory=dict)  # sentences for each key that was not kept


class Refused(ValueError):
    """Nothing of a batch was kept. `failed`: sentences for each key that was in the way."""

    def __init__(self, failed: Mapping[str, list[str]]) -> None:
        super().__init__("some events were refused")
        self.failed = dict(failed)


def share(account_id: str) -> None:
    """Before events are added, until the transaction ends: nobody counts anything again meanwhile."""
    base.share(f"events {account_id}")


def claim(account_id: str) -> None:
    """Before anything is counted again, or what is counted changes: nobody adds events until the transaction ends."""
    base.claim(f"events {account_id}")


def ingest(
    account_id: str,
    arrivals: Sequence[Arrival],
    now: datetime,
    *,
    backfill: Backfill | None = None,
    failed: Mapping[str, list[str]] | None = None,
    whole: bool = False,
) -> Outcome:
    """Keeps and counts those of `arrivals` whose keys are new; events of a backfill count once it is closed.

    Within a transaction, after `share`. `failed`: others of the batch, which were refused before. Raises Refused for a
    key with two bodies and, where the batch is to be kept `whole`, for any event that cannot be kept.
    """
    refused = dict(failed or {})
    batch = _each_once(arrivals, refused)
    found = customers(account_id, batch)
    for arrival in batch:
        customer = whose(arrival, found)
        if customer is None and arrival.customer_id is not None:
            refused.setdefault(arrival.key, []).append(STRANGER)
        elif backfill and backfill.customer_id and (customer is None or customer.id != backfill.customer_id):
            refused.setdefault(arrival.key, []).append(NOT_HERS)
    if refused:
        if whole:
            raise Refused(refused)
        batch = [arrival for arrival in batch if arrival.key not in refused]
    fresh = _kept(account_id, batch, found, now, backfill)
    if len(fresh) < len(batch):
        there = [arrival for arrival in batch if arrival.key not in fresh]
        fresh |= _kept_again(account_id, there, found, now, backfill, refused)
        if refused and whole:
            raise Refused(refused)
    new = batch if len(fresh) == len(batch) else [arrival for arrival in batch if arrival.key in fresh]
    if backfill is None:
        _count(account_id, new, found)
    _count_hours(account_id, new)
    before = [arrival.key for arrival in arrivals if arrival.key not in fresh and arrival.key not in refused]
    return Outcome([arrival.key for arrival in new], before, refused)


def customers(account_id: str, arrivals: Iterable[Arrival]) -> dict[tuple[str, str], Whose]:
    """The customers that the events name, by ("id", …) and by ("external_id", …)."""
    named: dict[str, set[str]] = {"id": set(), "external_id": set()}
    for arrival in arrivals:
        if arrival.customer_id is not None:
            named["id"].add(arrival.customer_id)
        elif arrival.external_id is not None:
            named["external_id"].add(arrival.external_id)
    found: dict[tuple[str, str], Whose] = {}
    for column, names in named.items():
        sql = f"SELECT {column}, id, timezone FROM customer WHERE account_id = ? AND deleted_at IS NULL AND "  # noqa: S608 - ours
        there = rows(sql + among(column), account_id, many(names)) if names else []
        found.update({(column, name): Whose(id, timezone) for name, id, timezone in there})
    return found


def whose(arrival: Arrival, found: Mapping[tuple[str, str], Whose]) -> Whose | None:
    if arrival.customer_id is not None:
        return found.get(("id", arrival.customer_id))
    return found.get(("external_id", arrival.external_id or ""))


def _each_once(arrivals: Iterable[Arrival], refused: dict[str, list[str]]) -> list[Arrival]:
    """In the order of their keys: of two batches with keys in common, one waits for the other, and never both.

    Raises Refused, for nobody knows which of two bodies was meant.
    """
    once: dict[str, Arrival] = {}
    twice = False
    for arrival in arrivals:
        first = once.setdefault(arrival.key, arrival)
        if arrival.key in refused or (first is not arrival and _body(first) != _body(arrival)):
            refused.setdefault(arrival.key, []).append(OTHER_BODY)
            twice = True
    if twice:
        raise Refused(refused)
    return sorted(once.values(), key=itemgetter(0))


def _body(arrival: Arrival) -> tuple[Any, ...]:
    return (*arrival[1:5], exact_json(dict(sorted(arrival.properties.items()))))


def _kept(
    account_id: str,
    batch: Sequence[Arrival],
    found: Mapping[tuple[str, str], Whose],
    now: datetime,
    backfill: Backfill | None,
) -> set[str]:
    """Keeps the events whose keys are new, and says which."""
    told = []
    for arrival in batch:
        customer = whose(arrival, found)
        customer_id = customer.id if customer else None
        properties = exact_json(arrival.properties)
        told.append((arrival.key, customer_id, arrival.external_id, arrival.name, arrival.at, properties))
    same = (account_id, micros(now), backfill.id if backfill else None, backfill is None)
    if is_postgresql():
        given = (orjson.dumps(told).decode(), *same)
        return {key for (key,) in db.execute_sql(KEEP_ON_POSTGRESQL, given).fetchall()}
    sql = f"SELECT key FROM event WHERE account_id = ? AND {among('key')}"  # noqa: S608 - our own names
    there = {key for (key,) in rows(sql, account_id, many(arrival.key for arrival in batch))}
    fresh = [row for row in told if row[0] not in there]
    db.connection().executemany(KEEP_ON_SQLITE, [(*row, *same) for row in fresh])
    return {row[0] for row in fresh}


def _kept_again(
    account_id: str,
    there: Sequence[Arrival],
    found: Mapping[tuple[str, str], Whose],
    now: datetime,
    backfill: Backfill | None,
    refused: dict[str, list[str]],
) -> set[str]:
    """Those whose keys were only used in a backfill that was reverted: they come anew. Others stand as they are."""
    new: set[str] = set()
    arrivals = {arrival.key: arrival for arrival in there}
    for key, deprecated, before, status in rows(THERE.format(among=among("e.key")), account_id, many(arrivals)):
        if status == "reverted":
            if _anew(account_id, arrivals[key], before, found, now, backfill):
                new.add(key)
        elif deprecated is not None:
            refused[key] = [WAS_DEPRECATED]
        elif backfill is not None and backfill.replaces and before != backfill.id:
            refused[key] = [WAS_THERE]
    return new


def _anew(
    account_id: str,
    arrival: Arrival,
    before: str,
    found: Mapping[tuple[str, str], Whose],
    now: datetime,
    backfill: Backfill | None,
) -> bool:
    """The event in the place of one of a reverted backfill; False where somebody else was quicker."""
    here = (Event.account == account_id) & (Event.key == arrival.key) & (Event.backfill == before)
    was = Event.select().where(here).first()
    customer = whose(arrival, found)
    changed = Event.update(
        customer=customer.id if customer else None,
        external_id=arrival.external_id,
        name=arrival.name,
        at=arrival.at,
        properties=arrival.properties,
        received_at=now,
        backfill=backfill,
        counts=backfill is None,
        deprecated_at=None,
        replaced_by=None,
    ).where(here)
    if was is None or not changed.execute():
        return False
    EventBefore.keep(was, now, f"backfill:{before}")
    return True


def _count(account_id: str, new: Sequence[Arrival], found: Mapping[tuple[str, str], Whose]) -> None:
    tallies = Tallies(measured(account_id))
    for arrival in new:
        customer = whose(arrival, found)
        if customer is not None:
            at = arrival.at
            tallies.take(customer.id, day_of(at, customer.timezone), arrival.name, at, arrival.properties)
    tallies.add()


def _count_hours(account_id: str, new: Sequence[Arrival]) -> None:
    hours = Counter(arrival.at // HOUR * HOUR for arrival in new)
    counted = sorted(hours.items())
    for start in range(0, len(counted), HOURS_A_STATEMENT):
        part = counted[start : start + HOURS_A_STATEMENT]
        values = ", ".join(["(?, ?, ?)"] * len(part))
        run(COUNT_HOURS.format(values=values), *(value for row in part for value in (account_id, *row)))


KEEP_ON_POSTGRESQL = """
INSERT INTO event (key, customer_id, external_id, name, at, properties, account_id, received_at, backfill_id, counts)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, (value ->> 4)::bigint, value ->> 5,
       same.account_id, same.received_at, same.backfill_id, same.counts
  FROM jsonb_array_elements(%s::jsonb) AS rows (value),
       (VALUES (%s, %s::bigint, %s, %s::boolean)) AS same (account_id, received_at, backfill_id, counts)
ON CONFLICT DO NOTHING RETURNING key
"""
KEEP_ON_SQLITE = """
INSERT INTO event (key, customer_id, external_id, name, at, properties, account_id, received_at, backfill_id, counts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
THERE = """
SELECT e.key, e.deprecated_at, e.backfill_id, b.status FROM event e LEFT JOIN backfill b ON b.id = e.backfill_id
 WHERE e.account_id = ? AND {among}
"""
COUNT_HOURS = """
INSERT INTO event_hour (account_id, hour, count) VALUES {values}
ON CONFLICT (account_id, hour) DO UPDATE SET count = event_hour.count + excluded.count
"""
