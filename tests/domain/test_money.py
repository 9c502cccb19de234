"""Amounts are exact, or refused; sharing out loses nothing."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import money
from portal.domain.money import EXPONENTS, LARGEST, NotRepresentable, UnknownCurrency

CURRENCIES = st.sampled_from(sorted(EXPONENTS))
MINOR = st.integers(-LARGEST, LARGEST)
WEIGHTS = st.lists(
    st.one_of(st.integers(0, 10**9), st.decimals(0, 10**9, allow_nan=False, places=6)), min_size=1, max_size=30
)


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("USD", 2), ("EUR", 2), ("JPY", 0), ("ISK", 0), ("UGX", 0), ("HUF", 2), ("TWD", 2), ("MGA", 2), ("AFN", 2)]
    + [(code, 3) for code in ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")]
    + [("CLF", 4), ("UYW", 4), ("CLP", 0), ("BGN", 2)],
)
def test_a_currency_has_the_decimals_of_iso_4217(currency, digits):
    assert money.exponent(currency) == digits


def test_every_code_is_three_capitals_and_the_table_is_complete():
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)
    assert len(EXPONENTS) == 168
    assert set(EXPONENTS.values()) == {0, 2, 3, 4}


@pytest.mark.parametrize("currency", ["XXX", "XAU", "usd", "", "DOLLARS", None, ["USD"]])
def test_what_is_no_currency_is_refused_by_name(currency):
    with pytest.raises(UnknownCurrency, match="is not an ISO 4217 currency code"):
        money.exponent(currency)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (4050, "USD", "40.50"),
        (4000, "JPY", "4000"),
        (-100, "USD", "-1.00"),
        (5, "KWD", "0.005"),
        (-5, "USD", "-0.05"),
        (0, "USD", "0.00"),
        (0, "JPY", "0"),
        (12345, "CLF", "1.2345"),
    ],
)
def test_the_wire_shows_all_decimals_of_the_currency(minor, currency, text):
    assert money.wire(minor, currency) == text


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
@pytest.mark.parametrize("minor", [0, 1, -1, 999, LARGEST, -LARGEST])
def test_every_currency_reads_back_what_it_wrote(currency, minor):
    assert money.parse(money.wire(minor, currency), currency) == minor


@given(MINOR, CURRENCIES)
def test_any_amount_survives_the_wire(minor, currency):
    assert money.parse(money.wire(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("40.5", "USD", 4050),
        ("40.500", "USD", 4050),
        (40, "USD", 4000),
        (Decimal("1E+2"), "JPY", 100),
        ("-1", "USD", -100),
    ],
)
def test_parsing_takes_any_exact_spelling(text, currency, minor):
    assert money.parse(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "+1",
        "1,00",
        "1e3",
        "1.",
        ".5",
        "--1",
        "NaN",
        "Infinity",
        "٣",
        "0x10",
        "1_000",
        "1\n",
        "9" * 25,
        1.5,
        True,
        None,
        [],
        Decimal("NaN"),
        Decimal("1E+999999"),
        Decimal("1E-999999"),
        10**30,
        "9" * 10_000,
    ],
)
def test_what_is_no_exact_number_is_refused_with_a_short_sentence(text):
    with pytest.raises(NotRepresentable) as refusal:
        money.parse(text, "USD")

    assert str(refusal.value).endswith(".")
    assert len(str(refusal.value)) < 150


@pytest.mark.parametrize(
    ("text", "currency"), [("40.505", "USD"), ("0.5", "JPY"), ("0.0001", "KWD"), ("0.00001", "CLF")]
)
def test_an_amount_finer_than_its_currency_is_refused_and_never_rounded(text, currency):
    with pytest.raises(NotRepresentable, match="too fine"):
        money.parse(text, currency)


def test_an_amount_past_the_largest_is_refused():
    with pytest.raises(NotRepresentable, match="at most"):
        money.parse(money.wire(LARGEST + 1, "USD"), "USD")
    with pytest.raises(NotRepresentable):
        money.rounded(Decimal("1E+30"), "USD")
    with pytest.raises(NotRepresentable):
        money.rounded(Decimal("Infinity"), "USD")


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("0.005", "USD", 1),
        ("0.0049999999999999999999999", "USD", 0),
        ("-0.005", "USD", -1),
        ("0.015", "USD", 2),
        ("0.025", "USD", 3),
        ("0.5", "JPY", 1),
        ("1.0005", "KWD", 1001),
    ],
)
def test_halves_are_rounded_away_from_zero(amount, currency, minor):
    assert money.rounded(Decimal(amount), currency) == minor


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        (Fraction(1, 3), 33),
        (Fraction(2, 3), 67),
        (Fraction(1, 200), 1),
        (Fraction(-1, 200), -1),
        (Fraction(-1, 3), -33),
    ],
)
def test_a_fraction_is_rounded_as_a_number_is(amount, minor):
    assert money.rounded(amount, "USD") == minor


def test_a_fraction_past_the_largest_amount_is_refused():
    with pytest.raises(NotRepresentable, match="at most"):
        money.rounded(Fraction(money.LARGEST, 3), "USD")


@given(st.decimals(-(10**9), 10**9, places=12), CURRENCIES)
def test_rounding_is_never_off_by_more_than_half_a_minor_unit(amount, currency):
    exact = Fraction(amount) * 10 ** money.exponent(currency)

    assert abs(money.rounded(amount, currency) - exact) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.00042", "0.00042"),
        ("4.2E-4", "0.00042"),
        ("15.25", "15.25"),
        ("3", "3"),
        ("1E+3", "1000"),
        ("-0", "0"),
        ("1.50", "1.50"),
    ],
)
def test_a_number_is_written_plainly(amount, text):
    assert money.plain(Decimal(amount)) == text


def test_what_is_not_finite_is_not_written():
    with pytest.raises(NotRepresentable):
        money.plain(Decimal("NaN"))


def test_sums_and_products_keep_more_digits_than_python_would():
    small, large = Decimal("0.000000000000000000000001"), Decimal("999999999999999999999999")

    assert money.total([large, small]) == Decimal("999999999999999999999999.000000000000000000000001")
    assert money.EXACT.multiply(large, small) == Decimal("0.999999999999999999999999")


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (10, [0, 0, 0], [4, 3, 3]),
        (10, [0, 5, 0], [0, 10, 0]),
        (0, [1, 2], [0, 0]),
        (0, [], []),
        (5, [1, -1], [3, 2]),
        (7, [Decimal("0.1"), Decimal("0.2")], [2, 5]),
        (-7, [Decimal("0.1"), Decimal("0.2")], [-2, -5]),
        (100, [200, -100], [200, -100]),
    ],
)
def test_sharing_out_gives_the_largest_remainder_first(total, weights, shares):
    assert money.shared_out(total, weights) == shares


@given(MINOR, WEIGHTS)
def test_shares_add_up_exactly_and_stay_within_one_unit(total, weights):
    shares = money.shared_out(total, weights)
    whole = sum(Fraction(weight) for weight in weights)

    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        exact = total * Fraction(weight) / whole if whole else Fraction(total, len(weights))
        assert abs(share - exact) < 1


@given(MINOR, st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30))
def test_shares_add_up_exactly_with_negative_weights_too(total, weights):
    assert sum(money.shared_out(total, weights)) == total


@given(st.integers(1, LARGEST), WEIGHTS)
def test_taking_away_is_shared_out_like_giving(total, weights):
    assert money.shared_out(-total, weights) == [-share for share in money.shared_out(total, weights)]


def test_an_amount_without_takers_is_refused():
    with pytest.raises(NotRepresentable, match="over nothing"):
        money.shared_out(1, [])
