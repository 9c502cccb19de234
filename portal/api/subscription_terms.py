"""The discounts, minimums and maximums that a subscription keeps, and from when to when each of them holds.

A term is what `models.bill` applies, {type, value, price_ids, reason, start, end}, with `id`, the `interval_id` of its
time and the `item_id` of a minimum. Days are those of the customer, `end` is exclusive, null is as the subscription.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from portal.api.adjustments import Adjustment
from portal.api.price_fields import PriceDiscount
from portal.domain import money
from portal.domain.document import DISCOUNTS
from portal.models.base import new_id
from portal.models.catalog import Price

Term = dict[str, Any]


def kept(terms: Sequence[Term]) -> dict[str, Any]:
    """`Subscription.terms` for what was agreed."""
    discounts = [term for term in terms if term["type"] in DISCOUNTS]
    return {"discounts": discounts, "rules": [term for term in terms if term["type"] not in DISCOUNTS]}


def of_adjustment(
    wire: Mapping[str, Any], covered: Sequence[str], every: Sequence[str], start: date | None, end: date | None
) -> Term:
    """The term of an adjustment in Orb's shape that covers the prices `covered`, of `every` one there is."""
    kind = wire["adjustment_type"]
    whole = wire["is_invoice_level"] and set(covered) == set(every)
    return {
        "id": wire["id"],
        "interval_id": new_id(),
        "type": kind,
        "value": wire[f"{kind}_amount" if kind in ("minimum", "maximum") else kind],
        "price_ids": None if whole else list(covered),
        "reason": wire.get("reason"),
        "start": start.isoformat() if start else None,
        "end": end.isoformat() if end else None,
        **({"item_id": wire["item_id"]} if kind == "minimum" else {}),
    }


def of_price(price: Price, given: Any, start: date | None, end: date | None, where: str) -> list[Term]:
    """What an added or replaced price brings along for itself."""
    asked: list[dict[str, Any]] = [_asked(one) for one in given.discounts or []]
    for kind in ("minimum", "maximum"):
        amount = getattr(given, f"{kind}_amount")
        if amount is not None:
            asked.append({"adjustment_type": kind, f"{kind}_amount": money.plain(amount)})
    wires = [Adjustment.model_validate(one).wire([price], where) for one in asked]
    return [of_adjustment({**wire, "is_invoice_level": False}, [price.id], [], start, end) for wire in wires]


def of_coupon(discount: Mapping[str, Any], start: date, end: date | None) -> Term:
    """What a coupon takes off the whole bill."""
    kind = f"{discount['discount_type']}_discount"
    wire = {"id": new_id(), "adjustment_type": kind, kind: discount[kind], "is_invoice_level": True}
    return of_adjustment(wire, [], [], start, end)


def _asked(discount: PriceDiscount) -> dict[str, Any]:
    kind = f"{discount.discount_type}_discount"
    return {"adjustment_type": kind, kind: discount.wire()[kind], "reason": discount.reason}
