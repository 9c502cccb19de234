"""Does a bill add up? Every sum on it, worked out again from its parts; what differs is told, and nothing mended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from portal.domain.money import EXACT, NotRepresentable, exponent, rounded, total
from portal.domain.pricing import NotPriced, charge

Kind = Literal["price", "tiers", "days", "quantities", "amount", "subtotal", "taxed", "total"]


@dataclass(frozen=True, slots=True)
class Check:
    """One sum: what its `count` parts come to, and what the bill says.

    All in major units, but for `quantities`, which are units. `exact` is the sum before it was rounded, once.
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
    return [*_prices(line, currency), *_tiers(line, currency), *_days(line, days, currency), *_amount(line, currency)]


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
    """Quantity × price, of each tier or of the line, rounded once. Nothing for a price that we cannot work out."""
    parts = line["sub_lines"]
    if parts and all(part["unit_amount"] is not None for part in parts):
        exact = total(EXACT.multiply(Decimal(part["quantity"]), Decimal(part["unit_amount"])) for part in parts)
    elif parts:
        return
    else:
        try:
            exact = charge(line["price"], Decimal(line["quantity"])).amount
        except (NotPriced, NotRepresentable):
            return
    yield _rounded("price", max(len(parts), 1), exact, line["subtotal"], currency)


def _tiers(line: Mapping[str, Any], currency: str) -> Iterable[Check]:
    parts = line["sub_lines"]
    if parts:
        yield _whole("tiers", len(parts), sum(part["amount"] for part in parts), line["subtotal"], currency)


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


def _rounded(kind: Kind, count: int, exact: Decimal, expected: int, currency: str) -> Check:
    return Check(kind, count, exact, _major(rounded(exact, currency), currency), _major(expected, currency))


def _whole(kind: Kind, count: int, found: int, expected: int, currency: str) -> Check:
    exact = _major(found, currency)
    return Check(kind, count, exact, exact, _major(expected, currency))


def _major(minor: int, currency: str) -> Decimal:
    return EXACT.scaleb(Decimal(minor), -exponent(currency))
