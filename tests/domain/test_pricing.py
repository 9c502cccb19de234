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
from portal.domain.pricing import Charge, Day, NotPriced, Rate, Used

D = Decimal
DAY = timedelta(days=1)
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


def bulk(*tiers: tuple) -> dict:
    rows = [{"maximum_units": most, "unit_amount": amount} for most, amount in tiers]
    return {"model_type": "bulk", "price_type": "usage_price", "bulk_config": {"tiers": rows}}


def package(amount, size) -> dict:
    return {"model_type": "package", "package_config": {"package_amount": amount, "package_size": size}}


def matrix(dimensions, default, *rows: tuple) -> dict:
    values = [{"dimension_values": values, "unit_amount": amount} for values, amount in rows]
    config = {"dimensions": dimensions, "default_unit_amount": default, "matrix_values": values}
    return {"model_type": "matrix", "price_type": "usage_price", "matrix_config": config}


@st.composite
def tiered_prices(draw) -> dict:
    bounds = sorted(draw(st.sets(st.integers(1, 10**9), max_size=5)))
    amounts = draw(st.lists(UNIT_AMOUNTS, min_size=len(bounds) + 1, max_size=len(bounds) + 1))
    return tiered(*zip([0, *bounds], [*bounds, None], amounts, strict=True))


PRICES = st.one_of(UNIT_AMOUNTS.map(unit), tiered_prices())
BULKS = tiered_prices().map(
    lambda price: bulk(*((tier["last_unit"], tier["unit_amount"]) for tier in price["tiered_config"]["tiers"]))
)
ANY = st.one_of(
    PRICES,
    BULKS,
    st.builds(package, UNIT_AMOUNTS, st.integers(1, 10**6)),
    UNIT_AMOUNTS.map(lambda amount: matrix(["region"], amount)),
)
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
    charge = pricing.charge(unit("0.00042"), D(quantity))

    assert charge == Charge(D(amount), Rate(D(quantity), D("0.00042")))


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

    days = pricing.by_day(price, [(first + n * DAY, D(so_far)) for n, so_far in enumerate(["6", "12", "12"])])

    assert days == [
        Day(first, D("6"), D("6")),
        Day(first + DAY, D("6"), D("4.2")),
        Day(first + 2 * DAY, D("0"), D("0")),
    ]


def test_a_correction_takes_back_what_it_had_cost():
    price = tiered((0, 10, "1.00"), (10, None, "0.10"))
    first = date(2026, 11, 1)

    days = pricing.by_day(price, [(first, D("12")), (first + DAY, D("8"))])

    assert [(day.quantity, day.amount) for day in days] == [(12, D("10.2")), (-4, D("-2.2"))]


def test_a_fixed_price_falls_on_the_first_day():
    fee = unit("15.25", price_type="fixed_price", fixed_price_quantity=2)
    days = [(date(2026, 11, day), D(0)) for day in (1, 2, 3)]

    assert [(day.quantity, day.amount) for day in pricing.by_day(fee, days)] == [(2, D("30.50")), (0, 0), (0, 0)]
    assert pricing.by_day(fee, []) == []


@given(ANY, st.lists(st.decimals(-1000, 10**9, places=6), min_size=1, max_size=92))
def test_days_add_up_to_the_charge_for_all_of_them(price, so_far):
    days = pricing.by_day(price, [(date(2026, 1, 1) + n * DAY, quantity) for n, quantity in enumerate(so_far)])

    assert sum(Fraction(day.amount) for day in days) == Fraction(pricing.charge(price, so_far[-1]).amount)
    assert sum(Fraction(day.quantity) for day in days) == Fraction(so_far[-1])


@pytest.mark.parametrize("model", ["bps", "threshold_total_amount", None, "", 5, "x" * 1000])
def test_another_model_is_refused_by_name(model):
    with pytest.raises(NotPriced, match="use unit, tiered, bulk, package or matrix") as refusal:
        pricing.charge({**unit("1"), "model_type": model}, D("1"))

    assert len(str(refusal.value)) < 140


