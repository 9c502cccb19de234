"""What a form is filled with is read back as the same amount in every language; what is unclear is asked for again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.web.amounts import NotAnAmount, typed, written

LOCALES = "en-US en-GB en-IN de de-CH de-AT fr fr-CH es pl pt sv nb ru hi ar ar-EG fa he ja zh bn mr th tr hu".split()  # noqa: SIM905 - read as a list of words


@given(
    st.sampled_from(LOCALES),
    st.sampled_from(["USD", "EUR", "JPY", "KWD", "CHF", "CLF"]),
    st.integers(-(10**15), 10**15),
)
def test_what_is_written_is_read_back(locale: str, currency: str, minor: int) -> None:
    if minor >= 0:
        assert typed(written(minor, currency, locale), currency, locale) == minor


@pytest.mark.parametrize(
    ("text", "currency", "locale", "minor"),
    [
        ("1,234.50", "USD", "en-US", 123450),
        ("1234.5", "USD", "en-US", 123450),
        (" 1234 ", "USD", "en-US", 123400),
        ("$1,234.50", "USD", "en-US", 123450),
        ("usd 12", "USD", "en-US", 1200),
        ("0.5", "USD", "en-US", 50),
        ("1.234,50", "EUR", "de", 123450),
        ("1234,5 €", "EUR", "de", 123450),
        ("1.234", "EUR", "de", 123400),
        ("1 234,50", "EUR", "fr", 123450),
        ("1\u202f234,50\u00a0€", "EUR", "fr", 123450),
        ("1'234.50", "CHF", "de-CH", 123450),
        ("1’234.50", "CHF", "de-CH", 123450),
        ("12,34,567.00", "INR", "en-IN", 123456700),
        ("١٢٣٤", "USD", "ar", 123400),
        ("1,234", "JPY", "ja", 1234),
        ("1.234", "KWD", "en-US", 1234),
        ("-5", "USD", "en-US", -500),
        ("0", "USD", "en-US", 0),
    ],
)
def test_an_amount_is_read_as_its_language_writes_it(text: str, currency: str, locale: str, minor: int) -> None:
    assert typed(text, currency, locale) == minor


@pytest.mark.parametrize("locale", ["en-US", "de"])
@pytest.mark.parametrize(
    "text",
    ["", " ", "ten", "1e5", "1E5", "NaN", "Infinity", "0x10", "1_000", "1..5", "1,,5", "1.5.5", "--5", "+-5", "5-",
     "1/2", "$", "USD", "½", "1,234.56,7", "1.234.56", "12.345,678.9", "99999999999999999999", "1" * 41, "1" * 10**6,
     "£10", "10 GBP", "1\n2", "0.001", "0,001", "1 2", "²"],
)  # fmt: skip
def test_what_is_no_amount_is_asked_for_again_with_an_example(text: str, locale: str) -> None:
    example = {"en-US": "1,234.00", "de": "1.234,00"}[locale]

    with pytest.raises(NotAnAmount, match=f"^Write the amount in USD as a number, such as {example}\\.$"):
        typed(text, "USD", locale)


@pytest.mark.parametrize(
    ("text", "currency", "locale"),
    [("1,5", "EUR", "en-US"), ("1.5", "EUR", "de"), ("12,34", "EUR", "en-US"), ("1,234.50", "EUR", "de"),
     ("1.234,50", "EUR", "en-US"), ("10.555", "USD", "en-US"), ("10.5", "JPY", "en-US"), ("1234.50", "EUR", "de")],
)  # fmt: skip
def test_the_point_and_comma_of_another_language_are_not_guessed(text: str, currency: str, locale: str) -> None:
    with pytest.raises(NotAnAmount):
        typed(text, currency, locale)


@given(st.text(max_size=45), st.sampled_from(LOCALES))
def test_whatever_is_typed_is_an_amount_or_refused(text: str, locale: str) -> None:
    try:
        found = typed(text, "EUR", locale)
    except NotAnAmount:
        return
    assert abs(found) <= 10**16
