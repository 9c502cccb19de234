"""Billing is true: any invoice comes to what a second calculation in fractions says, to the last minor unit.

The oracle is written from the rules as the docstrings of `portal.domain` and Orb's documents state them
(https://docs.withorb.com/invoicing/invoice-calculation-examples), and shares no code with what it judges. A few hundred
invoices belong to `make test`; `make proofs` works through a hundred thousand and prints what they were.
"""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest

from portal.domain import billing, money, pricing, reconciling
from portal.domain.billing import Charged
from portal.domain.pricing import Used

INVOICES = 100_000
A_FEW = 300
SEED = 20261123

EDGES = (10, 100, 1000, 2500)  # where tiers end, and quantities too
START = date(2026, 10, 1)
MODELS = ("unit", "tiered", "bulk", "package", "matrix")
TYPES = ("usage_discount", "amount_discount", "percentage_discount", "minimum", "maximum")
Dice = random.Random


# Any invoice at all


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


def any_invoice(dice: Dice, currency: str) -> Invoice:
    lines = [any_line(dice, f"p{n}") for n in range(dice.choice([0, 1, 1, 2, 3, 5]))]
    ids = [line.price["id"] for line in lines]
    terms = {
        "discounts": [any_rule(dice, ids, TYPES[:3]) for _ in range(dice.choice([0, 0, 1, 2]))],
        "rules": [any_rule(dice, ids, TYPES) for _ in range(dice.choice([0, 0, 1, 3]))],
        "minimum": dice.choice([None, None, dice.randrange(10**6)]),
        "maximum": dice.choice([None, None, dice.randrange(10**6)]),
        "credits": dice.choice([0, 0, dice.randrange(10**6)]),
        "tax_rates": [(f"Tax {n}", digits(dice, 30, 3)) for n in range(dice.choice([0, 1, 1, 2]))],
    }
    return Invoice(currency, lines, terms)


def any_line(dice: Dice, id: str) -> Wanted:
    model = dice.choice(MODELS)
    fixed = dice.random() < 0.2
    price = {"id": id, "model_type": model, f"{model}_config": any_config(dice, model)}
    price |= {"price_type": "fixed_price" if fixed else "usage_price"}
    price |= {"fixed_price_quantity": digits(dice, 50, 1) if fixed and dice.random() < 0.7 else None}
    price |= any_own_rules(dice)
    share = Fraction(dice.randrange(1, 31), 31) if fixed and dice.random() < 0.5 else Fraction(1)
    with_days = share == 1 and dice.random() < 0.7
    so_far = any_usage(dice, model, dice.choice([0, 1, 3, 7]) if with_days else 1)
    return Wanted(price, so_far, share, with_days and bool(so_far), dice.choice([0, 0, 0, dice.randrange(5000)]))


def any_config(dice: Dice, model: str) -> dict[str, Any]:
    if model == "unit":
        return {"unit_amount": any_amount(dice), "scaling_factor": dice.choice([None, None, digits(dice, 10, 2)])}
    if model == "package":
        return {"package_amount": any_amount(dice), "package_size": dice.choice([1, 2, 7, 100, 1000])}
    if model == "matrix":
        rows = dice.sample([["eu"], ["us"], [None]], dice.randrange(4))
        values = [{"dimension_values": row, "unit_amount": any_amount(dice)} for row in rows]
        return {"dimensions": ["region"], "default_unit_amount": any_amount(dice), "matrix_values": values}
    bounds = [0, *sorted(dice.sample([*EDGES, dice.randrange(11, 99)], dice.randrange(1, 4))), None]
    amounts = [any_amount(dice) for _ in bounds[1:]]
    if model == "tiered":
        rows = zip(bounds, bounds[1:], amounts, strict=False)
        return {"tiers": [{"first_unit": low, "last_unit": high, "unit_amount": one} for low, high, one in rows]}
    return {
        "tiers": [{"maximum_units": high, "unit_amount": one} for high, one in zip(bounds[1:], amounts, strict=True)]
    }


def any_own_rules(dice: Dice) -> dict[str, Any]:
    if dice.random() < 0.7:
        return {}
    kind = dice.choice(["usage", "amount", "percentage"])
    value = {"usage": digits(dice, 100, 1), "amount": digits(dice, 50, 2), "percentage": digits(dice, 1, 3)}[kind]
    return {
        "discount": dice.choice([None, {"discount_type": kind, f"{kind}_discount": value}]),
        "minimum_amount": dice.choice([None, digits(dice, 500, 3)]),
        "maximum_amount": dice.choice([None, digits(dice, 5000, 3)]),
    }


def any_rule(dice: Dice, ids: list[str], types: tuple[str, ...]) -> dict[str, Any]:
    kind = dice.choice(types)
    most, decimals = {"usage_discount": (500, 1), "percentage_discount": (1, 4)}.get(kind, (2000, 2))
    covered = dice.choice([None, None, dice.sample(ids, dice.randrange(len(ids) + 1)), ["nobody", *ids[:1]]])
    return {"type": kind, "value": digits(dice, most, decimals), "price_ids": covered, "reason": None}


def any_usage(dice: Dice, model: str, days: int) -> list[dict[tuple[str | None, ...], Decimal]]:
    """Mostly growing, as sums do; now and then shrinking, as averages and newest values do."""
    cells: list[tuple[str | None, ...]] = [("eu",), ("us",), (None,), ("asia",)] if model == "matrix" else [()]
    so_far, found = dict.fromkeys(cells, Decimal(0)), []
    for _ in range(days):
        so_far = {cell: quantity + any_quantity(dice) for cell, quantity in so_far.items()}
        if dice.random() < 0.1 and model == "matrix":  # cells that cancel out
            so_far = {("eu",): Decimal(7), ("us",): Decimal(-7), (None,): Decimal(0), ("asia",): Decimal(0)}
        found.append({cell: quantity for cell, quantity in so_far.items() if quantity or model != "matrix"})
    return found