HOLES = [
    ({"model_type": "unit"}, "needs its unit_config"),
    ({"model_type": "tiered", "unit_config": {"unit_amount": "1"}}, "needs its tiered_config"),
    ({"model_type": "unit", "unit_config": {}}, "lacks its unit_amount"),
    ({"model_type": "tiered", "tiered_config": {}}, "lacks its tiers"),
    ({"model_type": "tiered", "tiered_config": {"tiers": {"first_unit": 0}}}, "list of objects"),
    ({"model_type": "bulk", "bulk_config": {"tiers": ["1"]}}, "list of objects"),
    (tiered(), "must start at 0"),
    (tiered((1, None, "1")), "must start at 0"),
    (tiered((0, 10, "1"), (11, None, "1")), "where the one before it ends"),
    (tiered((0, 10, "1"), (9, None, "1")), "where the one before it ends"),
    (tiered((0, None, "1"), (10, None, "1")), "must end after it starts"),
    (tiered((0, 0, "1"), (0, None, "1")), "must end after it starts"),
    (tiered((0, 10, None)), "lacks its unit_amount"),
    (tiered((0, 10, "1")), r"the last tier (ends at 10|must be open)"),
    (unit("1", conversion_rate="1.1"), "conversion_rate"),
    (bulk(), "at least one tier"),
    (bulk((None, "1"), (10, "0.5")), "needs its maximum_units"),
    (bulk((10, "1"), (10, "0.5")), "each above the one before"),
    (bulk((0, "1"), (None, "0.5")), "must be above 0"),
    (bulk((10, None)), "lacks its unit_amount"),
    (package("1", 0), "whole number above 0"),
    (package("1", -5), "whole number above 0"),
    (package("1", "2.5"), "whole number above 0"),
    (package("1", None), "lacks its package_size"),
    (package(None, 5), "lacks its package_amount"),
    (matrix([], "1"), "needs its dimensions"),
    (matrix([None], "1"), "needs its dimensions"),
    (matrix(["region", "region"], "1"), "needs its dimensions"),
    (matrix(["region", 5], "1"), "needs its dimensions"),
    (matrix("region", "1"), "needs its dimensions"),
    (matrix(5, "1"), "needs its dimensions"),
    ({"model_type": "matrix", "matrix_config": ["region"]}, "needs its matrix_config"),
    (matrix(["region"], None), "lacks its default_unit_amount"),
    (matrix(["region"], "1", (["eu", "gold"], "2")), "needs 1 dimension_values"),
    (matrix(["region"], "1", ("eu", "2")), "needs 1 dimension_values"),
    (matrix(["region"], "1", (["eu"], "2"), (["eu"], "3")), "one price only"),
    (matrix(["region", None], "1", (["eu", None], "2"), (["eu", "x"], "3")), "one price only"),
    (matrix(["region"], "1", (["eu"], None)), "lacks its unit_amount"),
]


@pytest.mark.parametrize(("price", "sentence"), HOLES)
def test_a_price_with_a_hole_in_it_is_refused(price, sentence):
    with pytest.raises(NotPriced, match=sentence):
        pricing.charge(price, D("11"))
    with pytest.raises(NotPriced, match=sentence):
        pricing.check(price)


@given(ANY)
def test_a_price_without_a_hole_is_not_refused(price):
    pricing.check(price)


@pytest.mark.parametrize("amount", ["1e3", "abc", 0.1, True, ["1"], "-", "NaN", "1" * 30])
@pytest.mark.parametrize("kind", [unit, lambda amount: bulk((None, amount)), lambda amount: package(amount, 5)])
def test_a_price_that_is_not_exact_is_refused(kind, amount):
    with pytest.raises(NotRepresentable):
        pricing.charge(kind(amount), D("1"))
    with pytest.raises(NotPriced, match=r"digits|exact"):
        pricing.check(kind(amount))


def test_a_fee_whose_quantity_is_no_number_is_refused():
    with pytest.raises(NotPriced, match="digits"):
        pricing.check(unit("1", price_type="fixed_price", fixed_price_quantity="many"))


@pytest.mark.parametrize(
    ("quantity", "amount", "each"),
    [
        ("0", "0", "0.50"),
        ("5", "2.5", "0.50"),
        ("10", "5", "0.50"),  # the bound is inclusive
        ("10.5", "4.2", "0.40"),
        ("101", "40.4", "0.40"),  # Orb's own example
        ("1000", "400", "0.40"),
        ("1001", "400.4", "0.40"),  # the last tier goes on
        ("-2", "-1", "0.50"),
    ],
)
def test_in_bulk_all_units_cost_what_the_tier_of_the_quantity_says(quantity, amount, each):
    charge = pricing.charge(bulk((10, "0.50"), (1000, "0.40")), D(quantity))

    assert charge == Charge(D(amount), Rate(D(quantity), D(each)))


@pytest.mark.parametrize(
    ("quantity", "packages"),
    [("0", 0), ("4", 1), ("10", 1), ("10.000001", 2), ("11", 2), ("-1", -1), ("-10", -1), ("-10.5", -2)],
)
def test_a_package_that_was_begun_costs_its_whole_price(quantity, packages):
    charge = pricing.charge(package("0.80", 10), D(quantity))

    assert charge == Charge(D("0.80") * packages, Rate(D(packages), D("0.80"), D(10)))


