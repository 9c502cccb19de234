"""What a bill must come to, worked out a second time: in fractions of a minor unit, from the rules and not the code.

The rules are those that the docstrings of `portal.domain` and Orb's documents state
(https://docs.withorb.com/invoicing/invoice-calculation-examples). Nothing of what is judged is used here, but for the
decimals of a currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from portal.domain import money

TYPES = ("usage_discount", "amount_discount", "percentage_discount", "minimum", "maximum")  # in their order


@dataclass
class Wanted:
    """One line as it goes in. `so_far`: what was used up to the end of each day, in cells where the price has some."""

    price: dict[str, Any]
    so_far: list[dict[tuple[str | None, ...], Decimal]]
    share: Fraction
    with_days: bool
    partially: int

    @property
    def cells(self) -> dict[tuple[str | None, ...], Decimal]:
        return self.so_far[-1] if self.so_far else {}


@dataclass
class Invoice:
    currency: str
    lines: list[Wanted]
    terms: dict[str, Any]


@dataclass
class Truth:
    """One line. `off` is what usage discounts have taken off its quantity."""

    wanted: Wanted
    scale: int
    off: Fraction = Fraction(0)
    changes: list[tuple[str, int]] = field(default_factory=list)

    @property
    def quantity(self) -> Fraction:
        own = self.wanted.price["fixed_price_quantity"]
        return sum(map(Fraction, self.wanted.cells.values()), Fraction(0)) if own is None else Fraction(own)

    @property
    def exact(self) -> Fraction:
        return self.cost(Fraction(0))

    @property
    def subtotal(self) -> int:
        return half_up(self.exact)

    @property
    def running(self) -> int:
        return self.subtotal + sum(change for _, change in self.changes)

    def cost(self, off: Fraction) -> Fraction:
        """With so many units less than were used, never beyond none; in minor units."""
        price, cells = self.wanted.price, self.wanted.cells
        total = self.quantity
        fewer = max(total - off, min(total, Fraction(0)))
        config = price[f"{price['model_type']}_config"]
        if price["fixed_price_quantity"] is not None:
            cells, fewer = {}, total  # a fee is for its own quantity, whatever is used
        if cells and price["model_type"] == "matrix":
            amount = matrix(config, {cell: Fraction(one) for cell, one in cells.items()}, total)
            amount *= fewer / total if total else 1
        else:
            amount = COSTS[price["model_type"]](config, fewer)
        return amount * self.wanted.share * self.scale


def unit(config: dict[str, Any], quantity: Fraction) -> Fraction:
    return quantity * Fraction(config.get("scaling_factor") or 1) * Fraction(config["unit_amount"])


def tiered(config: dict[str, Any], quantity: Fraction) -> Fraction:
    """Each unit at the price of its own tier; corrections are of the first."""
    if quantity < 0:
        return quantity * Fraction(config["tiers"][0]["unit_amount"])
    amount = Fraction(0)
    for tier in config["tiers"]:
        inside = quantity if tier["last_unit"] is None else min(quantity, tier["last_unit"])
        amount += max(inside - tier["first_unit"], Fraction(0)) * Fraction(tier["unit_amount"])
    return amount


def bulk(config: dict[str, Any], quantity: Fraction) -> Fraction:
    fits = [tier for tier in config["tiers"] if tier["maximum_units"] is None or quantity <= tier["maximum_units"]]
    return quantity * Fraction(fits[0]["unit_amount"])


def package(config: dict[str, Any], quantity: Fraction) -> Fraction:
    begun = -(-abs(quantity) // config["package_size"])
    return (-begun if quantity < 0 else begun) * Fraction(config["package_amount"])


def matrix(config: dict[str, Any], cells: dict[Any, Fraction], quantity: Fraction) -> Fraction:
    own = {tuple(row["dimension_values"]): Fraction(row["unit_amount"]) for row in config["matrix_values"]}
    default = Fraction(config["default_unit_amount"])
    if not cells:
        return quantity * default
    return sum((one * own.get(cell, default) for cell, one in cells.items()), Fraction(0))


COSTS: dict[str, Any] = {
    "unit": unit,
    "tiered": tiered,
    "bulk": bulk,
    "package": package,
    "matrix": lambda config, quantity: matrix(config, {}, quantity),
}


def half_up(exact: Fraction) -> int:
    """Halves go away from zero."""
    return floor(exact + Fraction(1, 2)) if exact >= 0 else -floor(-exact + Fraction(1, 2))


def dealt(total: int, exact: list[Fraction]) -> list[int]:
    """Whole parts of `total`: each first rounded down, then one more for those that lost most, the earlier first."""
    parts = [floor(one) for one in exact]
    lost = sorted(range(len(exact)), key=lambda n: exact[n] - parts[n], reverse=True)
    for n in lost[: total - sum(parts)]:
        parts[n] += 1
    return parts


def in_proportion(amount: int, running: list[int]) -> list[int]:
    """Over what costs something; equally where nothing does."""
    weights = [max(one, 0) for one in running]
    if not any(weights):
        weights = [1] * len(running)
    sign = -1 if amount < 0 else 1
    return [sign * part for part in dealt(abs(amount), [Fraction(abs(amount) * one, sum(weights)) for one in weights])]


def rules_of(invoice: Invoice, lines: list[Truth]) -> list[tuple[str, Fraction, list[Truth]]]:
    """In the order in which they apply: by type; of one type what covers one price, then some prices, then all."""
    found: list[tuple[int, str, Fraction, list[Truth]]] = []
    for line in lines:
        price = line.wanted.price
        if discount := price.get("discount"):
            kind = f"{discount['discount_type']}_discount"
            found.append((0, kind, Fraction(discount[kind]), [line]))
        for bound in ("minimum", "maximum"):
            if price.get(f"{bound}_amount") is not None:
                found.append((0, bound, Fraction(price[f"{bound}_amount"]), [line]))
    terms, scale = invoice.terms, 10 ** money.exponent(invoice.currency)
    given = [*terms["discounts"]]
    for bound in ("minimum", "maximum"):
        if terms[bound] is not None:
            given.append({"type": bound, "value": Fraction(terms[bound], scale), "price_ids": None})
    for rule in [*given, *terms["rules"]]:
        covered = rule["price_ids"]
        scope = [line for line in lines if covered is None or line.wanted.price["id"] in covered]
        width = 2 if covered is None else 1 if len(covered) > 1 else 0
        found.append((width, rule["type"], Fraction(rule["value"]), scope))
    found.sort(key=lambda one: (TYPES.index(one[1]), one[0]))
    return [one[1:] for one in found]


def applied(kind: str, value: Fraction, scope: list[Truth], scale: int) -> list[int]:
    """What one rule changes on each line of its scope."""
    if kind == "usage_discount":
        return [with_less(line, value) for line in scope]
    running = [line.running for line in scope]
    if kind == "percentage_discount":
        return [-part for part in dealt(half_up(sum(running) * value), [one * value for one in running])]
    bound, reached = half_up(value * scale), sum(running)
    change = {
        "amount_discount": -min(bound, max(reached, 0)),
        "minimum": max(bound - reached, 0),
        "maximum": -max(reached - bound, 0),
    }[kind]
    return in_proportion(change, running) if running else []


def with_less(line: Truth, units: Fraction) -> int:
    """A discount makes no line dearer, though fewer units in bulk may be."""
    line.off += units
    change = half_up(line.cost(line.off)) - line.running
    return min(change, 0) if line.running > 0 else change


def truth(invoice: Invoice) -> dict[str, Any]:
    """Every amount of the invoice, in minor units."""
    scale = 10 ** money.exponent(invoice.currency)
    lines = [Truth(wanted, scale) for wanted in invoice.lines]
    for kind, value, scope in rules_of(invoice, lines):
        for line, change in zip(scope, applied(kind, value, scope, scale), strict=True):
            line.changes += [(kind, change)] if change else []
    still_open = [line.running - line.wanted.partially for line in lines]
    credits = min(invoice.terms["credits"], max(sum(still_open), 0))
    used = in_proportion(credits, still_open) if lines else []
    amounts = [left - one for left, one in zip(still_open, used, strict=True)]
    rates = [Fraction(rate) / 100 for _, rate in invoice.terms["tax_rates"]]
    taxes = [[half_up(amount * rate) for rate in rates] for amount in amounts]
    return {
        "exact": [line.exact for line in lines],
        "subtotals": [line.subtotal for line in lines],
        "changes": [line.changes for line in lines],
        "adjusted": [line.running for line in lines],
        "credits": used,
        "amounts": amounts,
        "taxes": taxes,
        "total": sum(amounts) + sum(map(sum, taxes)),
    }
