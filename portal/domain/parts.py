"""What a line is made of: the tiers and the cells of a matrix that were used, as parts that add up to its subtotal.

As with Orb, prices of the other models have no parts: their arithmetic is one multiplication.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from portal.domain import money
from portal.domain.document import SubLine
from portal.domain.pricing import Cell, Charge, MatrixShare, Price, TierShare, dimensions


def sub_lines(cost: Charge, price: Price, share: Fraction, subtotal: int, currency: str) -> list[SubLine]:
    """The parts of `subtotal` (minor), which is `share` of `cost`, rounded."""
    scale = 10 ** money.exponent(currency)
    parts = cost.tiers or cost.matrix
    amounts = money.apportioned(subtotal, [Fraction(part.amount) * share * scale for part in parts])
    if cost.tiers:
        rows = zip(cost.tiers, amounts, strict=True)
        return [_tier(tier, position, amount) for position, (tier, amount) in enumerate(rows, start=1)]
    names = dimensions(price) if cost.matrix else ()
    return [_cell(cell, names, amount) for cell, amount in zip(cost.matrix, amounts, strict=True)]


def named(values: Cell | None, dimensions: Sequence[str]) -> str:
    """A cell in words: "eu, no tier"; None is all that have no price of their own."""
    if values is None:
        return "Other"
    return ", ".join(f"no {name}" if value is None else value for name, value in zip(dimensions, values, strict=True))


def _tier(tier: TierShare, position: int, amount: int) -> SubLine:
    return SubLine(
        type="tier",
        name=f"Tier {position}",
        quantity=money.plain(tier.quantity),
        amount=amount,
        first_unit=money.plain(tier.first_unit),
        last_unit=None if tier.last_unit is None else money.plain(tier.last_unit),
        unit_amount=money.plain(tier.unit_amount),
        dimension_values=None,
    )


def _cell(cell: MatrixShare, names: tuple[str, ...], amount: int) -> SubLine:
    return SubLine(
        type="matrix",
        name=named(cell.values, names),
        quantity=money.plain(cell.quantity),
        amount=amount,
        first_unit=None,
        last_unit=None,
        unit_amount=money.plain(cell.unit_amount),
        dimension_values=None if cell.values is None else list(cell.values),
    )
