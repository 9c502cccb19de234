"""The shape of a frozen invoice: plain JSON, that says everything about what was charged and nothing about payment.

Amounts are minor units, quantities and prices decimal text, days "YYYY-MM-DD". `billing` builds it.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

AdjustmentType = Literal["usage_discount", "amount_discount", "percentage_discount", "minimum", "maximum"]

ORDER: tuple[AdjustmentType, ...] = ("usage_discount", "amount_discount", "percentage_discount", "minimum", "maximum")
DISCOUNTS = ORDER[:3]


class Discount(TypedDict):
    """A discount on the whole invoice, or on some of its prices."""

    type: str  # one of DISCOUNTS
    value: str  # percentage_discount: a share between 0 and 1; amount_discount: major units; usage_discount: units
    reason: NotRequired[str | None]
    price_ids: NotRequired[list[str] | None]  # missing or null: all


class Rule(TypedDict):
    """A discount, a minimum or a maximum, on the whole invoice or on some of its prices together."""

    type: str  # one of ORDER
    value: str  # as in Discount; minimum and maximum: major units
    reason: NotRequired[str | None]
    price_ids: NotRequired[list[str] | None]  # missing or null: all


class Adjustment(TypedDict):
    """What one rule changed on one line. The same rule has the same id on every line."""

    id: str
    type: AdjustmentType
    amount: int  # as it changes the line: discounts and maximums are negative, minimums positive
    value: str  # as in Discount; minimum and maximum: major units
    is_invoice_level: bool
    reason: str | None
    price_ids: list[str]


class SubLine(TypedDict):
    """A part of a line; the amounts of its parts add up to the line's subtotal."""

    type: Literal["tier", "matrix", "other"]
    name: str
    quantity: str
    amount: int
    first_unit: str | None  # exclusive
    last_unit: str | None  # inclusive; None where the tier is open
    unit_amount: str | None  # major units, scaled where the price says so
    dimension_values: list[str | None] | None  # of a matrix; None: all that have no price of their own


class TaxAmount(TypedDict):
    """One tax rate on one line, rounded by itself."""

    amount: int
    description: str
    percentage: str  # of 100


class ItemName(TypedDict):
    """The item that a line sells."""

    id: str
    name: str


class Line(TypedDict):
    """amount = adjusted_subtotal − credits_applied − partially_invoiced; tax comes on top of it."""

    id: str
    name: str
    item: ItemName
    quantity: str
    unit: NotRequired[str]  # what the quantity counts: "seat-days"; lines of old documents lack it
    start: str
    end: str  # exclusive
    price: dict[str, Any]  # as on the wire
    share: NotRequired[str]  # of a full period that is charged, where it is not all: "1/3"
    subtotal: int
    adjusted_subtotal: int
    credits_applied: int
    partially_invoiced: int
    amount: int
    adjustments: list[Adjustment]
    sub_lines: list[SubLine]
    taxes: list[TaxAmount]
    has_days: bool


class Document(TypedDict):
    """total = Σ line amounts + tax = subtotal − discount + raised − credits − partially_invoiced + tax."""

    currency: str
    lines: list[Line]
    discounts: list[Discount]
    minimum: int | None  # what the whole invoice had to reach before credits and tax
    maximum: NotRequired[int | None]  # what it could not pass; old documents lack it
    subtotal: int
    discount: int  # what discounts and maximums took off, positive
    raised: int  # what minimums added
    credits: int  # prepaid credits applied
    partially_invoiced: int
    tax: int
    total: int


class DayAmount(TypedDict):
    """What one day added to a line."""

    day: str
    quantity: str
    amount: str  # major units, not rounded
