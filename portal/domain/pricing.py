"""What a quantity costs at a price: exactly, in major units, before anyone rounds. Fees, and five models of usage.

Source of the models: https://docs.withorb.com/product-catalog/price-configuration
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

from portal.domain import tiers
from portal.domain.charges import (
    Cell,
    Charge,
    Day,
    MatrixShare,
    NotPriced,
    Price,
    Rate,
    TierShare,
    Used,
    at,
    factor,
    present,
    unit_amount,
)
from portal.domain.matrix import by_cell, cells, dimensions
from portal.domain.money import EXACT, NotRepresentable, number

__all__ = [
    "MODELS",
    "Cell",
    "Charge",
    "Day",
    "MatrixShare",
    "NotPriced",
    "Price",
    "Rate",
    "TierShare",
    "Used",
    "basis",
    "by_day",
    "cells",
    "charge",
    "check",
    "dimensions",
    "rated",
    "running",
]

MODELS = ("unit", "tiered", "bulk", "package", "matrix")


def charge(price: Price, quantity: Decimal | Used) -> Charge:
    """What `quantity` units cost; for a fixed price, what its own quantity costs.

    Raises NotPriced, and NotRepresentable for numbers that are not exact.
    """
    return _rater(price)(basis(price, quantity))


def basis(price: Price, quantity: Decimal | Used) -> Used:
    """What is charged: the own quantity of a price that is fixed and has one, else `quantity`.

    Of a matrix price it is the sum of the cells, whatever they were taken from. Raises NotRepresentable.
    """
    if price.get("price_type") == "fixed_price" and price.get("fixed_price_quantity") is not None:
        return Used(number(price["fixed_price_quantity"]))
    used = quantity if isinstance(quantity, Used) else Used(number(quantity))
    if price.get("model_type") == "matrix" and used.cells:
        return Used.of_cells(used.cells)
    return Used(used.quantity) if used.cells else used


def rated(price: Price, quantity: Decimal | Used) -> Decimal:
    """The quantity that is charged. Raises NotRepresentable."""
    return basis(price, quantity).quantity


def by_day(price: Price, running: Sequence[tuple[date, Decimal | Used]]) -> list[Day]:
    """What each day added, given how much was used up to the end of each day.

    A day's amount is the charge up to its end less the charge up to the end of the day before. So a tier that is
    reached on one day is cheaper from that day on, and the days add up to the charge for all of them. A fixed price
    falls on the first day. Raises NotPriced, NotRepresentable.
    """
    rater, result = _rater(price), []
    quantity, amount, before = Decimal(0), Decimal(0), None
    for day, so_far in running:
        if so_far == before:
            result.append(Day(day, Decimal(0), Decimal(0)))
            continue
        used = basis(price, so_far)
        charged = rater(used).amount
        result.append(Day(day, EXACT.subtract(used.quantity, quantity), EXACT.subtract(charged, amount)))
        quantity, amount, before = used.quantity, charged, so_far
    return result


def running(days: Sequence[tuple[date, Decimal]]) -> list[tuple[date, Decimal]]:
    """How much was used up to the end of each day, of a quantity whose days add up."""
    return list(accumulate(days, lambda before, one: (one[0], EXACT.add(before[1], one[1]))))


def check(price: Price) -> None:
    """Raises NotPriced, with a sentence that says why, for a price that some quantity could not be charged at."""
    try:
        _rater(price)
        basis(price, Decimal(1))
        if price["model_type"] == "tiered":
            tiers.refuse_an_end(price["tiered_config"])
    except NotRepresentable as error:
        raise NotPriced(str(error)) from None


def _rater(price: Price) -> Callable[[Used], Charge]:
    """What works out the charge of any quantity at `price`, which is read once. Raises NotPriced, NotRepresentable."""
    model, config = _model(price)
    if model == "matrix":
        return by_cell(config)
    of_quantity = _READ[model](config)
    return lambda used: of_quantity(used.quantity)


def _model(price: Price) -> tuple[str, Mapping[str, Any]]:
    model = price.get("model_type")
    if model not in MODELS:
        known = f"{', '.join(MODELS[:-1])} or {MODELS[-1]}"
        raise NotPriced(f"prices of the model {str(model)[:40]} cannot be worked out: use {known}.")
    config = price.get(f"{model}_config")
    if not isinstance(config, Mapping):
        raise NotPriced(f"a price of the model {model} needs its {model}_config.")
    if number(price.get("conversion_rate") or 1) != 1:
        raise NotPriced("a price must be in the currency of its invoice: conversion_rate must be null or 1.")
    return str(model), config


def _unit(config: Mapping[str, Any]) -> Callable[[Decimal], Charge]:
    """Quantity × scaling factor × unit price: the official client says that the factor comes before unit_amount."""
    scale, amount = factor(config), unit_amount(config)
    return lambda quantity: at(quantity if scale == 1 else EXACT.multiply(quantity, scale), amount)


def _package(config: Mapping[str, Any]) -> Callable[[Decimal], Charge]:
    """Each package that was begun costs its whole price: of packages of 10, 4 units are billed as 10 and 11 as 20.

    A negative quantity (a correction) gives back what as many units would have cost.
    """
    size, amount = number(present(config, "package_size")), number(present(config, "package_amount"))
    if size <= 0 or size != size.to_integral_value():
        raise NotPriced("package_size must be a whole number above 0.")
    return lambda quantity: at(_packages(quantity, size), amount, size)


def _packages(quantity: Decimal, size: Decimal) -> Decimal:
    whole, rest = EXACT.divmod(quantity.copy_abs(), size)
    return EXACT.add(whole, 1 if rest else 0).copy_sign(quantity)


_READ: dict[str, Callable[[Mapping[str, Any]], Callable[[Decimal], Charge]]] = {
    "unit": _unit,
    "tiered": tiers.graduated,
    "bulk": tiers.bulk,
    "package": _package,
}
