"""A subscription, as it is answered: whole, in summary, and after a deed."""

from __future__ import annotations

from typing import Any, Literal

from portal.api.answers.adjustment import Rule
from portal.api.answers.catalog import Price
from portal.api.answers.customer import Customer
from portal.api.answers.invoice import CustomerName
from portal.api.answers.kinds import Answer, Count, Id, Money, Nothing, Number, Pairs, Stamp, UnitPrice, said
from portal.api.answers.plan import Plan

Status = Literal["active", "ended", "upcoming"]


class Anchor(Answer):
    day: int = said("", 1)
    month: int | None = said("", 1)
    year: int | None = said("", 2026)


class PriceInterval(Answer):
    """From when to when the subscription has a price."""

    id: Id
    billing_cycle_day: int = said("", 1)
    can_defer_billing: bool
    current_billing_period_start_date: Stamp | None
    current_billing_period_end_date: Stamp | None = said("Exclusive.")
    filter: Nothing
    fixed_fee_quantity_transitions: Nothing
    metric_parameter_overrides: Nothing
    price: Price
    usage_customer_ids: Nothing
    start_date: Stamp
    end_date: Stamp | None


class FixedQuantity(Answer):
    price_id: Id
    quantity: Number
    start_date: Stamp
    end_date: Stamp | None


class AdjustmentInterval(Answer):
    """From when to when the subscription has a discount, a minimum or a maximum."""

    id: Id
    start_date: Stamp
    end_date: Stamp | None
    applies_to_price_interval_ids: list[Id]
    adjustment: Rule


class OlderInterval(Answer):
    """The same as Orb wrote it before it had adjustments: the key named by its kind holds its value."""

    start_date: Stamp
    end_date: Stamp | None
    applies_to_price_interval_ids: list[Id]
    filters: list[Any] = said("Always empty here.", [])
    discount_type: Literal["percentage", "amount", "usage"] | None = None
    percentage_discount: Number | None = None
    amount_discount: UnitPrice | None = None
    usage_discount: Number | None = None
    minimum_amount: UnitPrice | None = None
    maximum_amount: UnitPrice | None = None


class RedeemedCoupon(Answer):
    coupon_id: Id
    start_date: Stamp | None
    end_date: Stamp | None


class TrialInfo(Answer):
    end_date: Stamp | None


class Subscription(Answer):
    """A customer and a plan, from one day on."""

    id: Id
    name: str = said("", "Team")
    status: Status
    start_date: Stamp
    end_date: Stamp | None = said("Exclusive; null: it goes on.")
    created_at: Stamp
    current_billing_period_start_date: Stamp | None
    current_billing_period_end_date: Stamp | None = said("Exclusive.")
    active_plan_phase_order: Nothing
    billing_cycle_day: int = said("The day of the month on which periods begin.", 1)
    billing_cycle_anchor_configuration: Anchor
    default_invoice_memo: str | None
    auto_collection: bool | None
    auto_issuance: bool | None
    net_terms: Count = said("Due so many days after the invoice date.", 30)
    invoicing_threshold: Money | None = said("At what sum of usage it is billed before the period is over.")
    fixed_fee_quantity_schedule: list[FixedQuantity]
    metadata: Pairs
    price_intervals: list[PriceInterval]
    adjustment_intervals: list[AdjustmentInterval] = said("Discounts, minimums and maximums with their times.", [])
    discount_intervals: list[OlderInterval] = said("", [])
    minimum_intervals: list[OlderInterval] = said("", [])
    maximum_intervals: list[OlderInterval] = said("", [])
    redeemed_coupon: RedeemedCoupon | None
    trial_info: TrialInfo
    pending_subscription_change: Nothing
    customer: Customer
    plan: Plan | None


class ChangedResources(Answer):
    """What came of the call at once. Invoices are made by the worker, so these are empty here."""

    created_credit_notes: list[Any] = said("", [])
    created_invoices: list[Any] = said("", [])
    voided_credit_notes: list[Any] = said("", [])
    voided_invoices: list[Any] = said("", [])


class MutatedSubscription(Subscription):
    """A subscription after a deed."""

    changed_resources: ChangedResources


class PlanName(Answer):
    id: Id
    external_plan_id: str | None = said("", "team-2026")
    name: str = said("", "Team")


class SubscriptionSummary(Answer):
    """A subscription by itself, its customer and plan by their names."""

    id: Id
    name: str = said("", "Team")
    created_at: Stamp
    start_date: Stamp
    end_date: Stamp | None
    status: Status
    metadata: Pairs
    customer: CustomerName
    plan: PlanName | None


class Scheduled(Answer):
    """A plan that a subscription has, and from when to when."""

    created_at: Stamp
    start_date: Stamp
    end_date: Stamp | None
    plan: PlanName | None
