"""Plans: prices that belong together, by our id or by the caller's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from flask import Blueprint
from peewee import IntegrityError
from pydantic import Field

from portal import current
from portal.api import errors, line_shapes, paging, prices, shapes
from portal.api.adjustments import MOST, Adjustment
from portal.api.body import Schema, body, query
from portal.api.fields import Currency, ExternalId, Line, Metadata, Text, merged
from portal.api.price_fields import PriceFields
from portal.api.price_making import made
from portal.models.catalog import Price
from portal.models.plan import Plan, PlanPrice

routes = Blueprint("plans", __name__)

MOST_PRICES = 200
LONGEST_TERMS = 3650  # days
SAID = frozenset(
    {
        "id", "created_at", "invoicing_currency", "prices", "discount", "minimum", "minimum_amount", "maximum",
        "maximum_amount", "product", "trial_config", "version", "base_plan", "base_plan_id", "adjustments",
        "plan_phases", "currency", "net_terms", "default_invoice_memo", "status",
    }
)  # fmt: skip


class PlanPriceFields(Schema):
    accepted: ClassVar[frozenset[str]] = frozenset({"plan_phase_order", "license_allocation_price"})

    price: PriceFields


class PlanAdjustment(Schema):
    accepted: ClassVar[frozenset[str]] = frozenset({"plan_phase_order"})

    adjustment: Adjustment


class PlanFields(Schema):
    """What of a plan may change: subscriptions were made from the rest."""

    accepted: ClassVar[frozenset[str]] = SAID

    name: Line | None = None
    description: Text | None = None
    external_plan_id: ExternalId | None = None
    metadata: Metadata | None = None


class NewPlan(PlanFields):
    accepted: ClassVar[frozenset[str]] = SAID - {
        "prices", "adjustments", "plan_phases", "currency", "net_terms", "default_invoice_memo", "status",
    }  # fmt: skip

    name: Line
    currency: Currency
    prices: Annotated[list[PlanPriceFields], Field(max_length=MOST_PRICES)]
    adjustments: Annotated[list[PlanAdjustment], Field(max_length=MOST)] | None = None
    default_invoice_memo: Text | None = None
    net_terms: Annotated[int, Field(ge=0, le=LONGEST_TERMS)] | None = None
    plan_phases: list[Any] | None = None
    status: Literal["active", "draft"] = "active"


class Filters(paging.Dated):
    status: Literal["active", "archived", "draft"] | None = None


@routes.post("/plans")
def create() -> tuple[dict[str, Any], int]:
    given, account, now = body(NewPlan), current.account(), current.now()
    if given.plan_phases:
        raise errors.invalid("plan_phases are not worked out here: make a plan for each phase, and leave them out.")
    _refuse_taken(given.external_plan_id)
    wanted = [(f"prices.{place}.price.", one.price) for place, one in enumerate(given.prices)]
    its_prices = made(account, wanted, given.currency, now)
    adjustments = [
        one.adjustment.wire(its_prices, f"adjustments.{place}.adjustment.")
        for place, one in enumerate(given.adjustments or [])
    ]
    try:
        plan = Plan.add(
            account,
            now,
            its_prices,
            name=given.name,
            description=given.description or "",
            external_id=given.external_plan_id,
            currency=given.currency,
            net_terms=given.net_terms,
            default_invoice_memo=given.default_invoice_memo,
            status=given.status,
            metadata=merged({}, given.metadata),
            adjustments=adjustments,
        )
    except IntegrityError as error:  # between the look and the insert somebody else took the external id
        raise errors.duplicate("external_plan_id belongs to another plan.") from error
    return shape(plan, its_prices), 201


@routes.get("/plans")
def listed() -> dict[str, Any]:
    given = query(Filters)
    rows = given.narrowed(Plan.select().where(Plan.account == current.account()), Plan.created_at)
    if given.status:
        rows = rows.where(Plan.status == given.status)
    return paging.page(rows, (Plan.created_at, Plan.id), given, shape_all)


@routes.get("/plans/external_plan_id/<external:external_id>")
def fetch_by_external_id(external_id: str) -> dict[str, Any]:
    return shape_all([found(external_id=external_id)])[0]


@routes.get("/plans/<id>")
def fetch(id: str) -> dict[str, Any]:
    return shape_all([found(id=id)])[0]


@routes.put("/plans/external_plan_id/<external:external_id>")
def update_by_external_id(external_id: str) -> dict[str, Any]:
    return _updated(found(external_id=external_id))


@routes.put("/plans/<id>")
def update(id: str) -> dict[str, Any]:
    return _updated(found(id=id))


def found(**named: str | None) -> Plan:
    """The account's own plan, by `id` or by `external_id`. Raises Problem."""
    plan = Plan.of(current.account(), **named)
    if plan is None:
        raise errors.not_found("Plan")
    return plan


def _updated(plan: Plan) -> dict[str, Any]:
    given = body(PlanFields)
    changes = given.given()
    for name in ("name", "description"):
        if name in changes and changes[name] is None:
            del changes[name]
    if "metadata" in changes:
        changes["metadata"] = merged(plan.metadata, given.metadata)
    if "external_plan_id" in changes:
        changes["external_id"] = changes.pop("external_plan_id")
        if changes["external_id"] != plan.external_id:
            _refuse_taken(changes["external_id"])
    try:
        plan.change(changes)
    except IntegrityError as error:
        raise errors.duplicate("external_plan_id belongs to another plan.") from error
    return shape_all([plan])[0]


def _refuse_taken(external_id: str | None) -> None:
    if external_id is not None and Plan.of(current.account(), external_id=external_id):
        raise errors.duplicate("external_plan_id belongs to another plan.")


def shape_all(plans: list[Plan]) -> list[dict[str, Any]]:
    """Each plan as the wire has it, with the prices of all in one query."""
    prices_of = PlanPrice.of([plan.id for plan in plans])
    return [shape(plan, prices_of[plan.id]) for plan in plans]


def shape(plan: Plan, its_prices: Sequence[Price]) -> dict[str, Any]:
    return {
        "id": plan.id,
        "name": plan.name,
        "description": plan.description,
        "metadata": plan.metadata,
        "external_plan_id": plan.external_id,
        "created_at": shapes.stamp(plan.created_at),
        "currency": plan.currency,
        "invoicing_currency": plan.currency,
        "net_terms": plan.net_terms,
        "default_invoice_memo": plan.default_invoice_memo,
        "prices": [prices.shape(price) for price in its_prices],
        "adjustments": line_shapes.price(plan.adjustments),
        "discount": None,
        "minimum": None,
        "minimum_amount": None,
        "maximum": None,
        "maximum_amount": None,
        "plan_phases": None,
        "product": {"id": plan.product_id, "name": plan.name, "created_at": shapes.stamp(plan.created_at)},
        "status": plan.status,
        "trial_config": {"trial_period": plan.trial_days, "trial_period_unit": "days"},
        "version": 1,
        "base_plan": None,
        "base_plan_id": None,
    }
