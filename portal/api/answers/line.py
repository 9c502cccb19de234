"""A line of an invoice, as it is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

from portal.api.answers.catalog import Price
from portal.api.answers.kinds import Answer, Id, Money, Nothing, Number, Share, Stamp, UnitPrice, said


class AnyAdjustment(Answer):
    """What one rule changed on one line."""

    id: Id = said("The same rule has the same id on every line.")
    amount: Money = said("As it changes the line: discounts are negative, minimums positive.", "-4.00")
    applies_to_price_ids: list[Id]
    filters: list[Any] = said("Always empty here.", [])
    is_invoice_level: bool
    reason: str | None
    replaces_adjustment_id: Nothing


class UsageDiscount(AnyAdjustment):
    adjustment_type: Literal["usage_discount"]
    usage_discount: Number


class AmountDiscount(AnyAdjustment):
    adjustment_type: Literal["amount_discount"]
    amount_discount: UnitPrice = said("", "4.00")


class PercentageDiscount(AnyAdjustment):
    adjustment_type: Literal["percentage_discount"]
    percentage_discount: Number = said("A share between 0 and 1.", 0.1)


class Minimum(AnyAdjustment):
    adjustment_type: Literal["minimum"]
    minimum_amount: UnitPrice
    item_id: Id


class Maximum(AnyAdjustment):
    adjustment_type: Literal["maximum"]
    maximum_amount: UnitPrice


Adjustment = TypeAliasType(
    "Adjustment",
    Annotated[
        AmountDiscount | PercentageDiscount | UsageDiscount | Minimum | Maximum, Field(discriminator="adjustment_type")
    ],
)


class Grouping(Answer):
    key: str
    value: str | None


class AnySubLine(Answer):
    """A part of a line; the parts add up to its subtotal."""

    name: str = said("", "Tier 1")
    quantity: Number
    amount: Money
    grouping: Grouping | None


class TierOfLine(Answer):
    first_unit: Number = said("Exclusive.", 0)
    last_unit: Number | None = said("Inclusive; null for the last tier.", 1000)
    unit_amount: UnitPrice


class TierSubLine(AnySubLine):
    type: Literal["tier"]
    tier_config: TierOfLine


class CellOfLine(Answer):
    dimension_values: list[str | None]


class MatrixSubLine(AnySubLine):
    type: Literal["matrix"]
    matrix_config: CellOfLine
    scaled_quantity: Number | None


class OtherSubLine(AnySubLine):
    type: Literal["'null'"] = said("With the quotes: that is what Orb's clients look for.")


SubLine = TypeAliasType("SubLine", Annotated[TierSubLine | MatrixSubLine | OtherSubLine, Field(discriminator="type")])


class Tax(Answer):
    amount: Money
    tax_rate_description: str = said("", "Sales tax")
    tax_rate_percentage: Share | None
    tax_reason: str | None


class LineItem(Answer):
    """amount = adjusted_subtotal − credits_applied − partially_invoiced_amount; tax comes on top of it."""

    id: Id
    name: str = said("", "Onboarding")
    quantity: Number
    start_date: Stamp = said("Midnight of the first day, where the customer is.", "2026-10-01T04:00:00+00:00")
    end_date: Stamp = said("Exclusive.", "2026-11-01T04:00:00+00:00")
    subtotal: Money = said("Before adjustments.", "44.00")
    adjusted_subtotal: Money = said("After adjustments.", "40.00")
    credits_applied: Money = said("Paid from prepaid credits.", "0.00")
    partially_invoiced_amount: Money = said("Charged already, by a threshold invoice of the same period.", "0.00")
    amount: Money = said("What the line adds to the invoice, before tax.", "40.00")
    adjustments: list[Adjustment]
    sub_line_items: list[SubLine] = said("Its tiers, or its cells; they add up to the subtotal.", [])
    tax_amounts: list[Tax] = said("", [])
    price: Price
    filter: Nothing
    grouping: Nothing
    usage_customer_ids: Nothing
