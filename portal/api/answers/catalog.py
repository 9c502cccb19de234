"""What is sold, as it is answered: items, metrics and prices."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

from portal.api.answers.kinds import Answer, Currency, Id, Named, Nothing, Number, Pairs, Stamp, UnitPrice, said

Cadence = Literal["one_time", "monthly", "quarterly", "semi_annual", "annual", "custom"]


class Item(Answer):
    """What is sold, by name. Prices and invoice lines point at it."""

    id: Id
    name: str = said("What it is called.", "Onboarding")
    created_at: Stamp
    external_connections: list[Any] = said("Always empty here.", [])
    metadata: Pairs
    archived_at: Stamp | None


class Metric(Answer):
    """What is counted, and how."""

    id: Id
    name: str = said("", "API calls")
    description: str | None
    item: Item
    sql: str = said("How it is counted.", "SELECT COUNT(*) FROM events WHERE event_name = 'call'")
    status: Literal["active", "draft", "archived"]
    metadata: Pairs
    parameter_definitions: Nothing
    unit: str = said("What a quantity counts. Ours.", "calls")
    dimensions: list[str] = said("The properties by which its usage is kept apart. Ours.", ["region"])


class ItemName(Answer):
    id: Id
    name: str = said("As it is called now, or was when the invoice was issued.", "Onboarding")


class Cycle(Answer):
    duration: int = said("How many of the units one cycle lasts.", 1)
    duration_unit: Literal["day", "month"]


class Least(Answer):
    minimum_amount: UnitPrice
    applies_to_price_ids: list[Id]
    filters: list[Any] = said("Always empty here.", [])


class Most(Answer):
    maximum_amount: UnitPrice
    applies_to_price_ids: list[Id]
    filters: list[Any] = said("Always empty here.", [])


class UnitConfig(Answer):
    unit_amount: UnitPrice
    prorated: bool | None = None
    scaling_factor: Number | None = None


class Tier(Answer):
    first_unit: Number = said("Exclusive.", 0)
    last_unit: Number | None = said("Inclusive; null for the last tier, which has no end.", 1000)
    unit_amount: UnitPrice


class TieredConfig(Answer):
    tiers: list[Tier]
    prorated: bool | None = None


class BulkTier(Answer):
    unit_amount: UnitPrice
    maximum_units: Number | None = said("Up to how many units it holds; null: for all above.", 1000, default=None)


class BulkConfig(Answer):
    tiers: list[BulkTier]


class PackageConfig(Answer):
    package_amount: UnitPrice
    package_size: Number = said("Units in one package; a package that is begun is charged whole.", 100)


class MatrixValue(Answer):
    dimension_values: list[str | None] = said("Null stands for whatever has no price of its own.", ["eu"])
    unit_amount: UnitPrice
    scaling_factor: Number | None = None


class MatrixConfig(Answer):
    dimensions: list[str | None] = said("The properties that decide.", ["region"])
    default_unit_amount: UnitPrice
    matrix_values: list[MatrixValue]
    scaling_factor: Number | None = None


class PriceDiscount(Answer):
    """A discount that the price carries itself: the key named by its kind holds its value."""

    discount_type: Literal["percentage", "amount", "usage"]
    percentage_discount: Number | None = said("A share between 0 and 1.", 0.1, default=None)
    amount_discount: UnitPrice | None = None
    usage_discount: Number | None = None
    applies_to_price_ids: list[Id]
    filters: list[Any] | None
    reason: str | None


class AnyPrice(Answer):
    """What all prices have in common."""

    id: Id
    name: str = said("What the line of an invoice is called.", "API calls")
    external_price_id: str | None
    price_type: Literal["usage_price", "fixed_price"]
    created_at: Stamp
    cadence: Cadence = said("How often it is charged.", "monthly")
    billing_cycle_configuration: Cycle
    invoicing_cycle_configuration: Cycle | None
    billing_mode: Literal["in_advance", "in_arrear"]
    billable_metric: Named | None = said("What measures the quantity; null for a fixed fee.")
    fixed_price_quantity: Number | None
    plan_phase_order: int | None
    currency: Currency
    conversion_rate: Number | None
    conversion_rate_config: Nothing
    item: ItemName
    credit_allocation: Nothing
    discount: PriceDiscount | None
    minimum: Least | None
    minimum_amount: UnitPrice | None
    maximum: Most | None
    maximum_amount: UnitPrice | None
    invoice_grouping_key: str | None
    replaces_price_id: Id | None
    composite_price_filters: Nothing
    metadata: Pairs
    dimensional_price_configuration: Nothing
    license_type: Nothing


class PriceByUnit(AnyPrice):
    """Each unit costs the same."""

    model_type: Literal["unit"]
    unit_config: UnitConfig


class PriceInTiers(AnyPrice):
    """Graduated: the units of each tier cost what that tier says."""

    model_type: Literal["tiered"]
    tiered_config: TieredConfig


class PriceInBulk(AnyPrice):
    """All units cost what the tier says that the whole quantity falls in."""

    model_type: Literal["bulk"]
    bulk_config: BulkConfig


class PriceByPackage(AnyPrice):
    """Packages of a fixed size."""

    model_type: Literal["package"]
    package_config: PackageConfig


class PriceByMatrix(AnyPrice):
    """The unit price depends on the values of one or two properties of the events."""

    model_type: Literal["matrix"]
    matrix_config: MatrixConfig


Price = TypeAliasType(
    "Price",
    Annotated[
        PriceByUnit | PriceInTiers | PriceInBulk | PriceByPackage | PriceByMatrix, Field(discriminator="model_type")
    ],
)
