"""From when to when a subscription has each of its prices and adjustments, as the wire has it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from portal.api import prices
from portal.api.shapes import number, stamp
from portal.domain import money, periods
from portal.domain.document import DISCOUNTS
from portal.domain.dues import Agreed, Terms
from portal.domain.periods import OutOfRange
from portal.domain.pricing import NotPriced
from portal.models.subscription import Subscription, SubscriptionPrice


def period(terms: Terms, today: date, zone: str, status: str) -> tuple[str | None, str | None]:
    """The billing period that runs; none where nothing does, or where a price cannot be worked out."""
    if status != "active":
        return None, None
    try:
        runs = terms.period(today)
    except (NotPriced, OutOfRange):
        return None, None
    return midnight(runs.start, zone), midnight(runs.end, zone)


def span(one: Subscription, start: date | None, end: date | None, zone: str) -> dict[str, str | None]:
    """The instants of two days, None being the subscription's own, within which both lie."""
    first, last = one.first_instant(zone), one.last_instant(zone)
    begins = first if start is None else max(first, periods.midnight(start, zone))
    ends = [at for at in (last, None if end is None else periods.midnight(end, zone)) if at is not None]
    return {"start_date": stamp(begins), "end_date": stamp(max(begins, min(ends))) if ends else None}


def quantity(one: Subscription, row: SubscriptionPrice, zone: str) -> dict[str, Any]:
    fixed = row.price.wire.get("fixed_price_quantity")
    return {
        "price_id": row.price_id,
        "quantity": number("1" if fixed is None else str(fixed)),
        **span(one, row.start_date, row.end_date, zone),
    }


def of_price(
    one: Subscription, row: SubscriptionPrice, terms: Terms, zone: str, today: date, status: str
) -> dict[str, Any]:
    agreed = Agreed(row.price.wire, row.start_date, row.end_date)
    runs = (row.start_date is None or row.start_date <= today) and (row.end_date is None or today < row.end_date)
    alone = replace(terms, agreed=[agreed], free_until=None)
    start, end = period(alone, today, zone, status if runs else "")
    return {
        "id": interval_id(one, row),
        "billing_cycle_day": terms.anchor_day or terms.anchor.day,
        "can_defer_billing": False,
        "current_billing_period_start_date": start,
        "current_billing_period_end_date": end,
        "filter": None,
        "fixed_fee_quantity_transitions": None,
        "metric_parameter_overrides": None,
        "price": prices.shape(row.price),
        "usage_customer_ids": None,
        **span(one, row.start_date, row.end_date, zone),
    }


def interval_id(one: Subscription, row: SubscriptionPrice) -> str:
    """The interval's own id, or the same one each time where it was made before intervals had ids."""
    return row.interval_id or _id(one.id, row.price_id)


def of_adjustments(one: Subscription, agreed: Sequence[SubscriptionPrice], zone: str) -> list[dict[str, Any]]:
    """The subscription's discounts, minimums and maximums, each with its time, in the order of their start."""
    terms = [*(one.terms.get("discounts") or []), *(one.terms.get("rules") or [])]
    if one.terms.get("minimum") is not None:
        terms.append({"type": "minimum", "value": money.wire(one.terms["minimum"], one.currency)})
    found = [_adjustment(one, place, term, agreed, zone) for place, term in enumerate(terms)]
    return sorted(found, key=lambda row: row["start_date"])


def _adjustment(
    one: Subscription, place: int, term: dict[str, Any], agreed: Sequence[SubscriptionPrice], zone: str
) -> dict[str, Any]:
    kind, wanted = term["type"], term.get("price_ids")
    rows = [row for row in agreed if wanted is None or row.price_id in wanted]
    special = {f"{kind}_amount" if kind in ("minimum", "maximum") else kind: term["value"]}
    if kind in ("percentage_discount", "usage_discount"):
        special = {kind: number(term["value"])}
    if kind == "minimum":
        special["item_id"] = term.get("item_id") or (rows[0].price.item_id if rows else one.id)
    start, end = (None if term.get(key) is None else date.fromisoformat(term[key]) for key in ("start", "end"))
    return {
        "id": term.get("interval_id") or _id(one.id, f"interval {place}"),
        **span(one, start, end, zone),
        "applies_to_price_interval_ids": [interval_id(one, row) for row in rows],
        "adjustment": {
            "id": term.get("id") or _id(one.id, f"adjustment {place}"),
            "adjustment_type": kind,
            "applies_to_price_ids": [row.price_id for row in rows],
            "filters": [],
            "is_invoice_level": wanted is None or len(wanted) > 1,
            "plan_phase_order": None,
            "reason": term.get("reason"),
            "replaces_adjustment_id": None,
            **special,
        },
    }


def older(rows: Sequence[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    """The adjustments of some kinds, as Orb wrote them before it had adjustments."""
    return [_older(row) for row in rows if row["adjustment"]["adjustment_type"] in kinds]


def _older(row: dict[str, Any]) -> dict[str, Any]:
    adjustment = row["adjustment"]
    kind = adjustment["adjustment_type"]
    key = f"{kind}_amount" if kind in ("minimum", "maximum") else kind
    same = {name: row[name] for name in ("start_date", "end_date", "applies_to_price_interval_ids")}
    said = {key: adjustment[key], "filters": [], **same}
    return {**said, "discount_type": kind.removesuffix("_discount")} if kind in DISCOUNTS else said


def midnight(day: date | None, zone: str) -> str | None:
    return None if day is None else stamp(periods.midnight(day, zone))


def _id(*names: str) -> str:
    return hashlib.blake2b(" ".join(names).encode(), digest_size=8).hexdigest()
