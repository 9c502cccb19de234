"""Discounts, minimums and maximums: what each rule changes on which line, in Orb's order, shared out without a loss.

Source of the order: https://docs.withorb.com/invoicing/invoice-calculation-examples. Among rules of one type the
narrower comes first: what a price carries itself, then what covers some prices, then what covers all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from portal.domain import money
from portal.domain.document import DISCOUNTS, ORDER, Adjustment, AdjustmentType, Discount, Rule
from portal.domain.periods import OutOfRange
from portal.domain.pricing import NotPriced, Price, Used, charge

WIDTHS = ("own", "some", "all")  # prices that a rule covers


@dataclass(slots=True)
class Work:
    """A line while its rules are applied. `running` is what it stands at so far, in minor units."""

    price: Price
    used: Used
    quantity: Decimal  # of it, less what usage discounts have taken off so far
    share: Fraction  # of a full period
    running: int
    adjustments: list[Adjustment] = field(default_factory=list)

    @property
    def price_id(self) -> str:
        return str(self.price.get("id", ""))

    @property
    def cost(self) -> Fraction:
        """What `quantity` costs, in major units. Of a matrix, discounted units leave all cells in proportion."""
        if self.used.cells:
            whole = Fraction(self.used.quantity)
            kept = Fraction(self.quantity) / whole if whole else 1
            return Fraction(charge(self.price, self.used).amount) * kept * self.share
        return Fraction(charge(self.price, self.quantity).amount) * self.share


@dataclass(frozen=True, slots=True)
class Step:
    """One rule, and the lines that it covers."""

    type: AdjustmentType
    value: Decimal  # as in document.Rule
    works: Sequence[Work]
    width: str  # one of WIDTHS
    price_ids: Sequence[str]
    reason: str | None

    @property
    def place(self) -> tuple[int, int]:
        return ORDER.index(self.type), WIDTHS.index(self.width)


def adjust(
    works: Sequence[Work],
    currency: str,
    *,
    new_id: Callable[[], str],
    discounts: Sequence[Discount] = (),
    rules: Sequence[Rule] = (),
    minimums: bool = True,
) -> None:
    """Applies to each line what its price carries, and to all of them `discounts` and `rules`.

    Without `minimums` those are left out, whoever carries them. Raises NotPriced, NotRepresentable, OutOfRange.
    """
    for discount in discounts:
        if discount["type"] not in DISCOUNTS:
            raise NotPriced(f"a discount must be one of {', '.join(DISCOUNTS)}.")
    steps = [*_carried(works), *(_covering(rule, works) for rule in (*discounts, *rules))]
    for step in sorted(steps, key=lambda step: step.place):  # stable: otherwise in the order in which they are given
        if minimums or step.type != "minimum":
            _apply(step, currency, new_id)


def _carried(works: Iterable[Work]) -> Iterable[Step]:
    """The discount, minimum and maximum that a price carries itself, on its own line."""
    for work in works:
        price = work.price
        if discount := price.get("discount"):
            kind = f"{discount.get('discount_type')}_discount"
            yield _step(kind, discount.get(kind), [work], "own", [work.price_id], discount.get("reason"))
        for bound in ("minimum", "maximum"):
            value = price.get(f"{bound}_amount") or (price.get(bound) or {}).get(f"{bound}_amount")
            if value is not None:
                yield _step(bound, value, [work], "own", [work.price_id])


def _covering(rule: Discount | Rule, works: Sequence[Work]) -> Step:
    covered, kind, value, reason = rule.get("price_ids"), rule["type"], rule["value"], rule.get("reason")
    if covered is None:
        return _step(kind, value, works, "all", list(dict.fromkeys(work.price_id for work in works)), reason)
    scope = [work for work in works if work.price_id in covered]
    return _step(kind, value, scope, "some" if len(covered) > 1 else "own", covered, reason)


def _step(
    kind: str, value: Any, works: Sequence[Work], width: str, price_ids: Sequence[str], reason: str | None = None
) -> Step:
    known = next((one for one in ORDER if one == kind), None)
    if known is None or value is None:
        raise NotPriced(f"an adjustment of the type {kind[:40]} cannot be worked out.")
    amount = money.number(value)
    if amount < 0 or (known == "percentage_discount" and amount > 1):
        raise OutOfRange(f"{known} must not be negative, and a percentage_discount must be between 0 and 1.")
    return Step(known, amount, works, width, price_ids, reason)


def _apply(step: Step, currency: str, new_id: Callable[[], str]) -> None:
    """Applies a rule to the lines that it covers; where it changes nothing, it leaves no trace."""
    changes = _changes(step, currency)
    if not any(changes):
        return
    rule_id = new_id()
    for work, change in zip(step.works, changes, strict=True):
        if not change:
            continue
        work.running += change
        work.adjustments.append(
            Adjustment(
                id=rule_id,
                type=step.type,
                amount=change,
                value=money.plain(step.value),
                is_invoice_level=step.width != "own",
                reason=step.reason,
                price_ids=list(step.price_ids),
            )
        )


def _changes(step: Step, currency: str) -> list[int]:
    """What a rule changes on each line that it covers, in minor units."""
    if step.type == "usage_discount":
        return [_use_less(work, step.value, currency) for work in step.works]
    running = [work.running for work in step.works]
    if step.type == "percentage_discount":
        return _percentage(running, step.value)
    bound, reached = money.rounded(step.value, currency), sum(running)
    if step.type == "amount_discount":
        return over_positive(-min(bound, max(reached, 0)), running)
    if step.type == "minimum":
        return over_positive(max(bound - reached, 0), running)
    return over_positive(min(bound - reached, 0), running)


def _use_less(work: Work, units: Decimal, currency: str) -> int:
    """Takes `units` off the line's quantity, down to none at most; what that changes, in minor units.

    In bulk fewer units may cost more than all of them: then nothing changes, for a discount makes no line dearer.
    """
    work.quantity = max(money.EXACT.subtract(work.quantity, units), min(work.quantity, Decimal(0)))
    change = money.rounded(work.cost, currency) - work.running
    return min(change, 0) if work.running > 0 else change


def _percentage(running: Sequence[int], share: Decimal) -> list[int]:
    """`share` of each line off, in all as much as `share` of their sum, rounded. A negative line shrinks as well."""
    off = money.whole(money.EXACT.multiply(Decimal(sum(running)), share))
    return [-part for part in money.apportioned(off, [amount * Fraction(share) for amount in running])]


def over_positive(amount: int, running: Sequence[int]) -> list[int]:
    """`amount` shared out over the lines that cost something, in proportion; equally where none does."""
    return money.shared_out(amount, [max(one, 0) for one in running]) if running else []
