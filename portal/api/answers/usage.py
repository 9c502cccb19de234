"""Usage and costs, as they are answered."""

from __future__ import annotations

from typing import Literal

from portal.api.answers.catalog import Price
from portal.api.answers.kinds import Answer, Id, Money, Nothing, Number, Stamp, said


class MetricName(Answer):
    id: Id
    name: str = said("", "API calls")


class Window(Answer):
    quantity: Number
    timeframe_start: Stamp = said("Inclusive.")
    timeframe_end: Stamp = said("Exclusive. Days are cut at midnight where the customer is.")


class MetricGroup(Answer):
    property_key: str = said("", "region")
    property_value: str = said("", "eu")


class MetricUsage(Answer):
    """What was used of one metric; with `group_by`, of one value of the property."""

    billable_metric: MetricName
    metric_group: MetricGroup | None = said("Only with group_by.", default=None)
    usage: list[Window]
    view_mode: Literal["periodic", "cumulative"]


class Usage(Answer):
    data: list[MetricUsage]
    pagination_metadata: Nothing = None


class PriceCost(Answer):
    """What one price came to."""

    price_id: Id
    price: Price
    subtotal: Money = said("Before minimums and discounts.", "40.00")
    total: Money
    quantity: Number | None


class Cost(Answer):
    """What came together from timeframe_start to timeframe_end."""

    timeframe_start: Stamp = said("Cumulative: where the billing period begins.")
    timeframe_end: Stamp = said("Exclusive.")
    subtotal: Money = said("Before minimums and discounts.", "40.00")
    total: Money = said("After them.", "40.00")
    per_price_costs: list[PriceCost]


class Costs(Answer):
    data: list[Cost]
