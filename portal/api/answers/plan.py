"""Plans and coupons, as they are answered."""

from __future__ import annotations

from typing import Literal

from portal.api.answers.adjustment import Rule
from portal.api.answers.catalog import Price
from portal.api.answers.kinds import Answer, Count, Currency, Id, Nothing, Number, Pairs, Stamp, UnitPrice, said


class Product(Answer):
    id: Id
    name: str = said("", "Team")
    created_at: Stamp


class TrialConfig(Answer):
    trial_period: Count | None
    trial_period_unit: Literal["days"]


class Plan(Answer):
    """Prices that belong together, and the terms that go with them."""

    id: Id
    name: str = said("", "Team")
    description: str = said("Empty where there is none.", "")
    metadata: Pairs
    external_plan_id: str | None = said("Your own id of it.", "team-2026")
    created_at: Stamp
    currency: Currency
    invoicing_currency: Currency
    net_terms: Count | None = said("Due so many days after the invoice date.", 30)
    default_invoice_memo: str | None
    prices: list[Price]
    adjustments: list[Rule] = said("Discounts, minimums and maximums of its prices.", [])
    discount: Nothing
    minimum: Nothing
    minimum_amount: Nothing
    maximum: Nothing
    maximum_amount: Nothing
    plan_phases: Nothing
    product: Product = said("Each plan is a product of its own.")
    status: Literal["active", "archived", "draft"]
    trial_config: TrialConfig
    version: int = said("Always 1: a plan has one version.", 1)
    base_plan: Nothing
    base_plan_id: Nothing


class CouponDiscount(Answer):
    """The key named by its kind holds its value."""

    discount_type: Literal["percentage", "amount"]
    percentage_discount: Number | None = said("A share between 0 and 1.", 0.1, default=None)
    amount_discount: UnitPrice | None = None
    applies_to_price_ids: list[Id]
    filters: Nothing
    reason: str | None


class Coupon(Answer):
    """A discount that a code brings to a subscription."""

    id: Id
    redemption_code: str = said("One that is live has it alone.", "SPRING")
    discount: CouponDiscount
    duration_in_months: int | None = said("Null: for ever.", 12)
    max_redemptions: int | None
    times_redeemed: Count = said("", 0)
    archived_at: Stamp | None
