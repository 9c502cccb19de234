"""Money is an integer count of minor units in one currency. No floats, anywhere; nothing is converted or localised."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Clamped, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from fractions import Fraction


class UnknownCurrency(ValueError):
    """A code that ISO 4217 does not list, or lists without a minor unit (gold, drawing rights)."""


class NotRepresentable(ValueError):
    """A number or an amount that cannot be held exactly."""


# How many decimals a currency's minor unit stands for. Source: ISO 4217:2015 list one (currencies and funds), as
# published by SIX Group, amendments up to 2026. Not CLDR's fractions, which follow what people write: there AFN, HUF
# and IQD have other digits than in the standard. Each gateway has a table of its own, for what it accepts.
_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP
    COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
    JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN
    NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL
    THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
# No longer legal tender (since 2023, 2025 and 2026), but invoices of those years must still be readable.
_WITHDRAWN = ("HRK", "ANG", "BGN")

EXPONENTS: dict[str, int] = {
    **{code: digits for digits, codes in _DECIMALS.items() for code in codes.split()},
    **dict.fromkeys(_WITHDRAWN, 2),
}

# The most that one amount or one document's total may be, in minor units: sums of them still fit 64 bits.
LARGEST = 10**16

# Digits before and after the point that a quantity, price or percentage may have.
DIGITS = 24

# Python's own context rounds every sum and product to 28 digits without a word. This one refuses instead: the product
# of three numbers of DIGITS + DIGITS digits fits, and anything longer is an error.
EXACT = Context(prec=400, rounding=ROUND_HALF_UP, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, Clamped])
_ROUNDING = Context(prec=400, rounding=ROUND_HALF_UP)

PATTERN = rf"^-?[0-9]{{1,{DIGITS}}}(\.[0-9]{{1,{DIGITS}}})?$"  # for those who read it elsewhere; `$` is ours to mean
_NUMBER = re.compile(PATTERN[1:-1])


def exponent(currency: str) -> int:
    """How many decimals `currency` has: 2 for USD, 0 for JPY. Raises UnknownCurrency."""
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise UnknownCurrency(f"{_quoted(currency)} is not an ISO 4217 currency code, such as USD or JPY.") from None


def parse(text: str | Decimal | int, currency: str) -> int:
    """The minor units that `text`, in major units, says exactly: "40.5" in USD is 4050.

    Raises NotRepresentable for anything else (never rounds), UnknownCurrency for the currency.
    """
    digits = exponent(currency)
    minor = EXACT.scaleb(number(text), digits)
    if minor != minor.to_integral_value(context=_ROUNDING):
        raise NotRepresentable(f"{_quoted(text)} is too fine for {currency}, which has {_decimals(digits)}.")
    return bounded(int(minor), currency)


def wire(minor: int, currency: str) -> str:
    """`minor` as major units with all decimals of the currency: 4050 in USD is "40.50". Raises UnknownCurrency."""
    return format(EXACT.scaleb(Decimal(minor), -exponent(currency)), "f")


def rounded(amount: Decimal | Fraction, currency: str) -> int:
    """`amount`, in major units, as minor units; halves go away from zero.

    Raises NotRepresentable where it is no number or passes LARGEST, UnknownCurrency.
    """
    digits = exponent(currency)
    if isinstance(amount, Fraction):
        return bounded(whole(amount * 10**digits), currency)
    if not amount.is_finite() or amount.adjusted() > DIGITS:
        raise NotRepresentable(f"{_quoted(amount)} is not an amount in {currency}.")
    return bounded(whole(EXACT.scaleb(amount, digits)), currency)


def whole(minor: Decimal | Fraction) -> int:
    """The integer nearest to `minor`; halves go away from zero. The one rounding there is."""
    if isinstance(minor, Fraction):
        nearest = (2 * abs(minor.numerator) + minor.denominator) // (2 * minor.denominator)
        return nearest if minor >= 0 else -nearest
    return int(minor.to_integral_value(rounding=ROUND_HALF_UP, context=_ROUNDING))


def bounded(minor: int, currency: str) -> int:
    """`minor` itself. Raises NotRepresentable where it passes LARGEST."""
    if abs(minor) > LARGEST:
        raise NotRepresentable(f"an amount in {currency} may be at most {wire(LARGEST, currency)}, either way.")
    return minor


def number(value: str | int | Decimal) -> Decimal:
    """The decimal number that `value` writes out, with at most DIGITS digits on either side of the point.

    Raises NotRepresentable: for words, exponents, signs other than a leading minus, and for floats, which are never
    exact.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise NotRepresentable(f'{_quoted(value)} is not an exact number: write it as text, such as "0.25".')
    if isinstance(value, Decimal) and (not value.is_finite() or abs(value.adjusted()) > 2 * DIGITS):
        raise NotRepresentable(f"{_quoted(value)} is not a number of at most {DIGITS} digits and decimals.")
    if isinstance(value, int) and abs(value) >= 10**DIGITS:
        raise NotRepresentable(f"a whole number may have at most {DIGITS} digits.")
    text = plain(value) if isinstance(value, Decimal) else str(value)
    if not _NUMBER.fullmatch(text):
        raise NotRepresentable(f"{_quoted(value)} is not a number of at most {DIGITS} digits and decimals.")
    return Decimal(text)


def plain(amount: Decimal) -> str:
    """`amount` in digits, with the decimals it has and without an exponent: "0.00042". Raises NotRepresentable."""
    if not amount.is_finite():
        raise NotRepresentable(f"{_quoted(amount)} is not a number.")
    return format(amount if amount else abs(amount), "f")  # abs: there is no negative zero


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum of `amounts`."""
    result = Decimal(0)
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def shared_out(total: int, weights: Sequence[int | Decimal]) -> list[int]:
    """`total` minor units divided in proportion to `weights`: whole shares that add up to it exactly.

    Largest remainder; between equal remainders the earlier one. Where the weights add up to nothing, shares are
    equal. A share never passes the exact one by a whole unit. Raises NotRepresentable where there is nobody to take
    the total.
    """
    if not weights:
        if total:
            raise NotRepresentable("an amount cannot be shared out over nothing.")
        return []
    exact = [Fraction(weight) for weight in weights]
    sum_of_weights = sum(exact)
    if not sum_of_weights:
        exact, sum_of_weights = [Fraction(1)] * len(exact), Fraction(len(exact))
    sign = -1 if total < 0 else 1
    return [
        sign * share for share in apportioned(abs(total), [abs(total) * weight / sum_of_weights for weight in exact])
    ]


def apportioned(total: int, exact: Sequence[Fraction]) -> list[int]:
    """The whole numbers nearest to `exact` that add up to `total`, which is the sum of `exact`, rounded."""
    shares = [share.numerator // share.denominator for share in exact]
    missing = total - sum(shares)
    neediest = sorted(range(len(exact)), key=lambda index: (shares[index] - exact[index], index))
    for index in neediest[:missing]:
        shares[index] += 1
    return shares


def _decimals(digits: int) -> str:
    return {0: "no decimals", 1: "1 decimal"}.get(digits, f"{digits} decimals")


def _quoted(value: object) -> str:
    return f'"{str(value)[:40]}"'  # what came from outside is cut: it may be a megabyte
