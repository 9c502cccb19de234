"""A bill that adds up is said to, for every sum of it; one that was broken is not, and by how much is told."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import billing, pricing, reconciling
from portal.domain.billing import Charged
from portal.domain.pricing import Used

D = Decimal
START = date(2026, 10, 1)
TIERS = [
    {"first_unit": 0, "last_unit": 100, "unit_amount": "0.505"},
    {"first_unit": 100, "last_unit": 250, "unit_amount": "0.2501"},
    {"first_unit": 250, "last_unit": None, "unit_amount": "0.000042"},
]
TIERED = {"id": "t", "model_type": "tiered", "tiered_config": {"tiers": TIERS}}
TERMS = {
    "discounts": [{"type": "percentage_discount", "value": "0.1"}],
    "minimum": 30000,
    "tax_rates": [("VAT", "19")],
    "credits": 700,
}


BULK = {
    "id": "b",
    "model_type": "bulk",
    "bulk_config": {
        "tiers": [{"maximum_units": 1000, "unit_amount": "0.505"}, {"maximum_units": None, "unit_amount": "0.0401"}]
    },
}
PACKAGE = {"id": "k", "model_type": "package", "package_config": {"package_size": 1000, "package_amount": "5.005"}}
MATRIX = {
    "id": "m",
    "model_type": "matrix",
    "matrix_config": {
        "dimensions": ["region"],
        "default_unit_amount": "0.3001",
        "matrix_values": [
            {"dimension_values": ["eu"], "unit_amount": "0.505", "scaling_factor": "0.5"},
            {"dimension_values": [None], "unit_amount": "0.2"},
        ],
    },
}


def unit(amount: str, **more) -> dict:
    return {"id": "p", "model_type": "unit", "unit_config": {"unit_amount": amount}, **more}


def billed(price: dict, quantities: list[Decimal], currency: str = "USD", partially: int = 0, **terms):
    """A document of one line with a day for each quantity, and those days."""
    ids = (f"adj{number}" for number in count(1))
    counted = [(START + timedelta(days=n), quantity) for n, quantity in enumerate(quantities)]
    line = Charged(
        "a", "API calls", {"id": "i", "name": "API calls"}, price, sum(quantities, D(0)), START,
        START + timedelta(days=len(quantities)), pricing.by_day(price, pricing.running(counted)), partially,
    )  # fmt: skip
    document, days = billing.build([line], currency, new_id=lambda: next(ids), **terms)
    return document, days.get("a", [])


def checks(document, days) -> dict[str, reconciling.Check]:
    found = reconciling.line(document["lines"][0], days, document["currency"])
    whole = reconciling.invoice(document["lines"], document["subtotal"], document["total"], document["currency"])
    return {check.kind: check for check in [*found, *whole]}


QUANTITIES = st.lists(st.decimals(0, 10**6, places=3), min_size=1, max_size=31)
PRICES = st.one_of(
    st.sampled_from([TIERED, BULK, PACKAGE, MATRIX]),
    st.decimals(0, 10**4, places=6).map(lambda amount: unit(str(amount))),
)


@given(PRICES, QUANTITIES, st.sampled_from(["USD", "JPY", "KWD"]), st.booleans(), st.integers(0, 500))
def test_whatever_we_bill_adds_up(price, quantities, currency, with_terms, partially):
    terms = TERMS if with_terms else {}

    found = checks(*billed(price, quantities, currency, partially, **terms))

    assert [check for check in found.values() if not check.holds] == []
    assert {"days", "quantities", "taxed" if with_terms else "total"} <= found.keys()
    assert {"price", "packages", "cells"} & found.keys()
    assert not any(check.off for check in found.values())


@given(PRICES, st.lists(st.decimals(1, 10**5, places=2), min_size=1, max_size=31), st.data())
def test_whichever_number_of_a_day_is_changed_a_sum_fails_by_as_much(price, quantities, data):
    document, days = billed(price, quantities)
    place = data.draw(st.integers(0, len(days) - 1))
    cents = data.draw(st.integers(1, 10**6))

    days[place]["amount"] = str(D(days[place]["amount"]) + D(cents).scaleb(-2))
    days[place]["quantity"] = str(D(days[place]["quantity"]) + cents)

    found = checks(document, days)
    assert not found["days"].holds
    assert found["days"].off == D(cents).scaleb(-2)
    assert not found["quantities"].holds
    assert found["quantities"].off == cents
    assert all(check.holds for kind, check in found.items() if kind not in ("days", "quantities"))


def in_cells(quantities: dict):
    used = Used.of_cells({cell: D(quantity) for cell, quantity in quantities.items()})
    line = Charged("a", "Calls", {"id": "i", "name": "Calls"}, MATRIX, D(0), START, START, used=used)
    return billing.build([line], "USD", new_id=lambda: "adj")[0]


@given(st.dictionaries(st.tuples(st.sampled_from(["eu", "us", "asia", None])), st.decimals(0, 10**6, places=3)))
def test_the_cells_of_a_matrix_add_up(quantities):
    found = checks(in_cells(quantities), [])

    assert [check for check in found.values() if not check.holds] == []


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        (lambda line: line["sub_lines"][0].update(quantity="13"), {"cells", "units"}),
        (lambda line: line["sub_lines"][0].update(amount=5), {"parts"}),
        (lambda line: line["sub_lines"].pop(), {"cells", "parts", "units"}),
        (lambda line: line.update(quantity="1"), {"units"}),
    ],
)
def test_each_number_of_a_cell_is_a_part_of_some_sum(change, failing):
    document = in_cells({("eu",): "12", (None,): "3", ("us",): "4"})
    change(document["lines"][0])

    assert {kind for kind, check in checks(document, []).items() if not check.holds} == failing


def shared(price: dict, share: Fraction, quantity: str = "3"):
    item = {"id": "i", "name": "Seats"}
    line = Charged("a", "Seats", item, price, D(quantity), START, START + timedelta(days=10), share=share)
    return billing.build([line], "USD", new_id=lambda: "adj")[0]


@given(PRICES, st.fractions(0, 1, max_denominator=366), st.integers(0, 5000))
def test_a_share_of_a_period_adds_up(price, share, quantity):
    found = checks(shared(price, share, str(quantity)), [])

    assert [check for check in found.values() if not check.holds] == []


def test_a_share_says_what_it_was_before_it_was_rounded():
    document = shared(unit("10"), Fraction(10, 31))

    check = checks(document, [])["share"]
    assert (check.exact, check.found, check.was_rounded) == (D("9.677419354839"), D("9.68"), True)
    assert checks(shared(unit("10"), Fraction(1, 2)), [])["share"].was_rounded is False
    document["lines"][0]["share"] = "1/3"
    assert checks(document, [])["share"].off == D("0.32")


def put(name: str, add: int):
    def change(line: dict) -> None:
        line[name] += add

    return change


def put_in(name: str, add: int):
    def change(line: dict) -> None:
        line[name][0]["amount"] += add

    return change


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        (put("subtotal", 1), {"price", "tiers", "days", "amount", "subtotal"}),
        (put("amount", -3), {"amount", "taxed"}),
        (put("credits_applied", 1), {"amount"}),
        (put("partially_invoiced", 1), {"amount"}),
        (put_in("sub_lines", 1), {"tiers"}),
        (put_in("adjustments", -1), {"amount"}),
        (put_in("taxes", 1), {"taxed"}),
        (lambda line: line.update(quantity="1"), {"quantities"}),
        (lambda line: line["sub_lines"][0].update(unit_amount="0.6"), {"price"}),
    ],
)
def test_each_number_of_a_line_is_a_part_of_some_sum(change, failing):
    document, days = billed(TIERED, [D(75)] * 4, partially=100, **TERMS)
    broken = copy.deepcopy(document)
    change(broken["lines"][0])

    found = checks(broken, days)

    assert {kind for kind, check in found.items() if not check.holds} == failing
    assert {kind for kind, check in checks(document, days).items() if not check.holds} == set()


def test_days_are_rounded_once_and_together():
    document, days = billed(unit("0.005"), [D(1)] * 3)

    check = checks(document, days)["days"]

    assert (check.count, check.exact, check.found, check.holds) == (3, D("0.015"), D("0.02"), True)
    assert check.was_rounded


def test_a_line_without_days_or_changes_has_nothing_but_its_price_to_check():
    document, _ = billed(unit("15.25"), [D(2)])

    assert [check.kind for check in reconciling.line(document["lines"][0], [], "USD")] == ["price"]


def test_a_price_that_cannot_be_worked_out_here_is_not_said_to_be_right():
    document, _ = billed(unit("15.25"), [D(2)])
    document["lines"][0]["price"] = {"model_type": "bulk"}

    assert reconciling.line(document["lines"][0], [], "USD") == []


def test_parts_without_prices_are_added_up_all_the_same():
    document, _ = billed(TIERED, [D(300)])
    for part in document["lines"][0]["sub_lines"]:
        part["unit_amount"] = None

    assert [check.kind for check in reconciling.line(document["lines"][0], [], "USD")] == ["tiers"]


def test_a_fixed_fee_does_not_have_to_be_what_was_used():
    price = unit("15.25", price_type="fixed_price", fixed_price_quantity=2)

    found = checks(*billed(price, [D(5), D(6)]))

    assert "quantities" not in found
    assert found["days"].holds


def test_a_bill_without_lines_has_nothing_to_add_up():
    assert reconciling.invoice([], 0, 0, "USD") == []
