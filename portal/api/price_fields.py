"""A price as it is asked for: alone, within a plan, or for one subscription."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from portal.api import errors
from portal.api.body import Schema
from portal.api.fields import Currency, EitherNumber, ExternalId, Line, Metadata, MoneyText, WireNumber, merged
from portal.api.line_shapes import NUMBERS
from portal.api.price_models import OTHER_MODELS, BulkConfig, MatrixConfig, PackageConfig, TieredConfig, UnitConfig
from portal.api.shapes import number
from portal.domain import money, pricing
from portal.domain.cycles import CADENCES

Cadence = Literal["one_time", "monthly", "quarterly", "semi_annual", "annual", "custom"]
LONGEST = {"day": 3660, "month": 120}
# What a price says of itself, and is not asked: a client may send back what it has read.
SAID = {
    "id", "created_at", "price_type", "billing_mode", "billable_metric", "item", "credit_allocation", "minimum",
    "maximum", "plan_phase_order", "replaces_price_id", "composite_price_filters", "reference_id", "license_type",
}  # fmt: skip
# What would change a bill in ways that are not worked out here.
NOT_HERE = ("conversion_rate_config", "dimensional_price_configuration", "license_type_id")


class BillingCycle(Schema):
    duration: Annotated[int, Field(ge=1)]
    duration_unit: Literal["day", "month"]

    def wire(self) -> dict[str, Any]:
        return {"duration": self.duration, "duration_unit": self.duration_unit}


class PriceDiscount(Schema):
    """A discount that a price carries itself."""

    accepted: ClassVar[frozenset[str]] = frozenset({"applies_to_price_ids", "filters"})

    discount_type: Literal["percentage", "amount", "usage"]
    percentage_discount: Annotated[EitherNumber, Field(ge=0, le=1)] | None = None
    amount_discount: Annotated[MoneyText, Field(ge=0)] | None = None
    usage_discount: Annotated[EitherNumber, Field(ge=0)] | None = None
    reason: Line | None = None

    def wire(self) -> dict[str, Any]:
        """Raises Problem."""
        kind = f"{self.discount_type}_discount"
        value = getattr(self, kind)
        if value is None:
            raise errors.invalid(f"{kind} is required where discount_type is {self.discount_type}.")
        said = {"discount_type": self.discount_type, kind: money.plain(value), "reason": self.reason}
        return {**said, "applies_to_price_ids": [], "filters": None}


class PriceFields(Schema):
    accepted: ClassVar[frozenset[str]] = frozenset(SAID | OTHER_MODELS)

    cadence: Cadence
    item_id: str
    model_type: str
    name: Line
    currency: Currency | None = None
    unit_config: UnitConfig | None = None
    tiered_config: TieredConfig | None = None
    bulk_config: BulkConfig | None = None
    package_config: PackageConfig | None = None
    matrix_config: MatrixConfig | None = None
    billable_metric_id: str | None = None
    fixed_price_quantity: Annotated[WireNumber, Field(ge=0)] | None = None
    billed_in_advance: bool | None = None
    billing_cycle_configuration: BillingCycle | None = None
    invoicing_cycle_configuration: BillingCycle | None = None
    conversion_rate: WireNumber | None = None
    conversion_rate_config: dict[str, Any] | None = None
    dimensional_price_configuration: dict[str, Any] | None = None
    license_type_id: str | None = None
    external_price_id: ExternalId | None = None
    invoice_grouping_key: Line | None = None
    metadata: Metadata | None = None
    minimum_amount: Annotated[MoneyText, Field(ge=0)] | None = None
    maximum_amount: Annotated[MoneyText, Field(ge=0)] | None = None
    discount: PriceDiscount | None = None

    def wire(self, where: str = "") -> dict[str, Any]:
        """What the price has besides its id, name, item and metric. Raises Problem, naming `where` it stands."""
        self._refuse(where)
        fixed = self.fixed_price_quantity
        config = f"{self.model_type}_config"
        cycle = _cycle(self.cadence, self.billing_cycle_configuration, where)
        if self.invoicing_cycle_configuration and self.invoicing_cycle_configuration.wire() != cycle:
            raise errors.invalid(
                f"{where}invoicing_cycle_configuration must be left out, or be as long as the billing cycle: "
                "a billing cycle has one invoice here."
            )
        wire = {
            "model_type": self.model_type,
            config: kept(getattr(self, config)),
            "cadence": self.cadence,
            "billing_cycle_configuration": cycle,
            "billing_mode": "in_advance" if self.billed_in_advance else "in_arrear",
            "fixed_price_quantity": None if fixed is None else money.plain(number(fixed)),
            "conversion_rate": None if self.conversion_rate is None else money.plain(number(self.conversion_rate)),
            "external_price_id": self.external_price_id,
            "invoice_grouping_key": self.invoice_grouping_key,
            "metadata": merged({}, self.metadata),
            "discount": self.discount.wire() if self.discount else None,
            **bound("minimum", self.minimum_amount),
            **bound("maximum", self.maximum_amount),
        }
        refuse_unpriced({**wire, "price_type": "usage_price" if self.billable_metric_id else "fixed_price"}, where)
        return wire

    def _refuse(self, where: str) -> None:
        if self.model_type not in pricing.MODELS:
            raise errors.invalid(
                f"{where}model_type must be one of {', '.join(pricing.MODELS)}: others are not worked out here."
            )
        for other in pricing.MODELS:
            if (getattr(self, f"{other}_config") is None) == (other == self.model_type):
                said = f"is required where model_type is {other}" if other == self.model_type else "is of another model"
                raise errors.invalid(f"{where}{other}_config {said}.")
        for name in NOT_HERE:
            if getattr(self, name) is not None:
                raise errors.invalid(f"{where}{name} is not worked out here: leave it out, or null.")
        if (self.billable_metric_id is None) == (self.fixed_price_quantity is None):
            raise errors.invalid_at(
                where, "One of billable_metric_id, for usage, and fixed_price_quantity, for a fee, must be given."
            )
        if self.billable_metric_id is None and self.model_type == "matrix":
            raise errors.invalid(f"{where}billable_metric_id is required for a matrix price: it is charged by usage.")
        if self.billable_metric_id is not None and self.billed_in_advance:
            raise errors.invalid(f"{where}billed_in_advance is for fees: usage is known when the period is over.")


def refuse_unpriced(wire: dict[str, Any], where: str = "") -> None:
    """Raises Problem for a price that could not be worked out."""
    try:
        pricing.check(wire)
    except pricing.NotPriced as error:
        raise errors.invalid(f"{where}{wire['model_type']}_config cannot be used: {error}") from error


def kept(config: Schema | None) -> Any:
    """A configuration as it is kept: every key, numbers as text that nothing can round."""
    return _kept("", config.model_dump() if config else None)


def bound(kind: str, amount: Any) -> dict[str, Any]:
    """A minimum or a maximum, in both of the ways that a price says it."""
    if amount is None:
        return {kind: None, f"{kind}_amount": None}
    text = money.plain(amount)
    return {kind: {f"{kind}_amount": text, "applies_to_price_ids": [], "filters": []}, f"{kind}_amount": text}


def _kept(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _kept(key, part) for key, part in value.items()}
    if isinstance(value, list):
        return [_kept(name, part) for part in value]
    if name == "prorated":
        return bool(value)
    if value is None or isinstance(value, str):
        return value
    return money.plain(number(value) if name in NUMBERS else value)


def _cycle(cadence: str, given: BillingCycle | None, where: str) -> dict[str, Any]:
    usual = {"duration": CADENCES.get(cadence, 1), "duration_unit": "month"}
    if given is None:
        if cadence == "custom":
            raise errors.invalid(f"{where}billing_cycle_configuration is required where cadence is custom.")
        return usual
    if given.duration > LONGEST[given.duration_unit]:
        most = LONGEST[given.duration_unit]
        raise errors.invalid(
            f"{where}billing_cycle_configuration.duration may be at most {most} {given.duration_unit}s."
        )
    if cadence != "custom" and given.wire() != usual:
        raise errors.invalid(f"{where}billing_cycle_configuration contradicts cadence {cadence}: use custom.")
    return given.wire()
