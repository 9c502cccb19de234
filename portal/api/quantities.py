"""How many units of a fee a subscription pays for: changed where the fee's periods meet, or where it is prorated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from portal.api import errors
from portal.api.body import Schema
from portal.api.fields import LocalDay, WireNumber, day_in
from portal.api.price_making import instead_of
from portal.api.shapes import number
from portal.domain import money, periods
from portal.domain.dues import Terms
from portal.models.bill import Running
from portal.models.subscription import Subscription, SubscriptionPrice


class Quantity(Schema):
    accepted: ClassVar[frozenset[str]] = frozenset({"allow_invoice_credit_or_void"})

    price_id: str
    quantity: Annotated[WireNumber, Field(ge=0)]
    change_option: Literal["immediate", "upcoming_invoice", "effective_date"] | None = None
    effective_date: LocalDay | None = None


def change(subscription: Subscription, given: Quantity, now: datetime) -> None:
    """Its customer is held. Raises Problem."""
    zone = subscription.customer.timezone
    if subscription.status(now, zone) != "active":
        raise errors.constraint("Only a subscription that is active can change its quantities.")
    today = periods.local_day(now, zone)
    (running,) = Running.each([subscription], today)
    rows = _fee(running.agreed, given.price_id)
    day = _day(given, rows, running, today, zone)
    row = next((one for one in rows if _covers(one, day)), None)
    if row is None:
        raise errors.invalid("effective_date must lie within the days on which the price is agreed.")
    _refuse_a_part(row, running, day)
    wire = row.price.wire
    changes = {
        "fixed_price_quantity": money.plain(number(given.quantity)),
        "replaces_price_id": wire.get("replaces_price_id") or row.price_id,
    }
    row.subscription = subscription
    new = instead_of(row.price, changes, now)
    row.hand_over(new, day)
    subscription.change({"terms": _covering(subscription.terms, row.price_id, new.id)})


def _fee(agreed: list[SubscriptionPrice], price_id: str) -> list[SubscriptionPrice]:
    """The intervals of the fee, whichever of its prices is named. Raises Problem."""
    named = next((row for row in agreed if price_id in _names(row)), None)
    if named is None:
        raise errors.not_found("Price")
    if named.price.metric_id is not None:
        raise errors.invalid("price_id must name a fee: what this price charges for is counted.")
    return [row for row in agreed if _names(row) & _names(named)]


def _names(row: SubscriptionPrice) -> set[str]:
    return {row.price_id, row.price.wire.get("replaces_price_id")} - {None}


def _day(given: Quantity, rows: list[SubscriptionPrice], running: Running, today: date, zone: str) -> date:
    """From when on the quantity is another. Raises Problem."""
    if given.effective_date is not None:
        if given.change_option not in (None, "effective_date"):
            raise errors.invalid("effective_date is for change_option effective_date.")
        day = day_in(given.effective_date, zone)
        if day < today:
            raise errors.invalid("effective_date must not be in the past: its bill may be made already.")
        return day
    if given.change_option == "effective_date":
        raise errors.invalid("effective_date is required where change_option is effective_date.")
    return _alone(rows[-1], running).cycle.period(today).end if given.change_option == "upcoming_invoice" else today


def _refuse_a_part(row: SubscriptionPrice, running: Running, day: date) -> None:
    """A period that has two quantities can be billed where the fee is prorated and paid when it is over."""
    wire = row.price.wire
    first = row.start_date or running.subscription.start_date
    if day in (first, _alone(row, running).cycle.period(day).start):
        return
    prorated = (wire.get(f"{row.price.model_type}_config") or {}).get("prorated")
    if not prorated or wire.get("billing_mode") == "in_advance":
        raise errors.constraint(
            "This fee is paid for whole periods: pass change_option upcoming_invoice, or the first day of a period."
        )


def _alone(row: SubscriptionPrice, running: Running) -> Terms:
    terms = running.terms
    agreed = [one for one in terms.agreed if one.price is row.price.wire]
    return replace(terms, agreed=agreed, free_until=None)


def _covers(row: SubscriptionPrice, day: date) -> bool:
    return (row.start_date is None or row.start_date <= day) and (row.end_date is None or day < row.end_date)


def _covering(terms: dict[str, list[dict[str, list[str] | None]]], old: str, new: str) -> dict[str, object]:
    """The terms, those of the old price being of the new one too."""
    changed: dict[str, object] = dict(terms)
    for name in ("discounts", "rules"):
        changed[name] = [
            {**term, "price_ids": [*ids, new]} if (ids := term.get("price_ids")) and old in ids else term
            for term in terms.get(name) or []
        ]
    return changed
