"""Adjustments of a plan or a subscription as they are asked for: discounts, minimums and maximums of some prices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from portal import current
from portal.api import errors
from portal.api.body import Schema
from portal.api.fields import EitherNumber, MoneyText, Text
from portal.api.shapes import number
from portal.domain import money
from portal.domain.document import ORDER
from portal.models.base import new_id
from portal.models.catalog import Item, Price

MOST = 100  # adjustments of one plan or subscription
LONGEST_LIST = 1000
Ids = Annotated[list[str], Field(max_length=LONGEST_LIST)]


class Filter(Schema):
    field: Literal["price_id", "item_id", "price_type", "currency", "pricing_unit_id"]
    operator: Literal["includes", "excludes"]
    values: Ids

    def takes(self, price: Price) -> bool:
        said = {
            "price_id": {price.id, price.external_id},
            "item_id": {price.item_id},
            "price_type": kinds(price),
            "currency": {price.currency},
            "pricing_unit_id": {price.currency},
        }[self.field]
        return bool(said & set(self.values)) == (self.operator == "includes")


class Adjustment(Schema):
    accepted: ClassVar[frozenset[str]] = frozenset(
        {"id", "plan_phase_order", "replaces_adjustment_id", "tiers", "reference_id"}
    )

    adjustment_type: str
    percentage_discount: Annotated[EitherNumber, Field(ge=0, le=1)] | None = None
    usage_discount: Annotated[EitherNumber, Field(ge=0)] | None = None
    amount_discount: Annotated[MoneyText, Field(ge=0)] | None = None
    minimum_amount: Annotated[MoneyText, Field(ge=0)] | None = None
    maximum_amount: Annotated[MoneyText, Field(ge=0)] | None = None
    item_id: str | None = None
    applies_to_all: Literal[True] | None = None
    applies_to_item_ids: Ids | None = None
    applies_to_price_ids: Ids | None = None
    currency: str | None = None
    filters: Annotated[list[Filter], Field(max_length=20)] | None = None
    is_invoice_level: bool | None = None
    price_type: Literal["usage", "fixed_in_advance", "fixed_in_arrears", "fixed", "in_arrears"] | None = None
    reason: Text | None = None

    def wire(self, prices: Iterable[Price], where: str) -> dict[str, Any]:
        """As a plan has it, numbers as text; it covers those of `prices` that it names. Raises Problem."""
        kind = self.adjustment_type
        if kind not in ORDER:
            raise errors.invalid(f"{where}adjustment_type must be one of {', '.join(ORDER)}.")
        key = f"{kind}_amount" if kind in ("minimum", "maximum") else kind
        value = getattr(self, key)
        if value is None:
            raise errors.invalid(f"{where}{key} is required where adjustment_type is {kind}.")
        covered = self._covered(list(prices), where)
        said = {
            "id": new_id(),
            "adjustment_type": kind,
            key: money.plain(value if key.endswith("amount") or kind == "amount_discount" else number(value)),
            "applies_to_price_ids": [price.id for price in covered],
            "filters": [one.model_dump() for one in self.filters or []],
            "is_invoice_level": len(covered) > 1 if self.is_invoice_level is None else self.is_invoice_level,
            "plan_phase_order": None,
            "reason": self.reason,
            "replaces_adjustment_id": None,
        }
        return {**said, "item_id": self._item(covered)} if kind == "minimum" else said

    def _item(self, covered: list[Price]) -> str:
        """What the revenue of a minimum belongs to. Raises Problem."""
        known = {price.item_id for price in covered}
        if self.item_id is None or self.item_id in known:
            return self.item_id or covered[0].item_id
        if Item.of(current.account(), self.item_id) is None:
            raise errors.not_found("Item")
        return self.item_id

    def _covered(self, prices: list[Price], where: str) -> list[Price]:
        known = {name for price in prices for name in (price.id, price.external_id) if name}
        unknown = [id for id in self.applies_to_price_ids or [] if id not in known]
        if unknown:
            raise errors.invalid(
                f"{where}applies_to_price_ids must name prices that are here: {unknown[0][:100]} is not."
            )
        covered = [price for price in prices if self._covers(price)]
        if not covered:
            raise errors.invalid_at(where, "The adjustment covers none of the prices.")
        return covered

    def _covers(self, price: Price) -> bool:
        wanted = self.applies_to_price_ids
        named = wanted is None or price.id in wanted or price.external_id in wanted
        of_item = self.applies_to_item_ids is None or price.item_id in self.applies_to_item_ids
        of_type = self.price_type is None or self.price_type in kinds(price)
        of_currency = self.currency is None or self.currency == price.currency
        return named and of_item and of_type and of_currency and all(one.takes(price) for one in self.filters or [])


def kinds(price: Price) -> set[str]:
    """What the price is, in the words of an adjustment's price_type."""
    if price.metric_id:
        return {"usage", "in_arrears"}
    ahead = price.wire.get("billing_mode") == "in_advance"
    return {"fixed", "fixed_in_advance"} if ahead else {"fixed", "fixed_in_arrears", "in_arrears"}
