"""The official SDK, unmodified and strict, loads a catalog: items, metrics, prices and plans."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orb as sdk
import pytest
from orb import Orb

SQL = "SELECT SUM(bytes) FROM events WHERE event_name = 'download' AND region IN ('eu', 'us')"


@pytest.fixture
def item_id(orb: Orb) -> str:
    return orb.items.create(name="Transfer").id


@pytest.fixture
def metric_id(orb: Orb, item_id: str) -> str:
    return orb.metrics.create(name="Bytes", item_id=item_id, sql=SQL, description="All of them").id


def test_an_item_is_renamed_and_archived(orb: Orb) -> None:
    made = orb.items.create(name="Transfer", metadata={"a": "1", "b": "2"})

    changed = orb.items.update(made.id, name="Traffic", metadata={"a": None, "c": "3"})
    archived = orb.items.archive(made.id)

    assert (changed.name, changed.metadata) == ("Traffic", {"b": "2", "c": "3"})
    assert archived.archived_at == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert orb.items.fetch(made.id) == archived


def test_a_metric_goes_through_its_life(orb: Orb, item_id: str) -> None:
    made = orb.metrics.create(name="Bytes", item_id=item_id, sql=SQL, description=None, metadata={"team": "net"})
    changed = orb.metrics.update(made.id, name="Traffic", description="In bytes", metadata=None)

    assert (made.status, made.sql, made.item.id, made.description) == ("active", SQL, item_id, None)
    assert (changed.name, changed.description, changed.metadata) == ("Traffic", "In bytes", {})
    assert orb.metrics.archive(made.id).status == "archived"
    assert [one.id for one in orb.metrics.list(status="archived")] == [made.id]
    assert list(orb.metrics.list(status="active")) == []
    assert orb.metrics.unarchive(made.id) == orb.metrics.fetch(made.id)
    assert orb.metrics.fetch(made.id).status == "active"


MODELS: dict[str, dict[str, Any]] = {
    "unit": {"unit_config": {"unit_amount": "0.50", "scaling_factor": 0.25, "prorated": True}},
    "tiered": {
        "tiered_config": {
            "tiers": [
                {"first_unit": 0, "last_unit": 10, "unit_amount": "1"},
                {"first_unit": 10, "unit_amount": "0.5"},
            ]
        }
    },
    "bulk": {"bulk_config": {"tiers": [{"maximum_units": 100, "unit_amount": "1"}, {"unit_amount": "0.9"}]}},
    "package": {"package_config": {"package_amount": "5.00", "package_size": 1000}},
    "matrix": {
        "matrix_config": {
            "dimensions": ["region", None],
            "default_unit_amount": "1",
            "matrix_values": [{"dimension_values": ["eu", None], "unit_amount": "2"}],
        }
    },
}


@pytest.mark.parametrize("model", MODELS)
def test_a_price_of_each_model_is_made_and_read_again(orb: Orb, item_id: str, metric_id: str, model: str) -> None:
    made = orb.prices.create(
        name="Per byte",
        item_id=item_id,
        billable_metric_id=metric_id,
        cadence="monthly",
        currency="USD",
        model_type=model,
        external_price_id=f"crm/{model}",
        metadata={"a": "1"},
        **MODELS[model],
    )  # type: ignore[call-overload]  # one of five signatures, chosen by the model

    assert made.price_model_type == model
    assert (made.price_type, made.billing_mode, made.fixed_price_quantity) == ("usage_price", "in_arrear", None)
    assert made.billable_metric.id == metric_id
    assert (made.item.id, made.item.name) == (item_id, "Transfer")
    assert orb.prices.fetch(made.id) == made
    assert orb.prices.external_price_id.fetch(f"crm/{model}") == made
    assert orb.prices.external_price_id.update(f"crm/{model}", metadata={"b": "2"}).metadata == {"a": "1", "b": "2"}
    assert orb.prices.update(made.id, metadata=None).metadata == {}
    assert [one.id for one in orb.prices.list()] == [made.id]


def test_a_fee_is_paid_ahead_every_quarter(orb: Orb, item_id: str) -> None:
    fee = orb.prices.create(
        name="Platform",
        item_id=item_id,
        cadence="quarterly",
        currency="USD",
        model_type="unit",
        unit_config={"unit_amount": "20.00"},
        fixed_price_quantity=1.5,
        billed_in_advance=True,
        invoice_grouping_key="fees",
    )

    assert (fee.price_type, fee.billing_mode, fee.cadence) == ("fixed_price", "in_advance", "quarterly")
    assert (fee.fixed_price_quantity, fee.billable_metric, fee.invoice_grouping_key) == (1.5, None, "fees")
    assert fee.billing_cycle_configuration.duration == 3
    assert fee.billing_cycle_configuration.duration_unit == "month"


def test_a_price_may_repeat_after_any_days(orb: Orb, item_id: str) -> None:
    fee = orb.prices.create(
        name="Sprint",
        item_id=item_id,
        cadence="custom",
        billing_cycle_configuration={"duration": 14, "duration_unit": "day"},
        currency="JPY",
        model_type="unit",
        unit_config={"unit_amount": "2000"},
        fixed_price_quantity=1,
    )

    assert (fee.cadence, fee.currency) == ("custom", "JPY")
    assert fee.billing_cycle_configuration.model_dump() == {"duration": 14, "duration_unit": "day"}


def plan(orb: Orb, item_id: str, metric_id: str, **more: Any) -> Any:
    whole: dict[str, Any] = {
        "name": "Team",
        "currency": "USD",
        "external_plan_id": "team/1",
        "net_terms": 14,
        "prices": [
            {
                "price": {
                    "name": "Bytes",
                    "item_id": item_id,
                    "billable_metric_id": metric_id,
                    "cadence": "monthly",
                    "model_type": "unit",
                    "unit_config": {"unit_amount": "0.50"},
                    "external_price_id": "bytes",
                }
            },
            {
                "price": {
                    "name": "Seats",
                    "item_id": item_id,
                    "fixed_price_quantity": 3,
                    "billed_in_advance": True,
                    "cadence": "annual",
                    "currency": "USD",
                    "model_type": "unit",
                    "unit_config": {"unit_amount": "9.00"},
                }
            },
        ],
        **more,
    }
    return orb.plans.create(**whole)


def test_a_plan_holds_its_prices_in_order(orb: Orb, item_id: str, metric_id: str) -> None:
    made = plan(orb, item_id, metric_id, description="For teams", default_invoice_memo="Thank you", metadata={"a": "1"})

    assert (made.name, made.description, made.status, made.net_terms) == ("Team", "For teams", "active", 14)
    assert (made.currency, made.invoicing_currency, made.default_invoice_memo) == ("USD", "USD", "Thank you")
    assert [price.name for price in made.prices] == ["Bytes", "Seats"]
    assert [price.billing_mode for price in made.prices] == ["in_arrear", "in_advance"]
    assert orb.plans.fetch(made.id) == made
    assert orb.plans.external_plan_id.fetch("team/1") == made
    assert orb.prices.external_price_id.fetch("bytes") == made.prices[0]
    assert [one.id for one in orb.plans.list(status="active")] == [made.id]
    assert list(orb.plans.list(status="draft")) == []


def test_what_of_a_plan_may_change_changes(orb: Orb, item_id: str, metric_id: str) -> None:
    made = plan(orb, item_id, metric_id)

    changed = orb.plans.external_plan_id.update("team/1", external_plan_id="team/2", name="Teams", description="New")
    again = orb.plans.update(made.id, metadata={"a": "1"}, description=None)

    assert (changed.external_plan_id, changed.name, changed.product.name) == ("team/2", "Teams", "Teams")
    assert (again.metadata, again.description) == ({"a": "1"}, "New")
    with pytest.raises(sdk.NotFoundError):
        orb.plans.external_plan_id.fetch("team/1")


def test_a_plan_carries_adjustments(orb: Orb, item_id: str, metric_id: str) -> None:
    adjustments: list[dict[str, Any]] = [
        {"adjustment": {"adjustment_type": "percentage_discount", "percentage_discount": 0.15, "price_type": "usage"}},
        {"adjustment": {"adjustment_type": "amount_discount", "amount_discount": "5.00", "applies_to_all": True}},
        {"adjustment": {"adjustment_type": "usage_discount", "usage_discount": 10, "applies_to_price_ids": ["bytes"]}},
        {"adjustment": {"adjustment_type": "minimum", "minimum_amount": "100", "item_id": item_id}},
        {
            "adjustment": {
                "adjustment_type": "maximum",
                "maximum_amount": "1000",
                "filters": [{"field": "price_type", "operator": "excludes", "values": ["usage"]}],
            }
        },
    ]

    made = plan(orb, item_id, metric_id, adjustments=adjustments)

    usage, seats = (price.id for price in made.prices)
    share, amount, units, least, most = made.adjustments
    assert share.adjustment_type == "percentage_discount"
    assert (share.percentage_discount, share.applies_to_price_ids, share.is_invoice_level) == (0.15, [usage], False)
    assert amount.adjustment_type == "amount_discount"
    assert (amount.amount_discount, amount.applies_to_price_ids, amount.is_invoice_level) == (
        "5.00",
        [usage, seats],
        True,
    )
    assert units.adjustment_type == "usage_discount"
    assert (units.usage_discount, units.applies_to_price_ids) == (10, [usage])
    assert least.adjustment_type == "minimum"
    assert (least.minimum_amount, least.item_id) == ("100", item_id)
    assert most.adjustment_type == "maximum"
    assert (most.maximum_amount, most.applies_to_price_ids) == ("1000", [seats])
    assert orb.plans.fetch(made.id) == made


def test_errors_have_the_clients_own_classes(orb: Orb, item_id: str, metric_id: str) -> None:
    plan(orb, item_id, metric_id)

    with pytest.raises(sdk.DuplicateResourceCreation):
        plan(orb, item_id, metric_id, prices=[])
    with pytest.raises(sdk.DuplicateResourceCreation):
        plan(orb, item_id, metric_id, external_plan_id="other")  # its price has the external id of another
    with pytest.raises(sdk.ResourceNotFound):
        orb.plans.fetch("nosuchplan000000")
    with pytest.raises(sdk.RequestValidationError):
        orb.metrics.create(name="Bytes", item_id=item_id, sql="DELETE FROM events", description=None)
    with pytest.raises(sdk.ConstraintViolation):
        orb.metrics.unarchive(metric_id)
