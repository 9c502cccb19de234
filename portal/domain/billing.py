"""From charges to a document: adjustments, credits and tax in their order, each line rounded once, nothing lost.

The order is Orb's (docs.withorb.com, invoice calculation examples): price, usage discounts, amount discounts,
percentage discounts, minimums, maximums, prepaid credits, less what partial invoices billed, tax. The customer's
balance comes after all this and is no part of the document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import chain

from portal.domain import money
from portal.domain.adjusting import Work, adjust, over_positive
from portal.domain.document import (
    DISCOUNTS,
    Adjustment,
    DayAmount,
    Discount,
    Document,
    ItemName,
    Line,
    Rule,
    SubLine,
    TaxAmount,
)
from portal.domain.parts import sub_lines
from portal.domain.periods import OutOfRange
from portal.domain.pricing import Charge, Day, Price, Used, basis, charge

__all__ = [
    "Adjustment",
    "Charged",
    "DayAmount",
    "DaysDiffer",
    "Discount",
    "Document",
    "ItemName",
    "Line",
    "Rule",
    "SubLine",
    "TaxAmount",
    "build",
]


@dataclass(frozen=True, slots=True)
class Charged:
    """What goes in for one line: `days`, where there are some, must add up to the charge.

    `used`, where it is given, says more than `quantity` and comes first: the cells of a matrix price.
    """

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
    used: Used | None = None
    share: Fraction = Fraction(1)  # of a full period, for a fee that is prorated; such a line has no days

    @property
    def basis(self) -> Used:
        return basis(self.price, self.quantity if self.used is None else self.used)


class DaysDiffer(ValueError):
    """The days of a line do not add up to what the line charges."""


def build(
    charged: Sequence[Charged],
    currency: str,
    *,
    new_id: Callable[[], str],
    discounts: Sequence[Discount] = (),
    minimum: int | None = None,
    maximum: int | None = None,
    rules: Sequence[Rule] = (),
    minimums: bool = True,
    tax_rates: Sequence[tuple[str, str]] = (),
    credits: int = 0,
) -> tuple[Document, dict[str, list[DayAmount]]]:
    """The document of an invoice, and the days of each line that has some.

    `minimum`, `maximum` and `credits` are minor units, `tax_rates` pairs of description and percentage of 100, `new_id`
    gives an adjustment its id. `rules` are any discounts, minimums and maximums, of all lines or of some prices; what
    they change, and credits, is shared out over the lines that they cover. A usage discount is taken off each line
    that it covers. Lines may be none or negative; without a line there is nothing to bring up to a minimum, and without
    `minimums`, in the middle of a period, none is asked for.
    Raises UnknownCurrency, NotPriced, NotRepresentable, OutOfRange, DaysDiffer.
    """
    money.exponent(currency)  # refused here, even where there is no amount to round
    rules = [*_bounds(minimum if minimums else None, maximum, currency), *rules]
    rules = [rule for rule in rules if minimums or rule["type"] != "minimum"]
    costs = [_cost(one) for one in charged]
    subtotals = [_subtotal(cost, one.share, currency) for one, cost in zip(charged, costs, strict=True)]
    works = [_work(one, subtotal) for one, subtotal in zip(charged, subtotals, strict=True)]
    adjust(works, currency, new_id=new_id, discounts=discounts, rules=rules, minimums=minimums)
    still_open = [work.running - one.partially_invoiced for one, work in zip(charged, works, strict=True)]
    shares = _credits(still_open, credits)
    lines = [
        _line(one, cost, subtotal, work, share, tax_rates, currency)
        for one, cost, subtotal, work, share in zip(charged, costs, subtotals, works, shares, strict=True)
    ]
    document = _document(lines, [*discounts, *rules], currency)
    return document, {one.id: _days(one.days) for one in charged if one.days}


def _bounds(minimum: int | None, maximum: int | None, currency: str) -> list[Rule]:
    """What the whole invoice has to reach, and cannot pass, as rules."""
    wanted = {"minimum": minimum, "maximum": maximum}
    return [Rule(type=kind, value=money.wire(minor, currency)) for kind, minor in wanted.items() if minor is not None]


def _cost(charged: Charged) -> Charge:
    """For the full period. Raises DaysDiffer."""
    cost = charge(charged.price, charged.basis)
    if charged.days and (charged.share != 1 or money.total(day.amount for day in charged.days) != cost.amount):
        raise DaysDiffer(f"the days of the line {charged.name} do not add up to {money.plain(cost.amount)}.")
    return cost


def _subtotal(cost: Charge, share: Fraction, currency: str) -> int:
    if share < 0:
        raise OutOfRange("the share of a period must not be negative.")
    return money.rounded(cost.amount if share == 1 else Fraction(cost.amount) * share, currency)


def _work(charged: Charged, subtotal: int) -> Work:
    used = charged.basis
    return Work(charged.price, used, used.quantity, charged.share, subtotal)


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
    line = Line(
        id=charged.id,
        name=charged.name,
        item=charged.item,
        quantity=money.plain(charged.basis.quantity),
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
        sub_lines=sub_lines(cost, charged.price, charged.share, subtotal, currency),
        taxes=[_tax(amount, description, percentage, currency) for description, percentage in tax_rates],
        has_days=bool(charged.days),
    )
    if charged.share != 1:
        line["share"] = str(charged.share)
    return line


def _tax(amount: int, description: str, percentage: str, currency: str) -> TaxAmount:
    rate = money.number(percentage)
    if rate < 0:
        raise OutOfRange("a tax percentage must not be negative.")
    tax = money.whole(money.EXACT.multiply(Decimal(amount), rate.scaleb(-2, money.EXACT)))
    return TaxAmount(amount=money.bounded(tax, currency), description=description, percentage=money.plain(rate))


def _document(lines: list[Line], rules: Sequence[Discount | Rule], currency: str) -> Document:
    adjustments = list(chain.from_iterable(line["adjustments"] for line in lines))
    tax = sum(tax["amount"] for tax in chain.from_iterable(line["taxes"] for line in lines))
    whole = {one["type"]: money.rounded(money.number(one["value"]), currency) for one in rules if _is_whole(one)}
    document = Document(
        currency=currency,
        lines=lines,
        discounts=[_discount(one) for one in rules if one["type"] in DISCOUNTS],
        minimum=whole.get("minimum"),
        maximum=whole.get("maximum"),
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


def _is_whole(rule: Discount | Rule) -> bool:
    """Is it a bound of the whole invoice?"""
    return rule["type"] in ("minimum", "maximum") and rule.get("price_ids") is None


def _discount(rule: Discount | Rule) -> Discount:
    found = Discount(type=rule["type"], value=rule["value"], reason=rule.get("reason"))
    if rule.get("price_ids") is not None:
        found["price_ids"] = rule["price_ids"]
    return found


def _days(days: Sequence[Day]) -> list[DayAmount]:
    return [
        DayAmount(
            day=day.day.isoformat(),
            quantity=money.plain(day.quantity),
            amount=money.plain(day.amount.normalize(money.EXACT)),
        )
        for day in days
    ]
