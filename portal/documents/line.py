"""One line of an invoice as it lies before the customer, with the one multiplication that made it, if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from portal.domain import money, pricing
from portal.domain.money import NotRepresentable
from portal.domain.pricing import NotPriced, Rate


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of a full period a line is for: `days` of `of` days, where days say it, else the fraction alone."""

    fraction: str  # "1/3"
    days: int | None
    of: int | None

    @classmethod
    def of_line(cls, line: Mapping[str, Any]) -> Self:
        share = Fraction(line["share"])
        days = (date.fromisoformat(line["end"]) - date.fromisoformat(line["start"])).days
        full = days / share if share else Fraction(1, 2)
        said = days > 0 and full.denominator == 1
        return cls(line["share"], days if said else None, int(full) if said else None)


@dataclass(frozen=True, slots=True)
class Line:
    """One line; amounts are minor units, prices and quantities decimal text."""

    id: str
    name: str
    start: date
    last: date  # inclusive, as people read a period
    quantity: str
    unit: str  # what the quantity counts; empty where nobody said
    unit_price: str | None  # None where units have different prices, see the parts, or are sold in packages
    rate: Rate | None  # the one multiplication that made the subtotal; None where there are parts
    share: Share | None  # of a full period, where not all of it is charged
    in_bulk: bool  # do all units cost what the tier of the whole quantity says?
    dimensions: tuple[str, ...]  # what the cells of a matrix are told apart by; () for other prices
    parts: list[dict[str, Any]]  # domain.document.SubLine
    adjustments: list[dict[str, Any]]  # domain.document.Adjustment
    subtotal: int
    credits: int
    billed_before: int
    amount: int
    taxes: list[dict[str, Any]]  # domain.document.TaxAmount
    has_days: bool

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Self:
        rate = _rate(line)
        return cls(
            id=line["id"],
            name=line["name"],
            start=date.fromisoformat(line["start"]),
            last=max(date.fromisoformat(line["end"]) - timedelta(days=1), date.fromisoformat(line["start"])),
            quantity=line["quantity"],
            unit=line.get("unit", ""),
            unit_price=_unit_price(line, rate),
            rate=rate,
            share=Share.of_line(line) if "share" in line else None,
            in_bulk=line["price"].get("model_type") == "bulk",
            dimensions=_dimensions(line["price"]),
            parts=line["sub_lines"],
            adjustments=line["adjustments"],
            subtotal=line["subtotal"],
            credits=line["credits_applied"],
            billed_before=line["partially_invoiced"],
            amount=line["amount"],
            taxes=line["taxes"],
            has_days=line["has_days"],
        )

    @property
    def price(self) -> str | None:
        """The one price of all units; None where they have different prices."""
        if self.unit_price is None and [part["quantity"] for part in self.parts] == [self.quantity]:
            return self.parts[0]["unit_amount"]
        return self.unit_price

    @property
    def was_raised(self) -> bool:
        """Is it more than its subtotal, because a minimum had to be reached?"""
        return self.amount > self.subtotal and any(one["type"] == "minimum" for one in self.adjustments)

    @property
    def tax(self) -> int:
        return sum(tax["amount"] for tax in self.taxes)


def _rate(line: Mapping[str, Any]) -> Rate | None:
    """None where there are parts, and for a price that we cannot work out."""
    if line["sub_lines"]:
        return None
    try:
        return pricing.charge(line["price"], Decimal(line["quantity"])).rate
    except (NotPriced, NotRepresentable):
        return None


def _unit_price(line: Mapping[str, Any], rate: Rate | None) -> str | None:
    """As it is written in the price; of units that are scaled it is said in the rate only."""
    plain = rate is not None and rate.size is None and rate.count == Decimal(line["quantity"])
    return money.plain(rate.amount) if rate and plain else None


def _dimensions(price: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        return pricing.dimensions(price)
    except NotPriced:
        return ()