def test_packages_of_very_many_units_are_counted_exactly():
    charge = pricing.charge(package("1", 1), D("123456789012345678901234.000000000000000000000001"))

    assert charge.amount == D("123456789012345678901235")


REGIONS = matrix(["region", "tier"], "0.30", (["eu", "gold"], "0.10"), (["us", None], "0.20"), (["us", "gold"], "0.15"))


def test_each_cell_costs_its_own_price_and_the_others_the_default():
    cells = {("us", None): D(7), ("eu", "gold"): D(12), ("eu", None): D(1), ("asia", "gold"): D(2)}

    charge = pricing.charge(REGIONS, Used.of_cells(cells))

    assert charge.amount == D("1.2") + D("1.4") + D("0.9")
    assert [(share.values, share.quantity, share.unit_amount, share.amount) for share in charge.matrix] == [
        (("eu", "gold"), 12, D("0.10"), D("1.2")),
        (("us", None), 7, D("0.20"), D("1.4")),
        (None, 3, D("0.30"), D("0.9")),
    ]


def test_a_quantity_without_cells_costs_the_default():
    charge = pricing.charge(REGIONS, D(5))

    assert (charge.amount, [share.values for share in charge.matrix]) == (D("1.5"), [None])
    assert pricing.charge(REGIONS, D(0)) == Charge(D(0))


def test_the_quantity_of_a_matrix_is_what_its_cells_add_up_to():
    used = Used(D(9), {("eu", "gold"): D(9), ("us", "gold"): D(4)})  # the largest of each cell, and of all

    assert pricing.rated(REGIONS, used) == 13
    assert pricing.rated(unit("1"), used) == 9


def test_a_matrix_scales_each_cell_before_its_price():
    price = matrix(["region"], "0.30", (["eu"], "0.10"))
    price["matrix_config"]["scaling_factor"] = "0.5"
    price["matrix_config"]["matrix_values"][0]["scaling_factor"] = 3

    shares = pricing.charge(price, Used.of_cells({("eu",): D(10), ("us",): D(10)})).matrix

    assert [(share.unit_amount, share.amount) for share in shares] == [(D("0.30"), 3), (D("0.150"), D("1.5"))]


def test_a_dimension_that_is_null_on_the_wire_is_none():
    price = matrix(["region", None], "0.30", (["eu", None], "0.10"))

    assert pricing.dimensions(price) == ("region",)
    assert pricing.charge(price, Used.of_cells({("eu",): D(10)})).amount == 1
    assert pricing.dimensions(REGIONS) == ("region", "tier")
    assert pricing.dimensions(unit("1")) == ()


@pytest.mark.parametrize("config", [None, [], "region", {"dimensions": 5}, {"dimensions": [["region"]]}])
def test_dimensions_that_cannot_be_read_are_refused(config):
    with pytest.raises(NotPriced):
        pricing.dimensions({"model_type": "matrix", "matrix_config": config})


def test_a_day_of_a_matrix_is_what_its_cells_grew_by():
    first = date(2026, 11, 1)
    so_far = [{("eu", "gold"): D(10)}, {("eu", "gold"): D(10), ("us", "gold"): D(2)}, {("eu", "gold"): D(11)}]

    days = pricing.by_day(REGIONS, [(first + n * DAY, Used.of_cells(cells)) for n, cells in enumerate(so_far)])

    assert [(day.quantity, day.amount) for day in days] == [(10, 1), (2, D("0.3")), (-1, D("-0.2"))]


@given(st.dictionaries(st.tuples(st.sampled_from(["eu", "us", "asia", None])), QUANTITIES, min_size=1), UNIT_AMOUNTS)
def test_the_cells_of_a_charge_add_up(cells, default):
    price = matrix(["region"], default, (["eu"], "0.1"), ([None], "0.2"))

    charge = pricing.charge(price, Used.of_cells(cells))

    own = {("eu",): Fraction("0.1"), (None,): Fraction("0.2")}
    assert Fraction(charge.amount) == sum(Fraction(q) * own.get(cell, Fraction(default)) for cell, q in cells.items())
    assert sum(Fraction(share.amount) for share in charge.matrix) == Fraction(charge.amount)
    assert sum(share.quantity for share in charge.matrix) == pricing.rated(price, Used.of_cells(cells))


def test_days_that_add_up_run_on():
    first = date(2026, 11, 1)

    assert pricing.running([(first, D("0.5")), (first + DAY, D(-2))]) == [(first, D("0.5")), (first + DAY, D("-1.5"))]
    assert pricing.running([]) == []
