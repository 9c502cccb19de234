"""Does a bill add up? Every sum on it, worked out again from its parts; what differs is told, and nothing mended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any, Literal

from portal.domain.money import EXACT, NotRepresentable, exponent, rounded, total
from portal.domain.pricing import NotPriced, charge

# price, packages, share and cells are all quantity × price, of one rate, of packages, of a part of a period, and of the
# cells of a matrix, whose amounts and quantities add up in parts and units.
Kind = Literal[
    "price", "packages", "share", "cells", "tiers", "parts", "units", "days", "quantities", "amount", "subtotal",
    "taxed", "total",
]  # fmt: skip

UNITS = ("units", "quantities")  # kinds that add up units, not money
_LONG = Context(prec=100, rounding=ROUND_HALF_UP)
_FINEST = Decimal("1e-12")  # of an exact sum that would never end


@dataclass(frozen=True, slots=True)
class Check:
    """One sum: what its `count` parts come to, and what the bill says.

    All in major units, but for UNITS. `exact` is the sum before it was rounded, once; where a share of a period makes
    it go on for ever, its first 12 decimals.
    """

    kind: Kind
    count: int
    exact: Decimal
    found: Decimal
    expected: Decimal

    @property
    def holds(self) -> bool:
        return self.found == self.expected

    @property
    def was_rounded(self) -> bool:
        return self.exact != self.found

    @property
    def off(self) -> Decimal:
        """By how much the parts come to more than the bill says; negative where they come to less."""
        return EXACT.subtract(self.found, self.expected)


def line(line: Mapping[str, Any], days: Sequence[Mapping[str, Any]], currency: str) -> list[Check]:
    """Every sum of one line (domain.document.Line) that there is something to add up for. Raises UnknownCurrency."""
    return [*_prices(line, currency), *_parts(line, currency), *_days(line, days, currency), *_amount(line, currency)]


def invoice(lines: Sequence[Mapping[str, Any]], subtotal: int, total: int, currency: str) -> list[Check]:
    """The sums of a whole bill: its lines before anything changed them, and after that, with tax. Minor units."""
    if not lines:
        return []
    before = sum(line["subtotal"] for line in lines)
    taxes = [tax["amount"] for line in lines for tax in line["taxes"]]
    after = sum(line["amount"] for line in lines) + sum(taxes)
    found = [_whole("taxed" if taxes else "total", len(lines), after, total, currency)]
    if (before, subtotal) != (after, total):
        found.insert(0, _whole("subtotal", len(lines), before, subtotal, currency))
    return found


def _prices(line: Mapping[str, Any], currency: str) -> Iterable[Check]:
    """Quantity × price, of each part or of the line, rounded once. Nothing for a price that we cannot work out."""
    parts, share = line["sub_lines"], Fraction(line.get("share", 1))
    if parts and all(part["unit_amount"] is not None for part in parts):
        exact = total(EXACT.multiply(Decimal(part["quantity"]), Decimal(part["unit_amount"])) for part in parts)
    elif parts:
        return
    else:
        try:
            exact = charge(line["price"], Decimal(line["quantity"])).amount
        except (NotPriced, NotRepresentable):
            return
    yield _shared(_kind(line, share), max(len(parts), 1), exact, share, line["subtotal"], currency)


def _kind(line: Mapping[str, Any], share: Fraction) -> Kind:
    if share != 1:
        return "share"
    if line["sub_lines"]:
        return "price" if _has_tiers(line) else "cells"
    return "packages" if line["price"].get("model_type") == "package" else "price"


def _parts(line: Mapping[str, Any], currency: str) -> Iterable[Check]:
    parts = line["sub_lines"]
    if not parts:
        return
    kind: Kind = "tiers" if _has_tiers(line) else "parts"
    yield _whole(kind, len(parts), sum(part["amount"] for part in parts), line["subtotal"], currency)
    if kind == "parts":
        units = total(Decimal(part["quantity"]) for part in parts)
        yield Check("units", len(parts), units, units, Decimal(line["quantity"]))


def _has_tiers(line: Mapping[str, Any]) -> bool:
    return all(part["type"] == "tier" for part in line["sub_lines"])


def _days(line: Mapping[str, Any], days: Sequence[Mapping[str, Any]], currency: str) -> Iterable[Check]:
    if not days:
        return
    amount, quantity = (total(Decimal(day[name]) for day in days) for name in ("amount", "quantity"))
    yield _rounded("days", len(days), amount, line["subtotal"], currency)
    # A price that is fixed is charged for a quantity of its own, whatever was used.
    if line["price"].get("price_type") != "fixed_price":
        yield Check("quantities", len(days), quantity, quantity, Decimal(line["quantity"]))


def _amount(line: Mapping[str, Any], currency: str) -> Iterable[Check]:
    """Subtotal, as discounts, minimums, credits and earlier bills changed it; nothing where nothing did."""
    changes = [one["amount"] for one in line["adjustments"]]
    changes += [-line[name] for name in ("credits_applied", "partially_invoiced") if line[name]]
    if changes or line["subtotal"] != line["amount"]:
        yield _whole("amount", len(changes), line["subtotal"] + sum(changes), line["amount"], currency)


def _shared(kind: Kind, count: int, full: Decimal, share: Fraction, expected: int, currency: str) -> Check:
    """`share` of `full`, rounded once."""
    if share == 1:
        return _rounded(kind, count, full, expected, currency)
    part = Fraction(full) * share
    found = _major(rounded(part, currency), currency)
    ends = Fraction(found) == part
    long = _LONG.divide(Decimal(part.numerator), Decimal(part.denominator))
    exact = found if ends else long.quantize(_FINEST, context=_LONG).normalize(_LONG)
    return Check(kind, count, exact, found, _major(expected, currency))


def _rounded(kind: Kind, count: int, exact: Decimal, expected: int, currency: str) -> Check:
    return Check(kind, count, exact, _major(rounded(exact, currency), currency), _major(expected, currency))


def _whole(kind: Kind, count: int, found: int, expected: int, currency: str) -> Check:
    exact = _major(found, currency)
    return Check(kind, count, exact, exact, _major(expected, currency))


def _major(minor: int, currency: str) -> Decimal:
    return EXACT.scaleb(Decimal(minor), -exponent(currency))
