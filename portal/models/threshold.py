"""Invoices before their time: what was used is billed as soon as it comes to the threshold of its subscription."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from peewee import JOIN

from portal.domain import periods
from portal.domain.dues import Due
from portal.domain.periods import Period
from portal.models.base import locked, new_id, tuples
from portal.models.bill import CANNOT, Bill, Billed, Running
from portal.models.billed import draft
from portal.models.credit import CreditBlock
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.line_id import line_id
from portal.models.published import PublishedHome
from portal.models.subscription import Subscription, Threshold
from portal.models.usage import UsageDay

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Part:
    """An invoice of a part of the period: what it billed of each price, in minor units, before tax and credits."""

    invoice_id: str
    number: str | None  # None until it is issued
    amounts: Mapping[str, int]


def parts(subscriptions: list[Subscription], boundaries: Mapping[str, date]) -> dict[str, list[Part]]:
    """The invoices of parts of the period of each subscription, oldest first.

    `boundaries` say which period, by its end. One query, and none where no subscription has had such invoices.
    """
    ids = [one.id for one in subscriptions if one.invoicing_threshold is not None or one.terms.get("partials")]
    found: dict[str, list[Part]] = {}
    if not ids:
        return found
    rows = Invoice.select(
        Invoice.id, Invoice.subscription, Invoice.billing_date, Invoice.number, Invoice.document
    ).where(
        Invoice.subscription.in_(ids),
        Invoice.billing_date.in_(sorted(set(boundaries.values()))),
        Invoice.source == "partial",
        Invoice.status != "void",
    )
    for row in rows.order_by(Invoice.created_at, Invoice.id):
        id = str(row.subscription_id)
        if row.billing_date == boundaries.get(id):
            found.setdefault(id, []).append(Part(row.id, row.number, _amounts(row)))
    return found


def partials(subscriptions: list[Subscription], boundaries: Mapping[str, date]) -> dict[str, dict[str, int]]:
    """What the `parts` of each subscription have billed of each price, together. Queries as for them."""
    return {id: together(several) for id, several in parts(subscriptions, boundaries).items()}


def together(several: Sequence[Part]) -> dict[str, int]:
    """What they billed of each price."""
    billed: Counter[str] = Counter()
    for one in several:
        billed.update(one.amounts)
    return dict(billed)


def _amounts(invoice: Invoice) -> dict[str, int]:
    billed: Counter[str] = Counter()
    for line in invoice.document["lines"]:
        billed[line["price"]["id"]] += line["adjusted_subtotal"] - line["partially_invoiced"]
    return dict(billed)


def crossing(limit: int) -> list[tuple[Any, ...]]:
    """The subscriptions with a threshold whose customers' usage may have changed: id, customer, what counts it."""
    rows = (
        Subscription.select(Subscription.id, Subscription.customer, PublishedHome.revision)
        .join(PublishedHome, on=(PublishedHome.customer == Subscription.customer))
        .join(Threshold, JOIN.LEFT_OUTER, on=(Threshold.subscription == Subscription.id))
        .where(Subscription.invoicing_threshold.is_null(False), Subscription.bill_at.is_null(False))
        .where(Threshold.revision.is_null() | (Threshold.revision != PublishedHome.revision))
        .order_by(Subscription.id)
        .limit(limit)
    )
    return tuples(rows)


def draft_part(subscription_id: str, customer_id: str, revision: int, now: datetime, by: str) -> Invoice | None:
    """The draft of what was used so far and not billed, where that comes to the threshold; to be issued at once."""
    customer = Customer.get_by_id(customer_id).held()
    Threshold.insert(subscription=subscription_id, revision=revision).on_conflict(
        conflict_target=(Threshold.subscription,), preserve=(Threshold.revision,)
    ).execute()
    subscription = locked(Subscription.select().where(Subscription.id == subscription_id)).get()
    today = periods.local_day(now, customer.timezone)
    (running,) = Running.each([subscription], today)
    try:
        made = _part(running, customer, today, now)
    except CANNOT:
        return None
    if made is None:
        return None
    boundary, id, billed = made
    if not subscription.terms.get("partials"):
        terms = {**subscription.terms, "partials": True}
        Subscription.update(terms=terms).where(Subscription.id == subscription.id).execute()
    return draft(
        billed,
        subscription,
        customer,
        now,
        by,
        id=id,
        source="partial",
        boundary=boundary,
        invoice_date=now,
        will_auto_issue=True,
    )


def _part(running: Running, customer: Customer, today: date, now: datetime) -> tuple[date, str, Billed] | None:
    boundary, threshold = running.terms.next(today), running.subscription.invoicing_threshold
    if boundary is None or threshold is None:
        return None
    whole = Bill.at(running, boundary, today + _DAY)
    metered = [_so_far(due, today) for due in whole.dues if due.price.get("price_type") == "usage_price"]
    bill = Bill(running, metered, whole.since, today + _DAY)
    usage = UsageDay.series(customer.id, bill.wants)
    paid = partials([running.subscription], {running.subscription.id: boundary}).get(running.subscription.id, {})
    id = new_id()
    document, days = bill.document(
        usage,
        line_id=lambda price_id: line_id(id, price_id),
        credits=CreditBlock.at_hand(customer.id, running.subscription.currency, now),
        partials=paid,
        minimums=False,
    )
    asked = sum(line["adjusted_subtotal"] - line["partially_invoiced"] for line in document["lines"])
    return (boundary, id, (document, days)) if asked >= max(threshold, 1) else None


def _so_far(due: Due, today: date) -> Due:
    """The days of `due` up to today: an invoice says nothing of those to come."""
    return replace(due, days=Period(due.days.start, max(due.days.start, min(due.days.end, today + _DAY))))
