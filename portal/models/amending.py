"""An event that was told wrongly is told again, or no longer counts. What it was before is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.models.account import Account
from portal.models.base import db, micros
from portal.models.customer import Customer
from portal.models.event import Event, EventBefore
from portal.models.ingestion import claim
from portal.models.recounting import recount
from portal.models.tallying import day_of


def held(account: Account, key: str) -> Event | None:
    """The event, while nobody else changes it: the transaction has the account's events for itself."""
    claim(account.id)
    return Event.select().where(Event.account == account, Event.key == key).first()


def amend(event: Event, name: str, properties: dict[str, Any], now: datetime, by: str) -> None:
    """Another name and other properties. `event` was `held`."""
    with db.atomic():
        if event.name == name and event.properties == properties and _alike(event.properties, properties):
            return
        EventBefore.keep(event, now, by)
        _change(event, {"name": name, "properties": properties})
        _recount(event)


def deprecate(event: Event, now: datetime, by: str) -> None:
    """It counts no more, once and for all. `event` was `held`."""
    with db.atomic():
        if event.deprecated_at is None:
            EventBefore.keep(event, now, by)
            _change(event, {"deprecated_at": now, "counts": False})
            _recount(event)


def _alike(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return all(type(value) is type(b[name]) for name, value in a.items())  # True == 1


def _change(event: Event, changes: dict[str, Any]) -> None:
    Event.update(**changes).where(Event.account == event.account_id, Event.key == event.key).execute()


def _recount(event: Event) -> None:
    if event.customer_id is not None:
        customer = Customer.get_by_id(event.customer_id)
        recount(event.account_id, [(customer.id, day_of(micros(event.at), customer.timezone))])
