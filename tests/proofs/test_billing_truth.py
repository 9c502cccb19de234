"""Billing is true: any invoice comes to what a second calculation in fractions says, to the last minor unit.

A few hundred invoices belong to `make test`; `make proofs` works through a hundred thousand, and prints what they were.
"""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from portal.domain import billing, money, pricing, reconciling
from portal.domain.billing import Charged
from portal.domain.pricing import Used
from tests.oracle import TYPES, Invoice, Wanted, truth

INVOICES = 100_000
A_FEW = 300
SEED = 20261123

EDGES = (10, 100, 1000, 2500)  # where tiers end, and quantities too
START = date(2026, 10, 1)
MODELS = ("unit", "tiered", "bulk", "package", "matrix")
Dice = random.Random


# Any invoice at all


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
