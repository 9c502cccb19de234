"""Events: what customers did, as it was told to us; each idempotency key of an account once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    CharField,
    Check,
    CompositeKey,
    ForeignKeyField,
    TextField,
)

from portal.domain import money
from portal.models.account import Account
from portal.models.base import IdField, InstantField, JsonField, Row, run
from portal.models.customer import Customer

HOUR = 3600 * 1_000_000  # microseconds
HOURS_A_STATEMENT = 100
READER = json.JSONDecoder(parse_float=Decimal)


def exact_json(value: Any) -> str:
    """`value` as JSON whose numbers are as exact as they came."""
    return orjson.dumps(value, default=_digits).decode()


def exactly(text: str) -> Any:
    """What `exact_json` wrote."""
    return READER.decode(text)


def _digits(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(money.plain(value))
    raise TypeError(f"{type(value).__name__} is no value of a property")


class ExactField(JsonField):
    """JSON whose fractions are Decimals."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else exact_json(value)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else exactly(value)


class Backfill(Row):
    """Events of a time that is over, which count together once they are complete."""

    id = IdField()
    account = ForeignKeyField(Account, backref="backfills", index=False)
    account_id: str
    customer = ForeignKeyField(Customer, null=True, backref="backfills")  # None: of all customers
    customer_id: str | None
    created_at = InstantField()
    status = CharField(
        max_length=14,
        default="pending",
        constraints=[Check("status IN ('pending', 'reflected', 'pending_revert', 'reverted')")],
    )
    timeframe_start = InstantField()
    timeframe_end = InstantField()  # exclusive
    close_at = InstantField(null=True)  # when it closes by itself, or was closed
    reverted_at = InstantField(null=True)
    replaces = BooleanField()  # the events that were there before in its timeframe
    deprecation_filter = TextField(null=True)

    class Meta:
        indexes = ((("account", "created_at", "id"), False), (("status", "close_at"), False))


class Event(Row):
    account = ForeignKeyField(Account, index=False)
    account_id: str
    key = TextField()  # the caller's idempotency key, which is the event's id on the wire
    customer = ForeignKeyField(Customer, null=True, index=False)  # None until there is one of that external id
    customer_id: str | None
    external_id = TextField(null=True)  # as it was told
    name = TextField()
    at = InstantField()
    properties = ExactField()
    received_at = InstantField()
    backfill = ForeignKeyField(Backfill, null=True, index=False)
    backfill_id: str | None
    # Does it count? Not while its backfill is open, nor once it is deprecated or replaced.
    counts = BooleanField(default=True, constraints=[SQL("DEFAULT TRUE")])
    deprecated_at = InstantField(null=True)
    replaced_by = CharField(max_length=16, null=True)  # the backfill that stands in its place

    class Meta:
        primary_key = CompositeKey("account", "key")
        without_rowid = True
        indexes = ((("customer", "at"), False),)


Event.add_index(
    Event.index(Event.account, Event.external_id, where=Event.customer.is_null(), name="event_waiting_for_customer")
)
Event.add_index(Event.index(Event.backfill, where=Event.backfill.is_null(False), name="event_of_backfill"))


class EventBefore(Row):
    """An event as it was before it was amended; kept, and counted no more."""

    id = IdField()
    account = ForeignKeyField(Account, index=False)
    account_id: str
    key = TextField()
    ended_at = InstantField()
    ended_by = TextField()
    body = ExactField()  # {event_name, timestamp, properties, customer_id, backfill_id}

    class Meta:
        indexes = ((("account", "key", "ended_at"), False),)

    @classmethod
    def keep(cls, event: Event, now: datetime, by: str) -> None:
        """Remembers `event` as it is, before it becomes another."""
        body = {
            "event_name": event.name,
            "timestamp": event.at.isoformat(),
            "properties": event.properties,
            "customer_id": event.customer_id,  # and not her external id: this outlives her
            "backfill_id": event.backfill_id,
        }
        cls.create(account=event.account_id, key=event.key, ended_at=now, ended_by=by, body=body)


class EventHour(Row):
    """How many events came of each hour, whatever became of them."""

    account = ForeignKeyField(Account, index=False)
    account_id: str
    hour = InstantField()
    count = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("account", "hour")

    @classmethod
    def add(cls, account_id: str, instants: Iterable[int]) -> None:
        """Counts events of these instants, microseconds since 1970. In the order of hours: nobody waits in a ring."""
        counted = sorted(Counter(at // HOUR * HOUR for at in instants).items())
        for start in range(0, len(counted), HOURS_A_STATEMENT):
            part = counted[start : start + HOURS_A_STATEMENT]
            values = ", ".join(["(?, ?, ?)"] * len(part))
            run(ADD_HOURS.format(values=values), *(value for row in part for value in (account_id, *row)))


ADD_HOURS = """
INSERT INTO event_hour (account_id, hour, count) VALUES {values}
ON CONFLICT (account_id, hour) DO UPDATE SET count = event_hour.count + excluded.count
"""