def any_quantity(dice: Dice) -> Decimal:
    sign = -1 if dice.random() < 0.05 else 1
    edge, any_other = Decimal(dice.choice(EDGES)), Decimal(digits(dice, 3000, 6))
    return dice.choice([Decimal(0), edge, edge, Decimal(dice.randrange(3000)), any_other]) * sign


def any_amount(dice: Dice) -> str:
    sign = "-" if dice.random() < 0.03 else ""
    return sign + dice.choice(["0", digits(dice, 1, 8), digits(dice, 10, 2), digits(dice, 200, 4)])


def digits(dice: Dice, most: int, decimals: int) -> str:
    whole = dice.randrange(most * 10**decimals + 1)
    return format(Decimal(whole).scaleb(-decimals), "f")


# What it must come to, in fractions of a minor unit


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
    return quantity * Fraction(config["scaling_factor"] or 1) * Fraction(config["unit_amount"])


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


# The judgement


def billed(invoice: Invoice) -> tuple[Any, Any]:
    ids = map(str, itertools.count())
    charged = [charged_of(wanted, f"l{n}") for n, wanted in enumerate(invoice.lines)]
    return billing.build(charged, invoice.currency, new_id=lambda: next(ids), **invoice.terms)


def charged_of(wanted: Wanted, id: str) -> Charged:
    price = wanted.price
    used = [Used.of_cells(one) if price["model_type"] == "matrix" else Used(one[()]) for one in wanted.so_far]
    last = used[-1] if used else Used(Decimal(0))
    days = [(START + timedelta(days=n), one) for n, one in enumerate(used)]
    return Charged(
        id, f"Line {id}", {"id": "i", "name": "Item"}, price, last.quantity, START, START + timedelta(days=31),
        days=pricing.by_day(price, days) if wanted.with_days else None,
        partially_invoiced=wanted.partially, used=last, share=wanted.share,
    )  # fmt: skip


def judge(invoice: Invoice) -> Counter[str]:
    """Raises AssertionError where the bill is not true; else what it had in it."""
    document, days = billed(invoice)
    lines, expected = document["lines"], truth(invoice)

    assert [line["subtotal"] for line in lines] == expected["subtotals"]
    assert [[(one["type"], one["amount"]) for one in line["adjustments"]] for line in lines] == expected["changes"]
    assert [line["adjusted_subtotal"] for line in lines] == expected["adjusted"]
    assert [line["credits_applied"] for line in lines] == expected["credits"]
    assert [line["amount"] for line in lines] == expected["amounts"]
    assert [[tax["amount"] for tax in line["taxes"]] for line in lines] == expected["taxes"]
    assert document["total"] == expected["total"]
    assert document["total"] == sum(line["amount"] for line in lines) + document["tax"]
    assert document["total"] == (
        document["subtotal"] - document["discount"] + document["raised"] - document["credits"]
        - document["partially_invoiced"] + document["tax"]
    )  # fmt: skip
    for line, wanted, exact in zip(lines, invoice.lines, expected["exact"], strict=True):
        assert abs(line["subtotal"] - exact) <= Fraction(1, 2), "rounded more than once"
        assert sum(part["amount"] for part in line["sub_lines"]) == line["subtotal"] or not line["sub_lines"]
        own = days.get(line["id"], [])
        assert bool(own) == wanted.with_days == line["has_days"]
        if own:
            scale = 10 ** money.exponent(invoice.currency)
            assert sum(Fraction(day["amount"]) for day in own) * scale == exact
        wrong = [check for check in reconciling.line(line, own, invoice.currency) if not check.holds]
        assert wrong == [], "a sum that the page shows is said not to hold"
    return seen(invoice, expected)


def seen(invoice: Invoice, expected: dict[str, Any]) -> Counter[str]:
    counted = Counter({"invoices": 1, "lines": len(invoice.lines), "with tax": bool(invoice.terms["tax_rates"])})
    counted.update(line.price["model_type"] for line in invoice.lines)
    counted.update(kind for changes in expected["changes"] for kind, _ in changes)
    counted.update({
        "shares of a period": sum(line.share != 1 for line in invoice.lines),
        "billed before": sum(bool(line.partially) for line in invoice.lines),
        "with credits": any(expected["credits"]),
        "days": sum(len(line.so_far) for line in invoice.lines if line.with_days),
    })  # fmt: skip
    return counted


def judged(count: int) -> Counter[str]:
    """The first `count` invoices of the seed, every currency in its turn."""
    found: Counter[str] = Counter()
    currencies = itertools.cycle(sorted(money.EXPONENTS))
    for n, currency in zip(range(count), currencies, strict=False):
        invoice = any_invoice(random.Random(SEED + n), currency)
        try:
            found += judge(invoice)
        except (AssertionError, ValueError, ArithmeticError) as error:
            error.add_note(f"invoice {n}: {invoice}")
            raise
    return found


def test_a_few_invoices_of_every_kind_are_true() -> None:
    found = judged(A_FEW)

    assert all(found[kind] for kind in (*MODELS, *TYPES, "with credits", "billed before", "shares of a period"))


@pytest.mark.proof
def test_a_hundred_thousand_invoices_are_true() -> None:
    began = time.perf_counter()

    found = judged(INVOICES)

    took = time.perf_counter() - began
    print(f"\n{INVOICES:,} invoices in {len(money.EXPONENTS)} currencies, all true to the minor unit, in {took:.0f} s")
    print(", ".join(f"{name} {count:,}" for name, count in sorted(found.items())))
