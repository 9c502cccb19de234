"""What a quantity costs at a price: exactly, in major units, before anyone rounds. Units, graduated tiers, fees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from portal.domain.money import EXACT, number

# A price as it stands on the wire: `model_type`, `<model>_config`, `price_type`, `fixed_price_quantity`. Numbers are
# text, int or Decimal. `prorated` has no effect: whoever asks has the quantity of the period already.
Price = Mapping[str, Any]

MODELS = ("unit", "tiered")


class NotPriced(ValueError):
    """A price that cannot be worked out here: another model, or a configuration with a hole in it."""


@dataclass(frozen=True, slots=True)
class TierShare:
    """The part of a quantity that falls into one tier."""

    first_unit: Decimal  # exclusive
    last_unit: Decimal | None  # inclusive; None where the tier is open
    unit_amount: Decimal  # major units
    quantity: Decimal
    amount: Decimal  # major units, not rounded


@dataclass(frozen=True, slots=True)
class Charge:
    """What a quantity costs, in major units and not rounded, with its tiers where the price has some."""

    amount: Decimal
    tiers: tuple[TierShare, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """What one day added to the quantity, and to what it costs (major units, not rounded)."""

    day: date
    quantity: Decimal
    amount: Decimal


def charge(price: Price, quantity: Decimal) -> Charge:
    """What `quantity` units cost; for a fixed price, what its own quantity costs.

    Tiers are graduated: each unit costs what its own tier says. Raises NotPriced, and NotRepresentable for numbers
    that are not exact.
    """
    model, config = _model(price)
    quantity = rated(price, quantity)
    return _by_unit(config, quantity) if model == "unit" else _by_tier(config, quantity)


def rated(price: Price, quantity: Decimal) -> Decimal:
    """The quantity that is charged: `fixed_price_quantity` where the price is fixed and has one, else `quantity`.

    Raises NotRepresentable.
    """
    if price.get("price_type") == "fixed_price" and price.get("fixed_price_quantity") is not None:
        return number(price["fixed_price_quantity"])
    return number(quantity)


def by_day(price: Price, days: Sequence[tuple[date, Decimal]]) -> list[Day]:
    """What each day added, given each day's own quantity: the charge up to its end less the charge up to its start.

    So a tier that is reached on one day is cheaper from that day on, and the days add up to the charge for all of
    them. A fixed price falls on the first day. Raises NotPriced, NotRepresentable.
    """
    result, used, charged = [], Decimal(0), Decimal(0)
    for day, quantity in days:
        used = EXACT.add(used, quantity)
        now_charged = charge(price, used).amount
        result.append(Day(day, quantity, EXACT.subtract(now_charged, charged)))
        charged = now_charged
    return result


def _model(price: Price) -> tuple[str, Mapping[str, Any]]:
    model = price.get("model_type")
    if model not in MODELS:
        raise NotPriced(f"prices of the model {str(model)[:40]} cannot be worked out: use {' or '.join(MODELS)}.")
    config = price.get(f"{model}_config")
    if not isinstance(config, Mapping):
        raise NotPriced(f"a price of the model {model} needs its {model}_config.")
    if number(price.get("conversion_rate") or 1) != 1:
        raise NotPriced("a price must be in the currency of its invoice: conversion_rate must be null or 1.")
    return str(model), config


def _by_unit(config: Mapping[str, Any], quantity: Decimal) -> Charge:
    """Quantity × scaling factor × unit price. https://docs.withorb.com: the factor comes before unit_amount."""
    factor = config.get("scaling_factor")
    scaled = quantity if factor is None else EXACT.multiply(quantity, number(factor))
    return Charge(EXACT.multiply(scaled, _unit_amount(config)))


def _by_tier(config: Mapping[str, Any], quantity: Decimal) -> Charge:
    """Each tier's share of the quantity at its own price. A negative quantity (a correction) is of the first tier."""
    shares, amount = [], Decimal(0)
    for position, (first, last, unit_amount) in enumerate(_tiers(config)):
        if quantity <= first and (position or not quantity):
            break
        part = EXACT.subtract(quantity if last is None else min(quantity, last), first)
        share = TierShare(first, last, unit_amount, part, EXACT.multiply(part, unit_amount))
        shares.append(share)
        amount = EXACT.add(amount, share.amount)
    else:
        if shares[-1].last_unit is not None and quantity > shares[-1].last_unit:
            raise NotPriced(f"the last tier ends at {shares[-1].last_unit}, and the quantity is {quantity}.")
    return Charge(amount, tuple(shares))


def _tiers(config: Mapping[str, Any]) -> list[tuple[Decimal, Decimal | None, Decimal]]:
    """First unit (exclusive), last unit (inclusive, None where open) and unit price of each tier, without gaps."""
    ranges = [_range(tier) for tier in _present(config, "tiers")]
    if not ranges or ranges[0][0] != 0:
        raise NotPriced("the first tier must start at 0: first_unit is exclusive.")
    if any(last is None or last <= first for first, last, _ in ranges[:-1]):
        raise NotPriced("every tier but the last must end after it starts.")
    if any(earlier[1] != later[0] for earlier, later in pairwise(ranges)):
        raise NotPriced("every tier must start where the one before it ends.")
    return ranges


def _range(tier: Mapping[str, Any]) -> tuple[Decimal, Decimal | None, Decimal]:
    last = tier.get("last_unit")
    return number(_present(tier, "first_unit")), None if last is None else number(last), _unit_amount(tier)


def _unit_amount(config: Mapping[str, Any]) -> Decimal:
    return number(_present(config, "unit_amount"))


def _present(config: Mapping[str, Any], key: str) -> Any:
    if config.get(key) is None:
        raise NotPriced(f"the price lacks its {key}.")
    return config[key]
