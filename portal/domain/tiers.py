"""Prices that depend on how much is used: graduated tiers, where each unit has its own, and bulk, where all share one.

Sources: https://docs.withorb.com/product-catalog/price-configuration ("the cost of a given unit depends on the tier
range that it falls into", "the number of units determine the cost of all units"); the official client says of a tier
that first_unit is exclusive, last_unit inclusive and null for the last tier only, and calls maximum_units the upper
bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from portal.domain.charges import Charge, NotPriced, TierShare, at, present, rows, unit_amount
from portal.domain.money import EXACT, number

Tier = tuple[Decimal, Decimal | None, Decimal]  # first unit (exclusive), last unit (inclusive, None: open), price


def graduated(config: Mapping[str, Any]) -> Callable[[Decimal], Charge]:
    """Each tier's share of a quantity at its own price. A negative quantity (a correction) is of the first tier."""
    tiers = _tiers(config)
    return lambda quantity: _graduated(tiers, quantity)


def bulk(config: Mapping[str, Any]) -> Callable[[Decimal], Charge]:
    """All units at the price of the tier that the quantity falls into; a negative quantity falls into the first one.

    The last tier goes on where its maximum_units is passed: Orb's own example ends at 1000.
    """
    tiers = _bounds(config)

    def charge(quantity: Decimal) -> Charge:
        amount = next((amount for last, amount in tiers if last is None or quantity <= last), tiers[-1][1])
        return at(quantity, amount)

    return charge


def refuse_an_end(config: Mapping[str, Any]) -> None:
    """Raises NotPriced where the last graduated tier ends: what is used beyond it would have no price."""
    if _tiers(config)[-1][1] is not None:
        raise NotPriced("the last tier must be open: its last_unit is null.")


def _graduated(tiers: list[Tier], quantity: Decimal) -> Charge:
    shares, amount = [], Decimal(0)
    for position, (first, last, price) in enumerate(tiers):
        if quantity <= first and (position or not quantity):
            break
        part = EXACT.subtract(quantity if last is None else min(quantity, last), first)
        share = TierShare(first, last, price, part, EXACT.multiply(part, price))
        shares.append(share)
        amount = EXACT.add(amount, share.amount)
    else:
        if shares[-1].last_unit is not None and quantity > shares[-1].last_unit:
            raise NotPriced(f"the last tier ends at {shares[-1].last_unit}, and the quantity is {quantity}.")
    return Charge(amount, tiers=tuple(shares))


def _tiers(config: Mapping[str, Any]) -> list[Tier]:
    """Without gaps. Raises NotPriced, NotRepresentable."""
    ranges = [_range(tier) for tier in rows(config, "tiers")]
    if not ranges or ranges[0][0] != 0:
        raise NotPriced("the first tier must start at 0: first_unit is exclusive.")
    if any(last is None or last <= first for first, last, _ in ranges[:-1]):
        raise NotPriced("every tier but the last must end after it starts.")
    if any(earlier[1] != later[0] for earlier, later in pairwise(ranges)):
        raise NotPriced("every tier must start where the one before it ends.")
    return ranges


def _range(tier: Mapping[str, Any]) -> Tier:
    last = tier.get("last_unit")
    return number(present(tier, "first_unit")), None if last is None else number(last), unit_amount(tier)


def _bounds(config: Mapping[str, Any]) -> list[tuple[Decimal | None, Decimal]]:
    """The most units of each tier (inclusive, None: open) and its price. Raises NotPriced, NotRepresentable."""
    found = [
        (None if (most := tier.get("maximum_units")) is None else number(most), unit_amount(tier))
        for tier in rows(config, "tiers")
    ]
    if not found:
        raise NotPriced("a bulk price needs at least one tier.")
    lasts = [last for last, _ in found]
    if any(last is None for last in lasts[:-1]):
        raise NotPriced("every bulk tier but the last needs its maximum_units.")
    closed = [Decimal(0), *(last for last in lasts if last is not None)]
    if any(later <= earlier for earlier, later in pairwise(closed)):
        raise NotPriced("the maximum_units of bulk tiers must be above 0, and each above the one before.")
    return found
