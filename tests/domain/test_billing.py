"""A document adds up, whatever goes into it; and the steps come in the order that Orb documents."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import billing, money, pricing
from portal.domain.billing import Charged, DaysDiffer
from portal.domain.periods import OutOfRange
from portal.domain.pricing import Day, NotPriced, Used

D = Decimal
START, END = date(2026, 10, 1), date(2026, 11, 1)
DAY = timedelta(days=1)


def unit(amount: str, **more) -> dict:
    return {"id": "p", "model_type": "unit", "unit_config": {"unit_amount": amount}, **more}


def tiered(*tiers: tuple) -> dict:
    rows = [{"first_unit": first, "last_unit": last, "unit_amount": amount} for first, last, amount in tiers]
    return {"id": "t", "model_type": "tiered", "tiered_config": {"tiers": rows}}


def package(amount: str, size: int) -> dict:
    return {"id": "k", "model_type": "package", "package_config": {"package_amount": amount, "package_size": size}}


def bulk(*tiers: tuple) -> dict:
    rows = [{"maximum_units": most, "unit_amount": amount} for most, amount in tiers]
    return {"id": "b", "model_type": "bulk", "bulk_config": {"tiers": rows}}


def matrix(dimensions: list, default: str, *rows: tuple, **more) -> dict:
    values = [{"dimension_values": values, "unit_amount": amount} for values, amount in rows]
    config = {"dimensions": dimensions, "default_unit_amount": default, "matrix_values": values}
    return {"id": "m", "model_type": "matrix", "matrix_config": config, **more}


def cells(line_id: str, price: dict, used: dict) -> Charged:
    return replace(
        line(line_id, price, "0"), used=Used.of_cells({cell: D(quantity) for cell, quantity in used.items()})
    )


def rule(kind: str, value: str, *price_ids: str) -> dict:
    return {"type": kind, "value": value, **({"price_ids": list(price_ids)} if price_ids else {})}


def line(line_id: str, price: dict, quantity: str = "1", days: list[Day] | None = None, partially: int = 0) -> Charged:
    item = {"id": "i", "name": "API calls"}
    return Charged(line_id, f"Line {line_id}", item, price, D(quantity), START, END, days, partially)


def build(*lines: Charged, currency: str = "USD", **more):
    ids = (f"adj{number}" for number in count(1))
    return billing.build(lines, currency, new_id=lambda: next(ids), **more)


def amounts(document, key: str = "amount") -> list[int]:
    return [one[key] for one in document["lines"]]


def percent(value: str, reason: str | None = None) -> dict:
    return {"type": "percentage_discount", "value": value, "reason": reason}


def off(value: str) -> dict:
    return {"type": "amount_discount", "value": value}


def test_a_plain_line_is_priced_and_rounded_once():
    document, days = build(line("a", unit("0.00042"), "12000"))

    (only,) = document["lines"]
    assert (only["subtotal"], only["adjusted_subtotal"], only["amount"], document["total"]) == (504, 504, 504, 504)
    assert (only["quantity"], only["start"], only["end"]) == ("12000", "2026-10-01", "2026-11-01")
    assert only["price"] == unit("0.00042")
    assert only["adjustments"] == only["sub_lines"] == only["taxes"] == []
    assert days == {}
    assert only["has_days"] is False


def test_a_line_keeps_what_its_quantity_counts():
    counted, plain = line("a", unit("1"), "3"), line("b", unit("1"))

    document, _ = build(replace(counted, unit="seat-days"), plain)

    assert [one["unit"] for one in document["lines"]] == ["seat-days", ""]


def test_a_fixed_fee_shows_the_quantity_that_it_charges():
    document, _ = build(line("a", unit("15.25", price_type="fixed_price", fixed_price_quantity=2), "1"))

    assert document["lines"][0]["quantity"] == "2"
    assert document["total"] == 3050


def test_tiers_become_parts_that_add_up_to_the_line():
    document, _ = build(line("a", tiered((0, 1, "0.005"), (1, 2, "0.005"), (2, None, "0.005")), "3"))

    (only,) = document["lines"]
    assert only["subtotal"] == 2  # 0.015, rounded once: not three times 0.005
    assert [part["amount"] for part in only["sub_lines"]] == [1, 1, 0]
    assert only["sub_lines"][1] == {
        "type": "tier",
        "name": "Tier 2",
        "quantity": "1",
        "amount": 1,
        "first_unit": "1",
        "last_unit": "2",
        "unit_amount": "0.005",
        "dimension_values": None,
    }
    assert only["sub_lines"][2]["last_unit"] is None


@pytest.mark.parametrize(
    ("price", "quantity", "amount"),
    [(package("5.00", 1000), "2345", 1500), (bulk((10, "0.50"), (None, "0.40")), "101", 4040)],
)
def test_bulk_and_packages_have_no_parts(price, quantity, amount):
    document, _ = build(line("a", price, quantity))

    (only,) = document["lines"]
    assert (only["quantity"], only["subtotal"], only["sub_lines"]) == (quantity, amount, [])


REGIONS = matrix(["region", "tier"], "0.30", (["eu", "gold"], "0.10"), (["us", None], "0.205"))


def test_cells_of_a_matrix_become_parts_that_add_up_to_the_line():
    document, _ = build(cells("a", REGIONS, {("eu", "gold"): 12, ("us", None): 1, ("asia", "x"): 2, ("eu", "x"): 3}))

    (only,) = document["lines"]
    assert (only["quantity"], only["subtotal"]) == ("18", 291)  # 1.20 + 0.205 + 1.50, rounded once
    assert [(part["type"], part["name"], part["quantity"], part["amount"]) for part in only["sub_lines"]] == [
        ("matrix", "eu, gold", "12", 120),
        ("matrix", "us, no tier", "1", 21),
        ("matrix", "Other", "5", 150),
    ]
    assert [part["dimension_values"] for part in only["sub_lines"]] == [["eu", "gold"], ["us", None], None]
    assert [part["unit_amount"] for part in only["sub_lines"]] == ["0.10", "0.205", "0.30"]


def test_parts_that_cancel_out_keep_their_amounts():
    price = matrix(["region"], "1", (["eu"], "2"), (["us"], "-2"))

    document, _ = build(cells("a", price, {("eu",): 5, ("us",): 5}))

    assert document["total"] == 0
    assert [part["amount"] for part in document["lines"][0]["sub_lines"]] == [1000, -1000]


def test_a_share_of_a_period_costs_as_much_of_the_fee_and_is_rounded_once():
    fee = unit("10", price_type="fixed_price", fixed_price_quantity=2)

    document, _ = build(replace(line("a", fee), share=Fraction(10, 31)), replace(line("b", fee), share=Fraction(1)))

    first, second = document["lines"]
    assert (first["subtotal"], first["share"], first["quantity"]) == (645, "10/31", "2")
    assert second["subtotal"] == 2000
    assert "share" not in second


def test_tiers_of_a_share_add_up_to_it():
    price = tiered((0, 1, "10"), (1, None, "5"))

    document, _ = build(replace(line("a", price, "3"), share=Fraction(1, 3)))

    assert document["total"] == 667
    assert [part["amount"] for part in document["lines"][0]["sub_lines"]] == [334, 333]


def test_a_share_is_not_negative_and_has_no_days():
    with pytest.raises(OutOfRange, match="share of a period"):
        build(replace(line("a", unit("1")), share=Fraction(-1, 3)))
    with pytest.raises(DaysDiffer):
        build(replace(line("a", unit("1"), "1", [Day(START, D(1), D(1))]), share=Fraction(1, 2)))


def test_days_are_kept_beside_the_document_as_they_are():
    price = tiered((0, 10, "1.00"), (10, None, "0.001"))
    days = pricing.by_day(price, [(START, D("8")), (START + DAY, D("10.5")), (START + 2 * DAY, D("10.5"))])

    document, kept = build(line("a", price, "10.5", days), line("b", unit("1")))

    assert [one["has_days"] for one in document["lines"]] == [True, False]
    assert kept == {
        "a": [
            {"day": "2026-10-01", "quantity": "8", "amount": "8"},
            {"day": "2026-10-02", "quantity": "2.5", "amount": "2.0005"},
            {"day": "2026-10-03", "quantity": "0", "amount": "0"},
        ]
    }


def test_days_that_do_not_add_up_are_refused():
    with pytest.raises(DaysDiffer, match="Line a do not add up to 2"):
        build(line("a", unit("1"), "2", [Day(START, D("1"), D("1"))]))


def test_a_percentage_comes_off_every_line_and_adds_up():
    document, _ = build(
        line("a", unit("0.05")), line("b", unit("0.05")), line("c", unit("0.05")), discounts=[percent("0.1", "Loyalty")]
    )

    assert document["discount"] == 2  # 10 % of 0.15 is 0.015
    assert amounts(document) == [4, 4, 5]
    (adjustment,) = document["lines"][0]["adjustments"]
    assert adjustment == {
        "id": "adj1",
        "type": "percentage_discount",
        "amount": -1,
        "value": "0.1",
        "is_invoice_level": True,
        "reason": "Loyalty",
        "price_ids": ["p"],
    }
    assert document["lines"][2]["adjustments"] == []  # a rule that changes nothing leaves no trace
    assert document["discounts"] == [{"type": "percentage_discount", "value": "0.1", "reason": "Loyalty"}]


def test_an_amount_comes_off_in_proportion_and_never_below_nothing():
    document, _ = build(line("a", unit("30")), line("b", unit("10")), line("c", unit("0")), discounts=[off("20")])
    assert amounts(document) == [1500, 500, 0]
    assert len({line["adjustments"][0]["id"] for line in document["lines"][:2]}) == 1

    document, _ = build(line("a", unit("30")), line("b", unit("10")), discounts=[off("50")])
    assert amounts(document) == [0, 0]
    assert document["discount"] == 4000


def test_amounts_come_off_before_percentages_whatever_their_order():
    lines = (line("a", unit("100")),)

    for discounts in ([off("20"), percent("0.5")], [percent("0.5"), off("20")]):
        document, _ = build(*lines, discounts=discounts)
        assert document["total"] == 4000
        assert [one["type"] for one in document["lines"][0]["adjustments"]] == [
            "amount_discount",
            "percentage_discount",
        ]
        assert document["discounts"] == [{**one, "reason": None} for one in discounts]


def test_a_minimum_lifts_the_discounted_sum_and_tax_comes_on_top():
    document, _ = build(
        line("a", unit("60")),
        line("b", unit("20")),
        discounts=[percent("0.5")],
        minimum=10000,
        tax_rates=[("VAT", "19")],
    )

    assert (document["subtotal"], document["discount"], document["raised"]) == (8000, 4000, 6000)
    assert amounts(document) == [7500, 2500]
    assert (document["tax"], document["total"], document["minimum"]) == (1900, 11900, 10000)


@pytest.mark.parametrize(("minimum", "total"), [(None, 5000), (0, 5000), (4999, 5000), (5000, 5000), (5001, 5001)])
def test_a_minimum_that_is_reached_changes_nothing(minimum, total):
    assert build(line("a", unit("50")), minimum=minimum)[0]["total"] == total


def test_a_minimum_over_lines_of_nothing_is_shared_equally():
    document, _ = build(line("a", unit("0")), line("b", unit("1"), "0"), line("c", unit("0")), minimum=1000)

    assert amounts(document) == [334, 333, 333]


def test_credits_come_after_the_minimum_and_before_tax():
    document, _ = build(
        line("a", unit("30")), line("b", unit("10")), minimum=5000, credits=2500, tax_rates=[("VAT", "20")]
    )

    assert amounts(document, "adjusted_subtotal") == [3750, 1250]
    assert amounts(document, "credits_applied") == [1875, 625]
    assert (document["credits"], document["tax"], document["total"]) == (2500, 500, 3000)


def test_more_credits_than_there_is_to_pay_are_left_over():
    document, _ = build(line("a", unit("30")), line("b", unit("10")), credits=10**9)

    assert (document["credits"], document["total"]) == (4000, 0)


def test_what_partial_invoices_billed_is_not_billed_again_nor_paid_by_credits():
    document, _ = build(line("a", unit("30"), partially=2000), line("b", unit("10")), credits=5000)

    assert amounts(document, "credits_applied") == [1000, 1000]
    assert amounts(document) == [0, 0]
    assert document["partially_invoiced"] == 2000


def test_tax_is_rounded_for_each_line_and_rate():
    document, _ = build(
        line("a", unit("0.05")), line("b", unit("0.05")), tax_rates=[("State", "10"), ("City", "7.125")]
    )

    assert document["lines"][0]["taxes"] == [
        {"amount": 1, "description": "State", "percentage": "10"},  # 0.5 of a cent
        {"amount": 0, "description": "City", "percentage": "7.125"},
    ]
    assert document["tax"] == 2
    assert document["total"] == 12


def test_a_line_may_be_negative():
    document, _ = build(
        line("a", unit("100")), line("b", unit("-40")), discounts=[percent("0.1")], tax_rates=[("VAT", "19")]
    )

    assert amounts(document) == [9000, -3600]
    assert (document["discount"], document["tax"], document["total"]) == (600, 1026, 6426)


def test_an_amount_off_and_credits_leave_negative_lines_alone():
    lines = line("a", unit("100")), line("b", unit("-40"))

    assert amounts(build(*lines, discounts=[off("10")])[0]) == [9000, -4000]
    assert amounts(build(*lines, credits=10**6)[0]) == [4000, -4000]
    assert amounts(build(line("b", unit("-40")), credits=500, discounts=[off("5")])[0]) == [-4000]


def test_a_document_without_lines_is_empty():
    document, days = build(discounts=[percent("0.5"), off("1")], minimum=5000, credits=10, tax_rates=[("VAT", "19")])

    assert (document["lines"], document["subtotal"], document["tax"], document["total"], days) == ([], 0, 0, 0, {})


def test_a_discount_may_cover_some_prices_only():
    scoped = {**percent("0.5"), "price_ids": ["q"]}

    document, _ = build(line("a", unit("10", id="p")), line("b", unit("10", id="q")), discounts=[scoped])

    assert amounts(document) == [1000, 500]
    assert document["lines"][1]["adjustments"][0]["price_ids"] == ["q"]


@pytest.mark.parametrize(
    ("carried", "amount"),
    [
        ({"discount": {"discount_type": "percentage", "percentage_discount": "0.25"}}, 7500),
        ({"discount": {"discount_type": "amount", "amount_discount": "30"}}, 7000),
        ({"discount": {"discount_type": "usage", "usage_discount": 4}}, 6000),
        ({"discount": {"discount_type": "usage", "usage_discount": 40}}, 0),
        ({"minimum_amount": "120"}, 12000),
        ({"minimum": {"minimum_amount": "120"}, "minimum_amount": "120"}, 12000),
        ({"maximum_amount": "80"}, 8000),
        ({"minimum_amount": "120", "maximum_amount": "110"}, 11000),
        ({"discount": None, "minimum": None, "minimum_amount": None, "maximum": None, "maximum_amount": None}, 10000),
    ],
)
def test_what_a_price_carries_itself_changes_its_own_line_only(carried, amount):
    document, _ = build(line("a", unit("10", **carried), "10"), line("b", unit("1")))

    assert amounts(document) == [amount, 100]
    assert not any(one["is_invoice_level"] for one in document["lines"][0]["adjustments"])


def test_a_maximum_comes_after_the_minimum_and_is_shared_in_proportion():
    lines = (line("a", unit("60")), line("b", unit("20")))

    document, _ = build(*lines, maximum=4000, tax_rates=[("VAT", "19")])
    assert amounts(document) == [3000, 1000]
    assert (document["discount"], document["raised"], document["maximum"]) == (4000, 0, 4000)
    assert (document["tax"], document["total"]) == (760, 4760)
    assert document["lines"][0]["adjustments"][0]["type"] == "maximum"

    document, _ = build(*lines, minimum=10000, maximum=9000)
    assert (document["raised"], document["discount"], document["total"]) == (2000, 1000, 9000)

    document, _ = build(*lines, maximum=8000)
    assert (document["discount"], document["total"]) == (0, 8000)


def test_a_rule_covers_some_prices_together():
    lines = [line(name, unit("10", id=name)) for name in "abc"]

    document, _ = build(*lines, rules=[rule("minimum", "50", "a", "b")])
    assert amounts(document) == [2500, 2500, 1000]
    assert (document["minimum"], document["raised"]) == (None, 3000)
    first, second, third = (one["adjustments"] for one in document["lines"])
    assert first[0]["id"] == second[0]["id"]
    assert (first[0]["price_ids"], first[0]["is_invoice_level"], third) == (["a", "b"], True, [])

    document, _ = build(*lines, rules=[rule("maximum", "5", "c")])
    assert amounts(document) == [1000, 1000, 500]
    assert document["lines"][2]["adjustments"][0]["is_invoice_level"] is False

    document, _ = build(*lines, rules=[rule("usage_discount", "0.5", "a"), rule("percentage_discount", "0.1")])
    assert amounts(document) == [450, 900, 900]
    assert [one["type"] for one in document["discounts"]] == ["usage_discount", "percentage_discount"]
    assert build(*lines, rules=[rule("minimum", "50", "nobody")])[0]["total"] == 3000


def test_a_rule_of_all_prices_is_the_invoice_s_own():
    document, _ = build(line("a", unit("10")), rules=[rule("minimum", "50"), rule("maximum", "20.005")])

    assert (document["minimum"], document["maximum"], document["total"]) == (5000, 2001, 2001)


def test_in_the_middle_of_a_period_no_minimum_is_asked_for():
    lines = (line("a", unit("10", id="a", minimum_amount="90")), line("b", unit("10", id="b")))
    rules = [rule("minimum", "50", "a", "b"), rule("maximum", "15")]

    document, _ = build(*lines, minimum=7000, rules=rules, minimums=False)

    assert (document["total"], document["minimum"], document["maximum"]) == (1500, None, 1500)


@pytest.mark.parametrize("turned", [False, True])
def test_the_narrower_rule_of_a_type_comes_first(turned):
    rules = [rule("minimum", "30", "a", "b"), rule("minimum", "60")]
    lines = [line(name, unit("10", id=name)) for name in "abc"]

    document, _ = build(*lines, rules=rules[::-1] if turned else rules)

    assert amounts(document) == [2250, 2250, 1500]  # 15 + 15 + 10, and then 20 more in proportion


def test_a_usage_discount_leaves_all_cells_of_a_matrix_in_proportion():
    price = matrix(["region"], "3", (["eu"], "1"))

    document, _ = build(cells("a", price, {("eu",): 6, ("us",): 3}), discounts=[rule("usage_discount", "3")])
    assert (document["subtotal"], document["total"]) == (1500, 1000)

    document, _ = build(cells("a", price, {("eu",): 6, ("us",): 3}), discounts=[rule("usage_discount", "10")])
    assert document["total"] == 0


def test_a_usage_discount_leaves_cells_that_cancel_out_as_they_are():
    price = matrix(["region"], "3", (["eu"], "1"))

    document, _ = build(cells("a", price, {("eu",): 5, ("us",): -5}), discounts=[rule("usage_discount", "3")])

    assert (document["subtotal"], document["total"]) == (-1000, -1000)


def test_usage_discounts_take_packages_and_bulk_as_if_less_had_been_used():
    lines = (line("a", package("5", 10), "25"), line("b", bulk((10, "1"), (None, "0.5")), "14"))

    document, _ = build(*lines, discounts=[rule("usage_discount", "5")])

    assert amounts(document) == [1000, 700]  # in bulk 9 units would cost more than 14

    document, _ = build(*lines, discounts=[rule("usage_discount", "5"), rule("usage_discount", "5")])
    assert amounts(document) == [1000, 400]


def test_a_usage_discount_on_a_share_is_a_share_of_it():
    document, _ = build(
        replace(line("a", unit("10"), "3"), share=Fraction(1, 3)), discounts=[rule("usage_discount", "1")]
    )

    assert (document["subtotal"], document["total"]) == (1000, 667)


def test_two_usage_discounts_take_units_off_after_one_another():
    own = {"discount": {"discount_type": "usage", "usage_discount": 4}}
    price = {**tiered((0, 10, "1"), (10, None, "0.5")), **own}

    document, _ = build(line("a", price, "12"), discounts=[{"type": "usage_discount", "value": "7"}])

    assert [one["amount"] for one in document["lines"][0]["adjustments"]] == [-300, -700]
    assert document["total"] == 100


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"discounts": [{"type": "trial", "value": "1"}]}, NotPriced),
        ({"discounts": [{"type": "minimum", "value": "1"}]}, NotPriced),
        ({"discounts": [percent("1.01")]}, OutOfRange),
        ({"discounts": [percent("-0.1")]}, OutOfRange),
        ({"discounts": [off("-1")]}, OutOfRange),
        ({"discounts": [off("1e3")]}, money.NotRepresentable),
        ({"minimum": -1}, OutOfRange),
        ({"maximum": -1}, OutOfRange),
        ({"rules": [{"type": "trial", "value": "1"}]}, NotPriced),
        ({"rules": [{"type": "minimum", "value": "-1"}]}, OutOfRange),
        ({"rules": [{"type": "maximum", "value": None}]}, NotPriced),
        ({"rules": [{"type": "maximum", "value": "much"}]}, money.NotRepresentable),
        ({"credits": -1}, OutOfRange),
        ({"tax_rates": [("VAT", "-19")]}, OutOfRange),
        ({"tax_rates": [("VAT", "19%")]}, money.NotRepresentable),
        ({"currency": "XXX"}, money.UnknownCurrency),
    ],
)
def test_what_makes_no_sense_is_refused(more, refusal):
    with pytest.raises(refusal):
        build(line("a", unit("1")), **more)


def test_a_total_past_the_largest_amount_is_refused():
    most = money.wire(money.LARGEST, "USD")

    assert build(line("a", unit(most)))[0]["total"] == money.LARGEST
    with pytest.raises(money.NotRepresentable, match="at most"):
        build(line("a", unit(most)), line("b", unit(most)))
    with pytest.raises(money.NotRepresentable, match="at most"):
        build(line("a", unit(most)), tax_rates=[("VAT", "1")])


def test_a_price_with_an_unknown_discount_is_refused():
    with pytest.raises(NotPriced, match="trial_discount"):
        build(line("a", unit("1", discount={"discount_type": "trial"})))


# From here on: any document at all.

UNIT_AMOUNTS = st.decimals(-100, 10_000, places=6).map(lambda amount: format(amount, "f"))
UNSIGNED = st.decimals(0, 10_000, places=6).map(lambda amount: format(amount, "f"))
DISCOUNTS = st.one_of(
    st.builds(lambda value: percent(format(value, "f")), st.decimals(0, 1, places=4)),
    st.builds(lambda value: off(format(value, "f")), st.decimals(0, 10_000, places=2)),
    st.builds(lambda value: {"type": "usage_discount", "value": str(value)}, st.integers(0, 1000)),
)
RATES = st.lists(
    st.tuples(st.just("VAT"), st.decimals(0, 30, places=3).map(lambda rate: format(rate, "f"))), max_size=3
)


@st.composite
def prices(draw) -> dict:
    if draw(st.booleans()):
        return unit(draw(UNIT_AMOUNTS))
    bounds = sorted(draw(st.sets(st.integers(1, 10_000), max_size=4)))
    return tiered(*((low, high, draw(UNSIGNED)) for low, high in zip([0, *bounds], [*bounds, None], strict=True)))


@st.composite
def charged(draw, line_id: str) -> Charged:
    price = draw(prices())
    quantities = draw(st.lists(st.decimals(0, 5000, places=3), max_size=10))
    quantity = sum(quantities, D(0))
    days = pricing.by_day(price, pricing.running([(START + n * DAY, one) for n, one in enumerate(quantities)]))
    return line(line_id, price, format(quantity, "f"), days or None, draw(st.integers(0, 100)))


@st.composite
def worlds(draw) -> dict:
    return {
        "lines": [draw(charged(str(number))) for number in range(draw(st.integers(0, 5)))],
        "currency": draw(st.sampled_from(sorted(money.EXPONENTS))),
        "discounts": draw(st.lists(DISCOUNTS, max_size=3)),
        "minimum": draw(st.none() | st.integers(0, 10**8)),
        "tax_rates": draw(RATES),
        "credits": draw(st.integers(0, 10**8)),
    }


def half_up(exact: Fraction) -> int:
    return int(D(exact.numerator * 10**9 // exact.denominator).scaleb(-9).quantize(D(1), ROUND_HALF_UP))


@given(worlds())
def test_any_document_adds_up(world):
    lines = world.pop("lines")

    document, days = build(*lines, **world)

    for one, source in zip(document["lines"], lines, strict=True):
        changes = sum(adjustment["amount"] for adjustment in one["adjustments"])
        assert one["adjusted_subtotal"] == one["subtotal"] + changes
        assert one["amount"] == one["adjusted_subtotal"] - one["credits_applied"] - one["partially_invoiced"]
        assert 0 <= one["credits_applied"] <= max(one["adjusted_subtotal"] - one["partially_invoiced"], 0)
        if one["sub_lines"]:
            assert sum(part["amount"] for part in one["sub_lines"]) == one["subtotal"]
        exact = pricing.charge(source.price, source.quantity).amount
        assert abs(one["subtotal"] - Fraction(exact) * 10 ** money.exponent(world["currency"])) <= Fraction(1, 2)
        if one["has_days"]:
            assert sum(Fraction(day["amount"]) for day in days[one["id"]]) == Fraction(exact)
    tax = sum(tax["amount"] for one in document["lines"] for tax in one["taxes"])
    assert document["tax"] == tax
    assert document["total"] == sum(amounts(document)) + tax
    assert document["total"] == (
        document["subtotal"]
        - document["discount"]
        + document["raised"]
        - document["credits"]
        - document["partially_invoiced"]
        + tax
    )
    assert set(days) == {one["id"] for one in document["lines"] if one["has_days"]}


@given(worlds())
def test_any_document_is_plain_json_and_the_same_every_time(world):
    lines = world.pop("lines")

    document, days = build(*lines, **world)

    assert json.loads(json.dumps([document, days])) == [document, days]
    assert build(*lines, **world) == (document, days)


@given(
    st.lists(UNSIGNED, min_size=1, max_size=20), st.lists(DISCOUNTS, max_size=4), st.sampled_from(["USD", "JPY", "KWD"])
)
def test_no_discount_makes_a_line_negative(prices_, discounts, currency):
    document, _ = build(
        *(line(str(n), unit(price)) for n, price in enumerate(prices_)), currency=currency, discounts=discounts
    )

    assert all(amount >= 0 for amount in amounts(document))


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20), st.decimals(0, 1, places=6))
def test_a_percentage_is_right_in_all_and_within_a_unit_on_every_line(minors, share):
    lines = [line(str(n), unit(money.wire(minor, "USD"))) for n, minor in enumerate(minors)]

    document, _ = build(*lines, discounts=[percent(format(share, "f"))])

    assert document["discount"] == half_up(abs(sum(minors)) * Fraction(share)) * (1 if sum(minors) >= 0 else -1)
    for minor, amount in zip(minors, amounts(document), strict=True):
        assert abs(amount - minor * (1 - Fraction(share))) < 1


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.integers(0, 10**10))
def test_a_minimum_is_met_exactly(minors, minimum):
    document, _ = build(
        *(line(str(n), unit(str(minor)), "1") for n, minor in enumerate(minors)), currency="JPY", minimum=minimum
    )

    assert document["total"] == max(sum(minors), minimum)
