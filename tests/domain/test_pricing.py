"""Prices are worked out exactly; fractions, which cannot round, say what is right."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import pricing
from portal.domain.money import NotRepresentable
from portal.domain.pricing import Charge, Day, NotPriced

D = Decimal
QUANTITIES = st.decimals(0, 10**12, places=6)
UNIT_AMOUNTS = st.decimals(0, 10**6, places=12).map(lambda amount: format(amount, "f"))


def unit(amount: str, **more) -> dict:
    return {"model_type": "unit", "price_type": "usage_price", "unit_config": {"unit_amount": amount}, **more}


def tiered(*tiers: tuple, **more) -> dict:
    return {
        "model_type": "tiered",
        "price_type": "usage_price",
        "tiered_config": {
            "tiers": [{"first_unit": first, "last_unit": last, "unit_amount": amount} for first, last, amount in tiers]
        },
        **more,
    }


@st.composite
def tiered_prices(draw) -> dict:
    bounds = sorted(draw(st.sets(st.integers(1, 10**9), max_size=5)))
    amounts = draw(st.lists(UNIT_AMOUNTS, min_size=len(bounds) + 1, max_size=len(bounds) + 1))
    return tiered(*zip([0, *bounds], [*bounds, None], amounts, strict=True))


PRICES = st.one_of(UNIT_AMOUNTS.map(unit), tiered_prices())
ACME = tiered((0, 1000, "0.10"), (1000, 5000, "0.05"), (5000, None, "0.00042"))


def oracle(price: dict, quantity: Decimal) -> Fraction:
    """The same sum, written down once more in fractions: each unit at the price of the tier that it falls into."""
    if price["model_type"] == "unit":
        return Fraction(quantity) * Fraction(price["unit_config"]["unit_amount"])
    amount = Fraction(0)
    for tier in price["tiered_config"]["tiers"]:
        top = Fraction(quantity) if tier["last_unit"] is None else min(Fraction(quantity), tier["last_unit"])
        amount += max(top - tier["first_unit"], 0) * Fraction(tier["unit_amount"])
    return amount


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [("0", "0"), ("1", "0.00042"), ("2.5", "0.00105"), ("-3", "-0.00126"), ("1000000", "420")],
)
def test_a_unit_price_is_multiplied(quantity, amount):
    assert pricing.charge(unit("0.00042"), D(quantity)) == Charge(D(amount))


@pytest.mark.parametrize("factor", [1000, "1000", D("1000")])
def test_a_scaling_factor_comes_before_the_unit_price(factor):
    price = unit("0.5")
    price["unit_config"]["scaling_factor"] = factor

    assert pricing.charge(price, D("2")).amount == 1000


@pytest.mark.parametrize(
    ("quantity", "amount", "shares"),
    [
        ("0", "0", []),
        ("1", "0.1", ["1"]),
        ("1000", "100", ["1000"]),
        ("1000.5", "100.025", ["1000", "0.5"]),
        ("5000", "300", ["1000", "4000"]),
        ("5001", "300.00042", ["1000", "4000", "1"]),
        ("-10", "-1", ["-10"]),
    ],
)
def test_each_unit_costs_what_its_own_tier_says(quantity, amount, shares):
    charge = pricing.charge(ACME, D(quantity))

    assert charge.amount == D(amount)
    assert [share.quantity for share in charge.tiers] == [D(share) for share in shares]


def test_a_tier_says_where_it_starts_and_ends_and_what_it_costs():
    first, last = pricing.charge(tiered((0, "10", "1.50"), (10, None, "1.25")), D("12")).tiers

    assert (first.first_unit, first.last_unit, first.unit_amount, first.amount) == (0, 10, D("1.50"), 15)
    assert (last.first_unit, last.last_unit, last.unit_amount, last.amount) == (10, None, D("1.25"), D("2.5"))


@given(PRICES, QUANTITIES)
def test_a_charge_is_what_fractions_say(price, quantity):
    charge = pricing.charge(price, quantity)

    assert Fraction(charge.amount) == oracle(price, quantity)
    if price["model_type"] == "tiered":
        assert sum(Fraction(share.amount) for share in charge.tiers) == oracle(price, quantity)
        assert sum(Fraction(share.quantity) for share in charge.tiers) == Fraction(quantity)


def test_a_fixed_price_charges_its_own_quantity():
    fee = unit("15.25", price_type="fixed_price", fixed_price_quantity=2)

    assert pricing.charge(fee, D("99")).amount == D("30.50")
    assert pricing.rated(fee, D("99")) == 2
    assert pricing.charge({**fee, "fixed_price_quantity": None}, D("3")).amount == D("45.75")
    assert pricing.charge({**fee, "price_type": "usage_price"}, D("3")).amount == D("45.75")
    assert pricing.charge({**fee, "fixed_price_quantity": 0}, D("3")).amount == 0


def test_a_day_that_reaches_the_next_tier_is_cheaper_from_there_on():
    price = tiered((0, 10, "1.00"), (10, None, "0.10"))
    first = date(2026, 11, 1)

    days = pricing.by_day(price, [(first, D("6")), (first + timedelta(days=1), D("6")), (first, D("0"))])

    assert days == [
        Day(first, D("6"), D("6")),
        Day(first + timedelta(days=1), D("6"), D("4.2")),
        Day(first, D("0"), D("0")),
    ]


def test_a_fixed_price_falls_on_the_first_day():
    fee = unit("15.25", price_type="fixed_price", fixed_price_quantity=2)
    days = [(date(2026, 11, day), D(0)) for day in (1, 2, 3)]

    assert [day.amount for day in pricing.by_day(fee, days)] == [D("30.50"), 0, 0]
    assert pricing.by_day(fee, []) == []


@given(PRICES, st.lists(st.decimals(-1000, 10**9, places=6), min_size=1, max_size=92))
def test_days_add_up_to_the_charge_for_all_of_them(price, quantities):
    days = pricing.by_day(price, [(date(2026, 1, 1) + timedelta(days=n), q) for n, q in enumerate(quantities)])

    used = sum(Fraction(quantity) for quantity in quantities)
    whole = pricing.charge(price, D(used.numerator) / D(used.denominator)).amount
    assert sum(Fraction(day.amount) for day in days) == Fraction(whole)


@pytest.mark.parametrize("model", ["matrix", "package", "bulk", None, "", 5, "x" * 1000])
def test_another_model_is_refused_by_name(model):
    with pytest.raises(NotPriced, match="use unit or tiered") as refusal:
        pricing.charge({**unit("1"), "model_type": model}, D("1"))

    assert len(str(refusal.value)) < 120


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        ({"model_type": "unit"}, "needs its unit_config"),
        ({"model_type": "tiered", "unit_config": {"unit_amount": "1"}}, "needs its tiered_config"),
        ({"model_type": "unit", "unit_config": {}}, "lacks its unit_amount"),
        ({"model_type": "tiered", "tiered_config": {}}, "lacks its tiers"),
        (tiered(), "must start at 0"),
        (tiered((1, None, "1")), "must start at 0"),
        (tiered((0, 10, "1"), (11, None, "1")), "where the one before it ends"),
        (tiered((0, 10, "1"), (9, None, "1")), "where the one before it ends"),
        (tiered((0, None, "1"), (10, None, "1")), "must end after it starts"),
        (tiered((0, 0, "1"), (0, None, "1")), "must end after it starts"),
        (tiered((0, 10, None)), "lacks its unit_amount"),
        (tiered((0, 10, "1")), "the last tier ends at 10"),
        (unit("1", conversion_rate="1.1"), "conversion_rate"),
    ],
)
def test_a_price_with_a_hole_in_it_is_refused(price, sentence):
    with pytest.raises(NotPriced, match=sentence):
        pricing.charge(price, D("11"))


@pytest.mark.parametrize("amount", ["1e3", "abc", 0.1, True, ["1"]])
def test_a_price_that_is_not_exact_is_refused(amount):
    with pytest.raises(NotRepresentable):
        pricing.charge(unit(amount), D("1"))
