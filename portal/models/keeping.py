"""Events are kept: each idempotency key of an account once, and what is there stands as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from portal.models.arrival import Arrival, Owner
from portal.models.base import among, db, is_postgresql, many, micros, rows
from portal.models.event import Backfill, Event, EventBefore, exact_json
from portal.models.pipeline import sent

WAS_DEPRECATED = (
    "This event was deprecated and cannot be sent again; an event in its place needs another idempotency_key."
)
WAS_THERE = "An event outside of this backfill has this idempotency_key; one that replaces it needs another."
PART = 250  # events a statement


@dataclass(frozen=True)
class Keeper:
    """Keeps events of an account, whose customers are known by the events' keys; of a backfill, or of none."""

    account_id: str
    owners: Mapping[str, Owner]
    now: datetime
    backfill: Backfill | None

    def keep(self, batch: Sequence[Arrival]) -> Callable[[], set[str]]:
        """Keeps the events whose keys are new. What is returned says which."""
        same = (self.account_id, micros(self.now), self.backfill.id if self.backfill else None, self.backfill is None)
        if is_postgresql():
            # In parts: the database works on the first while the next is written down.
            parts = (batch[start : start + PART] for start in range(0, len(batch), PART))
            told = (orjson.dumps([self._told(arrival) for arrival in part]).decode() for part in parts)
            kept = [sent(KEEP_ON_POSTGRESQL, text, *same) for text in told]
            return lambda: {key for part in kept for (key,) in part()}
        sql = f"SELECT key FROM event WHERE account_id = ? AND {among('key')}"  # noqa: S608 - our own names
        there = {key for (key,) in rows(sql, self.account_id, many(arrival.key for arrival in batch))}
        fresh = [self._told(arrival) for arrival in batch if arrival.key not in there]
        db.connection().executemany(KEEP_ON_SQLITE, [(*row, *same) for row in fresh])
        return lambda: {row[0] for row in fresh}

    def _told(self, arrival: Arrival) -> tuple[Any, ...]:
        key, _, external_id, name, at, properties = arrival
        owner = self.owners.get(key)
        return (key, owner.id if owner else None, external_id, name, at, exact_json(properties))

    def keep_again(self, there: Sequence[Arrival], refused: dict[str, list[str]]) -> set[str]:
        """Those whose keys were only used in a backfill that was reverted: they come anew. Others stand as they are."""
        new: set[str] = set()
        arrivals = {arrival.key: arrival for arrival in there}
        for key, deprecated, before, status in rows(
            THERE.format(among=among("e.key")), self.account_id, many(arrivals)
        ):
            if status == "reverted":
                if self._anew(arrivals[key], before):
                    new.add(key)
            elif deprecated is not None:
                refused[key] = [WAS_DEPRECATED]
            elif self.backfill is not None and self.backfill.replaces and before != self.backfill.id:
                refused[key] = [WAS_THERE]
        return new

    def _anew(self, arrival: Arrival, before: str) -> bool:
        """The event in the place of one of a reverted backfill; False where somebody else was quicker."""
        here = (Event.account == self.account_id) & (Event.key == arrival.key) & (Event.backfill == before)
        was = Event.select().where(here).first()
        owner = self.owners.get(arrival.key)
        changed = Event.update(
            customer=owner.id if owner else None,
            external_id=arrival.external_id,
            name=arrival.name,
            at=arrival.at,
            properties=arrival.properties,
            received_at=self.now,
            backfill=self.backfill,
            counts=self.backfill is None,
            deprecated_at=None,
            replaced_by=None,
        ).where(here)
        if was is None or not changed.execute():
            return False
        EventBefore.keep(was, self.now, f"backfill:{before}")
        return True


KEEP_ON_POSTGRESQL = """
INSERT INTO event (key, customer_id, external_id, name, at, properties, account_id, received_at, backfill_id, counts)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, (value ->> 4)::bigint, value ->> 5,
       same.account_id, same.received_at, same.backfill_id, same.counts
  FROM jsonb_array_elements(?::jsonb) AS rows (value),
       (VALUES (?, ?::bigint, ?, ?::boolean)) AS same (account_id, received_at, backfill_id, counts)
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
