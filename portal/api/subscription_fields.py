"""A subscription as it is asked for, and what of it may change."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field

from portal.api import errors
from portal.api.adjustments import MOST, Adjustment
from portal.api.body import Schema
from portal.api.fields import ExternalId, Line, LocalDay, Metadata, MoneyText, Text, WireNumber, day_in
from portal.api.plans import LONGEST_TERMS
from portal.api.price_fields import PriceDiscount, PriceFields
from portal.api.price_models import BulkConfig, MatrixConfig, PackageConfig, TieredConfig, UnitConfig

MOST_PRICES = 200
LONGEST_TRIAL = 3650  # days
# What a subscription says of itself, and Orb's fields that mean nothing here.
SAID = frozenset(
    {
        "id", "created_at", "status", "customer", "plan", "price_intervals", "adjustment_intervals",
        "discount_intervals", "minimum_intervals", "maximum_intervals", "billing_cycle_day", "trial_info",
        "redeemed_coupon", "current_billing_period_start_date", "current_billing_period_end_date",
        "active_plan_phase_order", "fixed_fee_quantity_schedule", "pending_subscription_change", "changed_resources",
        "aws_region", "credits_overage_rate", "external_marketplace", "external_marketplace_reporting_id",
        "per_credit_overage_amount", "initial_phase_order", "discount", "minimum_amount", "maximum_amount",
    }
)  # fmt: skip
Terms = Annotated[int, Field(ge=0, le=LONGEST_TERMS)]
Threshold = Annotated[MoneyText, Field(gt=0)]


class Anchor(Schema):
    """The day from which billing periods are counted."""

    day: Annotated[int, Field(ge=1, le=31)]
    month: Annotated[int, Field(ge=1, le=12)] | None = None
    year: Annotated[int, Field(ge=1970, le=2999)] | None = None


class PriceTerms(Schema):
    """What goes with a price that one subscription adds or replaces."""

    accepted: ClassVar[frozenset[str]] = frozenset(
        {"plan_phase_order", "metric_parameter_overrides", "reference_id", "allocation_price", "usage_customer_ids"}
    )

    price: PriceFields | None = None
    price_id: str | None = None
    external_price_id: str | None = None
    minimum_amount: Annotated[MoneyText, Field(ge=0)] | None = None
    maximum_amount: Annotated[MoneyText, Field(ge=0)] | None = None
    discounts: Annotated[list[PriceDiscount], Field(max_length=20)] | None = None


class AddedPrice(PriceTerms):
    start_date: LocalDay | None = None
    end_date: LocalDay | None = None


class ReplacedPrice(PriceTerms):
    replaces_price_id: str
    fixed_price_quantity: Annotated[WireNumber, Field(ge=0)] | None = None


class Override(Schema):
    """Other numbers for a price of the plan; Orb's older way to say it. Null takes a bound or a discount away."""

    accepted: ClassVar[frozenset[str]] = PriceFields.accepted - {"id"} | {
        "name", "currency", "cadence", "item_id", "billable_metric_id", "billed_in_advance", "conversion_rate",
        "conversion_rate_config", "billing_cycle_configuration", "invoicing_cycle_configuration", "metadata",
        "external_price_id", "invoice_grouping_key", "dimensional_price_configuration",
    }  # fmt: skip

    id: str
    model_type: str | None = None
    unit_config: UnitConfig | None = None
    tiered_config: TieredConfig | None = None
    bulk_config: BulkConfig | None = None
    package_config: PackageConfig | None = None
    matrix_config: MatrixConfig | None = None
    fixed_price_quantity: Annotated[WireNumber, Field(ge=0)] | None = None
    minimum_amount: Annotated[MoneyText, Field(ge=0)] | None = None
    maximum_amount: Annotated[MoneyText, Field(ge=0)] | None = None
    discount: PriceDiscount | None = None


class NamedPrice(Schema):
    price_id: str | None = None
    external_price_id: str | None = None


class AddedAdjustment(Schema):
    accepted: ClassVar[frozenset[str]] = frozenset({"plan_phase_order"})

    adjustment: Adjustment
    start_date: LocalDay | None = None
    end_date: LocalDay | None = None


class ReplacedAdjustment(Schema):
    adjustment: Adjustment
    replaces_adjustment_id: str


class NamedAdjustment(Schema):
    adjustment_id: str


class SubscriptionFields(Schema):
    """What of a subscription may change while it runs."""

    accepted: ClassVar[frozenset[str]] = SAID | {"name", "start_date", "end_date", "billing_cycle_anchor_configuration"}

    auto_collection: bool | None = None
    auto_issuance: bool | None = None
    default_invoice_memo: Text | None = None
    invoicing_threshold: Threshold | None = None
    metadata: Metadata | None = None
    net_terms: Terms | None = None


class NewSubscription(SubscriptionFields):
    accepted: ClassVar[frozenset[str]] = SAID

    customer_id: str | None = None
    external_customer_id: str | None = None
    plan_id: str | None = None
    external_plan_id: str | None = None
    plan_version_number: int | None = None
    name: Line | None = None
    currency: str | None = None
    start_date: LocalDay | None = None
    end_date: LocalDay | None = None
    align_billing_with_subscription_start_date: bool | None = None
    billing_cycle_anchor_configuration: Anchor | None = None
    trial_duration_days: Annotated[int, Field(ge=0, le=LONGEST_TRIAL)] | None = None
    coupon_redemption_code: ExternalId | None = None
    add_prices: Annotated[list[AddedPrice], Field(max_length=MOST_PRICES)] | None = None
    remove_prices: Annotated[list[NamedPrice], Field(max_length=MOST_PRICES)] | None = None
    replace_prices: Annotated[list[ReplacedPrice], Field(max_length=MOST_PRICES)] | None = None
    price_overrides: Annotated[list[Override], Field(max_length=MOST_PRICES)] | None = None
    add_adjustments: Annotated[list[AddedAdjustment], Field(max_length=MOST)] | None = None
    remove_adjustments: Annotated[list[NamedAdjustment], Field(max_length=MOST)] | None = None
    replace_adjustments: Annotated[list[ReplacedAdjustment], Field(max_length=MOST)] | None = None
    filter: str | None = None
    usage_customer_ids: list[str] | None = None

    def refuse_what_is_not_worked_out(self) -> None:
        """Raises Problem for what would be billed otherwise than it was asked for."""
        if self.filter:
            raise errors.invalid("filter is not worked out here: say it in the metric's WHERE, and leave filter out.")
        if self.usage_customer_ids not in (None, [], [self.customer_id]):
            raise errors.invalid("usage_customer_ids is not worked out here: a subscription bills its own customer.")
        if self.plan_version_number not in (None, 1):
            raise errors.invalid("plan_version_number must be 1, or left out: plans have one version here.")
        if (self.customer_id is None) == (self.external_customer_id is None):
            raise errors.invalid("Name the customer by one of customer_id and external_customer_id.")
        if (self.plan_id is None) == (self.external_plan_id is None):
            raise errors.invalid("Name the plan by one of plan_id and external_plan_id.")


def days(start: date | datetime | None, end: date | datetime | None, timezone: str, where: str = "") -> Any:
    """The two calendar days where the customer lives, as far as they are said. Raises Problem."""
    first = None if start is None else day_in(start, timezone)
    last = None if end is None else day_in(end, timezone)
    if first and last and last <= first:
        raise errors.invalid(f"{where}end_date is exclusive and must be after start_date.")
    return first, last
