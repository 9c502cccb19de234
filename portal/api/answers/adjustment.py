"""An adjustment of a plan or a subscription, as it is answered: a rule, before any amount."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

from portal.api.answers.kinds import Answer, Id, Number, UnitPrice, said


class AdjustmentFilter(Answer):
    field: str = said("", "item_id")
    operator: Literal["includes", "excludes"]
    values: list[str]


class AnyRule(Answer):
    id: Id
    applies_to_price_ids: list[Id]
    filters: list[AdjustmentFilter] = said("What its prices were chosen by.", [])
    is_invoice_level: bool
    plan_phase_order: int | None
    reason: str | None
    replaces_adjustment_id: Id | None


class AmountRule(AnyRule):
    adjustment_type: Literal["amount_discount"]
    amount_discount: UnitPrice


class PercentageRule(AnyRule):
    adjustment_type: Literal["percentage_discount"]
    percentage_discount: Number = said("A share between 0 and 1.", 0.1)


class UsageRule(AnyRule):
    adjustment_type: Literal["usage_discount"]
    usage_discount: Number


class MinimumRule(AnyRule):
    adjustment_type: Literal["minimum"]
    minimum_amount: UnitPrice
    item_id: Id


class MaximumRule(AnyRule):
    adjustment_type: Literal["maximum"]
    maximum_amount: UnitPrice


Rule = TypeAliasType(
    "Rule",
    Annotated[
        PercentageRule | AmountRule | UsageRule | MinimumRule | MaximumRule, Field(discriminator="adjustment_type")
    ],
)
