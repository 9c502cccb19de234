"""An amount of money as a person writes it in a form, in her own language; what could mean two things is refused."""

from __future__ import annotations

import re
from decimal import Decimal

from babel import Locale
from babel.numbers import NumberFormatError, get_currency_symbol, get_group_symbol, parse_decimal, parse_pattern

from portal.domain import money
from portal.domain.money import NotRepresentable
from portal.web.filters import language

LONGEST = 40
EXAMPLE = Decimal(1234)
_ALIKE = ("'’", " \u00a0\u202f")  # what separates groups of digits, as it is typed and as it is set
_WRITTEN = re.compile(r"-?[0-9](?:[0-9 .,'’\u00a0\u202f]*[0-9])?")


class NotAnAmount(ValueError):
    """What was typed is no amount. The message is for the payer."""


def typed(text: str, currency: str, locale: str | None = None) -> int:
    """The minor units of `text`; the currency's sign or code may stand beside it. Raises NotAnAmount."""
    known = language(locale)
    plain = _plain(text[: LONGEST + 1], currency, known)
    try:
        if len(text) > LONGEST or not _WRITTEN.fullmatch(plain):
            raise NumberFormatError("not a number")
        return money.parse(parse_decimal(plain, known, strict=True), currency)
    except (NumberFormatError, NotRepresentable):
        raise NotAnAmount(f"Write the amount in {currency} as a number, such as {_example(currency, known)}.") from None


def written(minor: int, currency: str, locale: str | None = None) -> str:
    """What an empty form begins with, without the currency: typed() reads it back."""
    return _shown(Decimal(minor).scaleb(-money.exponent(currency)), currency, language(locale))


def _plain(text: str, currency: str, known: Locale) -> str:
    """In European digits, without the currency, and with the separator of groups that the language has."""
    plain = "".join(str(int(letter)) if letter.isdecimal() else letter for letter in text).strip()
    for sign in map(re.escape, (currency, get_currency_symbol(currency, known))):
        plain = re.sub(rf"^{sign}\s*|\s*{sign}$", "", plain, flags=re.IGNORECASE)
    group = get_group_symbol(known)
    for alike in _ALIKE:
        plain = re.sub(f"[{alike}]", group, plain) if group in alike else plain
    return plain


def _example(currency: str, known: Locale) -> str:
    return _shown(EXAMPLE, currency, known)


def _shown(amount: Decimal, currency: str, known: Locale) -> str:
    places = money.exponent(currency)
    pattern = parse_pattern(known.decimal_formats[None].pattern)
    pattern.frac_prec = (places, places)
    return str(pattern.apply(amount, known))
