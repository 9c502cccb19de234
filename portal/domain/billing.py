"""From charges to a document: adjustments, credits and tax in their order, each line rounded once, nothing lost.

The order is Orb's (docs.withorb.com, invoice calculation examples): price, usage discounts, amount discounts,
percentage discounts, minimums, maximums, prepaid credits, less what partial invoices billed, tax. The customer's
balance comes after all this and is no part of the document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain

from portal.domain import money
from portal.domain.adjusting import Work, adjust, over_positive
from portal.domain.document import (
    Adjustment,
    DayAmount,
    Discount,
    Document,
    ItemName,
    Line,
    SubLine,
    TaxAmount,
)
from portal.domain.periods import OutOfRange
from portal.domain.pricing import Charge, Day, Price, TierShare, charge, rated

__all__ = [
    "Adjustment",
    "Charged",
    "DayAmount",
    "DaysDiffer",
    "Discount",
    "Document",
    "ItemName",
    "Line",
    "SubLine",
    "TaxAmount",
    "build",
]


@dataclass(frozen=True, slots=True)
class Charged:
    """What goes in for one line: `days`, where there are some, must add up to the charge."""

    id: str
    name: str
    item: ItemName
    price: Price
    quantity: Decimal
    start: date
    end: date  # exclusive
    days: Sequence[Day] | None = None
    partially_invoiced: int = 0  # minor units that partial invoices have billed already
    unit: str = ""  # what the quantity counts


class DaysDiffer(ValueError):
    """The days of a line do not add up to what the line charges."""


def build(
    charged: Sequence[Charged],
    currency: str,
    *,
    new_id: Callable[[], str],
    discounts: Sequence[Discount] = (),
    minimum: int | None = None,
    tax_rates: Sequence[tuple[str, str]] = (),
    credits: int = 0,
) -> tuple[Document, dict[str, list[DayAmount]]]:
    """The document of an invoice, and the days of each line that has some.

    `minimum` and `credits` are minor units, `tax_rates` pairs of description and percentage of 100, `new_id` gives an
    adjustment its id. Discounts, minimum and credits are shared out over the lines. Lines may be none or negative;
    without a line there is nothing to bring up to a minimum.
    Raises UnknownCurrency, NotPriced, NotRepresentable, OutOfRange, DaysDiffer.
    """
    money.exponent(currency)  # refused here, even where there is no amount to round
    costs = [_cost(one) for one in charged]
    subtotals = [money.rounded(cost.amount, currency) for cost in costs]
    works = [Work(one.price, one.quantity, subtotal) for one, subtotal in zip(charged, subtotals, strict=True)]
    adjust(works, currency, new_id=new_id, discounts=discounts, minimum=minimum)
    still_open = [work.running - one.partially_invoiced for one, work in zip(charged, works, strict=True)]
    shares = _credits(still_open, credits)
    lines = [
        _line(one, cost, subtotal, work, share, tax_rates, currency)
        for one, cost, subtotal, work, share in zip(charged, costs, subtotals, works, shares, strict=True)
    ]
    document = _document(lines, discounts, minimum, currency)
    return document, {one.id: _days(one.days) for one in charged if one.days}


def _cost(charged: Charged) -> Charge:
    cost = charge(charged.price, charged.quantity)
    if charged.days and money.total(day.amount for day in charged.days) != cost.amount:
        raise DaysDiffer(f"the days of the line {charged.name} do not add up to {money.plain(cost.amount)}.")
    return cost


def _credits(still_open: Sequence[int], credits: int) -> list[int]:
    """`credits` shared out over the lines, never more than is open on a line or on all of them together."""
    if credits < 0:
        raise OutOfRange("credits must not be negative.")
    return over_positive(min(credits, max(sum(still_open), 0)), still_open)


def _line(
    charged: Charged,
    cost: Charge,
    subtotal: int,
    work: Work,
    credits: int,
    tax_rates: Sequence[tuple[str, str]],
    currency: str,
) -> Line:
    amount = money.bounded(work.running - credits - charged.partially_invoiced, currency)
    return Line(
        id=charged.id,
        name=charged.name,
        item=charged.item,
        quantity=money.plain(rated(charged.price, charged.quantity)),
        unit=charged.unit,
        start=charged.start.isoformat(),
        end=charged.end.isoformat(),
        price=dict(charged.price),
        subtotal=subtotal,
        adjusted_subtotal=work.running,
        credits_applied=credits,
        partially_invoiced=charged.partially_invoiced,
        amount=amount,
        adjustments=work.adjustments,
        sub_lines=_sub_lines(cost.tiers, subtotal),
        taxes=[_tax(amount, description, percentage, currency) for description, percentage in tax_rates],
        has_days=bool(charged.days),
    )


def _sub_lines(tiers: Sequence[TierShare], subtotal: int) -> list[SubLine]:
    amounts = money.shared_out(subtotal, [tier.amount for tier in tiers]) if tiers else []
    return [
        SubLine(
            type="tier",
            name=f"Tier {position}",
            quantity=money.plain(tier.quantity),
            amount=amount,
            first_unit=money.plain(tier.first_unit),
            last_unit=None if tier.last_unit is None else money.plain(tier.last_unit),
            unit_amount=money.plain(tier.unit_amount),
            dimension_values=None,
        )
        for position, (tier, amount) in enumerate(zip(tiers, amounts, strict=True), start=1)
    ]


def _tax(amount: int, description: str, percentage: str, currency: str) -> TaxAmount:
    rate = money.number(percentage)
    if rate < 0:
        raise OutOfRange("a tax percentage must not be negative.")
    tax = money.whole(money.EXACT.multiply(Decimal(amount), rate.scaleb(-2, money.EXACT)))
    return TaxAmount(amount=money.bounded(tax, currency), description=description, percentage=money.plain(rate))


def _document(lines: list[Line], discounts: Iterable[Discount], minimum: int | None, currency: str) -> Document:
    adjustments = list(chain.from_iterable(line["adjustments"] for line in lines))
    tax = sum(tax["amount"] for tax in chain.from_iterable(line["taxes"] for line in lines))
    document = Document(
        currency=currency,
        lines=lines,
        discounts=[{**one, "reason": one.get("reason")} for one in discounts],
        minimum=minimum,
        subtotal=sum(line["subtotal"] for line in lines),
        discount=-sum(one["amount"] for one in adjustments if one["type"] != "minimum"),
        raised=sum(one["amount"] for one in adjustments if one["type"] == "minimum"),
        credits=sum(line["credits_applied"] for line in lines),
        partially_invoiced=sum(line["partially_invoiced"] for line in lines),
        tax=tax,
        total=sum(line["amount"] for line in lines) + tax,
    )
    for amount in (document["subtotal"], document["tax"], document["total"]):
        money.bounded(amount, currency)
    return document


def _days(days: Sequence[Day]) -> list[DayAmount]:
    return [
        DayAmount(
            day=day.day.isoformat(),
            quantity=money.plain(day.quantity),
            amount=money.plain(day.amount.normalize(money.EXACT)),
        )
        for day in days
    ]
