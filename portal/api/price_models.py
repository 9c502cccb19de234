"""The configurations of the price models that are worked out here, and the names of those that are not."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from portal.api.body import Schema
from portal.api.fields import Line, MoneyText, WireNumber

MOST_TIERS = 1000
MOST_CELLS = 2000
# Names only: a price of such a model is refused for its model_type.
OTHER_MODELS = {
    f"{model}_config"
    for model in re.findall(
        r"\w+",
        """
        bulk_with_filters threshold_total_amount tiered_package tiered_with_minimum grouped_tiered grouped_tiered_matrix
        tiered_package_with_minimum package_with_allocation unit_with_percent matrix_with_allocation
        tiered_matrix_with_allocation matrix_with_threshold_discounts tiered_with_proration unit_with_proration
        grouped_allocation bulk_with_proration grouped_with_prorated_minimum grouped_with_metered_minimum
        grouped_with_min_max_thresholds matrix_with_display_name grouped_tiered_package max_group_tiered_package
        scalable_matrix_with_unit_pricing scalable_matrix_with_tiered_pricing cumulative_grouped_bulk
        cumulative_grouped_allocation daily_credit_allowance metered_allowance minimum_composite percent event_output
        """,
    )
}

Value = Annotated[str, Field(max_length=500)]  # what an event's property may be; it may be empty


class UnitConfig(Schema):
    unit_amount: MoneyText
    prorated: bool | None = None
    scaling_factor: WireNumber | None = None


class Tier(Schema):
    first_unit: WireNumber  # exclusive
    last_unit: WireNumber | None = None  # inclusive; null: the last tier
    unit_amount: MoneyText


class TieredConfig(Schema):
    tiers: Annotated[list[Tier], Field(min_length=1, max_length=MOST_TIERS)]
    prorated: bool | None = None


class BulkTier(Schema):
    maximum_units: WireNumber | None = None
    unit_amount: MoneyText


class BulkConfig(Schema):
    tiers: Annotated[list[BulkTier], Field(min_length=1, max_length=MOST_TIERS)]


class PackageConfig(Schema):
    package_amount: MoneyText
    package_size: WireNumber


class MatrixValue(Schema):
    dimension_values: Annotated[list[Value | None], Field(min_length=1, max_length=2)]
    unit_amount: MoneyText
    scaling_factor: WireNumber | None = None


class MatrixConfig(Schema):
    dimensions: Annotated[list[Line | None], Field(min_length=1, max_length=2)]
    default_unit_amount: MoneyText
    matrix_values: Annotated[list[MatrixValue], Field(max_length=MOST_CELLS)]
    scaling_factor: WireNumber | None = None
