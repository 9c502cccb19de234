"""Discounts, minimums and maximums as a plan has them: what each takes or asks, of what, and from when to when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain import money


@dataclass(frozen=True, slots=True)
class Rule:
    type: str  # one of domain.document.ORDER
    value: str  # as in domain.document.Rule
    reason: str | None = None
    names: tuple[str, ...] = ()  # of the prices that it covers; none where it covers all
    start: date | None = None
    end: date | None = None  # exclusive
    by_coupon: bool = False


def agreed(
    terms: Mapping[str, Any], coupon: Mapping[str, Any] | None, currency: str, names: Mapping[str, str], since: date
) -> list[Rule]:
    """Those of a subscription that hold in the period which began on `since`, or later; `names` are those of prices.

    What covers only prices that have no name here has nothing to do any more. Raises UnknownCurrency.
    """
    kept = [*(terms.get("discounts") or ()), *(terms.get("rules") or ())]
    of_coupon = [one for one in kept if coupon and _is_of(coupon, one)][-1:]  # it was added last
    found = [_rule(one, one in of_coupon, names) for one in kept if _covers(one, names)]
    if terms.get("minimum") is not None:
        found.append(Rule("minimum", money.wire(terms["minimum"], currency)))
    return [rule for rule in found if rule.end is None or rule.end > since]


def carried(wire: Mapping[str, Any]) -> list[Rule]:
    """What a price carries itself."""
    discount = wire.get("discount") or {}
    kind = f"{discount.get('discount_type')}_discount"
    found = [Rule(kind, str(discount[kind]), discount.get("reason"))] if discount.get(kind) is not None else []
    for bound in ("minimum", "maximum"):
        value = wire.get(f"{bound}_amount") or (wire.get(bound) or {}).get(f"{bound}_amount")
        if value is not None:
            found.append(Rule(bound, str(value)))
    return found


def _rule(one: Mapping[str, Any], by_coupon: bool, names: Mapping[str, str]) -> Rule:
    covered = one.get("price_ids")
    return Rule(
        type=one["type"],
        value=str(one["value"]),
        reason=one.get("reason"),
        names=tuple(names[id] for id in covered if id in names) if covered and set(names) - set(covered) else (),
        start=_day(one.get("start")),
        end=_day(one.get("end")),
        by_coupon=by_coupon,
    )


def _covers(one: Mapping[str, Any], names: Mapping[str, str]) -> bool:
    covered = one.get("price_ids")
    return covered is None or bool(set(covered) & set(names))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _is_of(coupon: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    """Is it what the redeemed `coupon` takes off the whole bill, for as long as it lasts?"""
    lasts = one.get("start") in (None, coupon.get("start")) and one.get("end") == coupon.get("end")
    return lasts and one.get("price_ids") is None and one.get("reason") is None
