"""Discounts, minimums and maximums: what each rule changes on which line, in Orb's order, shared out without a loss.

Source of the order: docs.withorb.com, invoice calculation examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from portal.domain import money
from portal.domain.document import DISCOUNTS, ORDER, Adjustment, AdjustmentType, Discount
from portal.domain.periods import OutOfRange
from portal.domain.pricing import NotPriced, Price, charge


@dataclass(slots=True)
class Work:
    """A line while its rules are applied. `running` is what it stands at so far, in minor units."""

    price: Price
    quantity: Decimal  # less what usage discounts have taken off so far
    running: int
    adjustments: list[Adjustment] = field(default_factory=list)

    @property
    def price_id(self) -> str:
        return str(self.price.get("id", ""))


@dataclass(frozen=True, slots=True)
class Rule:
    """One discount, minimum or maximum, and the lines that it covers."""

    type: AdjustmentType
    value: Decimal  # as in Discount; minimum and maximum: major units
    works: Sequence[Work]
    is_invoice_level: bool
    reason: str | None = None


def adjust(
    works: Sequence[Work],
    currency: str,
    *,
    new_id: Callable[[], str],
    discounts: Sequence[Discount] = (),
    minimum: int | None = None,
) -> None:
    """Applies to each line what its price carries, and to all of them the invoice's `discounts` and `minimum` (minor).

    Raises NotPriced, NotRepresentable, OutOfRange.
    """
    rules = [*_price_rules(works), *_invoice_rules(works, discounts, minimum, currency)]
    for rule in sorted(rules, key=lambda rule: ORDER.index(rule.type)):  # stable: a price's own rules come first
        _apply(rule, currency, new_id)


def _price_rules(works: Iterable[Work]) -> Iterable[Rule]:
    """The discount, minimum and maximum that a price carries itself, on its own line."""
    for work in works:
        price = work.price
        if discount := price.get("discount"):
            kind = f"{discount.get('discount_type')}_discount"
            yield _rule(kind, discount.get(kind), [work], is_invoice_level=False, reason=discount.get("reason"))
        for bound in ("minimum", "maximum"):
            value = price.get(f"{bound}_amount") or (price.get(bound) or {}).get(f"{bound}_amount")
            if value is not None:
                yield _rule(bound, value, [work], is_invoice_level=False)


def _invoice_rules(
    works: Sequence[Work], discounts: Iterable[Discount], minimum: int | None, currency: str
) -> Iterable[Rule]:
    for discount in discounts:
        if discount["type"] not in DISCOUNTS:
            raise NotPriced(f"a discount must be one of {', '.join(DISCOUNTS)}.")
        covered = discount.get("price_ids")
        scope = [work for work in works if covered is None or work.price_id in covered]
        yield _rule(discount["type"], discount["value"], scope, is_invoice_level=True, reason=discount.get("reason"))
    if minimum is not None:
        yield _rule("minimum", money.wire(minimum, currency), works, is_invoice_level=True)


def _rule(kind: str, value: Any, works: Sequence[Work], *, is_invoice_level: bool, reason: str | None = None) -> Rule:
    known = next((one for one in ORDER if one == kind), None)
    if known is None or value is None:
        raise NotPriced(f"an adjustment of the type {kind[:40]} cannot be worked out.")
    amount = money.number(value)
    if amount < 0 or (known == "percentage_discount" and amount > 1):
        raise OutOfRange(f"{known} must not be negative, and a percentage_discount must be between 0 and 1.")
    return Rule(known, amount, works, is_invoice_level, reason)


def _apply(rule: Rule, currency: str, new_id: Callable[[], str]) -> None:
    """Applies `rule` to the lines that it covers; where it changes nothing, it leaves no trace."""
    changes = _changes(rule, currency)
    if not any(changes):
        return
    rule_id, price_ids = new_id(), list(dict.fromkeys(work.price_id for work in rule.works))
    for work, change in zip(rule.works, changes, strict=True):
        if not change:
            continue
        work.running += change
        work.adjustments.append(
            Adjustment(
                id=rule_id,
                type=rule.type,
                amount=change,
                value=money.plain(rule.value),
                is_invoice_level=rule.is_invoice_level,
                reason=rule.reason,
                price_ids=price_ids,
            )
        )


def _changes(rule: Rule, currency: str) -> list[int]:
    """What `rule` changes on each line that it covers, in minor units."""
    if rule.type == "usage_discount":
        return [_use_less(work, rule.value, currency) for work in rule.works]
    running = [work.running for work in rule.works]
    if rule.type == "percentage_discount":
        return _percentage(running, rule.value)
    bound, reached = money.rounded(rule.value, currency), sum(running)
    if rule.type == "amount_discount":
        return over_positive(-min(bound, max(reached, 0)), running)
    if rule.type == "minimum":
        return over_positive(max(bound - reached, 0), running)
    return over_positive(min(bound - reached, 0), running)


def _use_less(work: Work, units: Decimal, currency: str) -> int:
    """Takes `units` off the line's quantity, down to none at most; what that changes, in minor units."""
    fewer = max(money.EXACT.subtract(work.quantity, units), min(work.quantity, Decimal(0)))
    before, work.quantity = money.rounded(charge(work.price, work.quantity).amount, currency), fewer
    return money.rounded(charge(work.price, fewer).amount, currency) - before


def _percentage(running: Sequence[int], share: Decimal) -> list[int]:
    """`share` of each line off, in all as much as `share` of their sum, rounded. A negative line shrinks as well."""
    off = money.whole(money.EXACT.multiply(Decimal(sum(running)), share))
    return [-part for part in money.apportioned(off, [amount * Fraction(share) for amount in running])]


def over_positive(amount: int, running: Sequence[int]) -> list[int]:
    """`amount` shared out over the lines that cost something, in proportion; equally where none does."""
    return money.shared_out(amount, [max(one, 0) for one in running]) if running else []
