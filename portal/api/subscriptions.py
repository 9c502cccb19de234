"""Subscriptions: a customer and a plan, from one day on."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint
from pydantic import Field

from portal import current
from portal.api import cancelling, errors, paging, quantities, redeeming, subscribing, subscription_shapes
from portal.api.body import Schema, body, query
from portal.api.fields import When, merged
from portal.api.subscription_fields import NewSubscription, SubscriptionFields
from portal.models import drafting
from portal.models.base import micros
from portal.models.customer import Customer
from portal.models.plan import Plan
from portal.models.record import Record
from portal.models.subscription import Subscription

routes = Blueprint("subscriptions", __name__)

ORDER = (Subscription.created_at, Subscription.id)
Status = Literal["active", "ended", "upcoming"]


class Filters(paging.Dated):
    many = frozenset({"customer_id", "external_customer_id", "status"})

    customer_id: list[str] | None = None
    external_customer_id: list[str] | None = None
    plan_id: str | None = None
    external_plan_id: str | None = None
    status: list[Status] | None = None


class Schedule(paging.Paged):
    after: When | None = Field(None, alias="start_date[gt]")
    since: When | None = Field(None, alias="start_date[gte]")
    before: When | None = Field(None, alias="start_date[lt]")
    until: When | None = Field(None, alias="start_date[lte]")


@routes.post("/subscriptions")
def create() -> tuple[dict[str, Any], int]:
    subscription = subscribing.subscribe(body(NewSubscription), current.account())
    _schedule(subscription)
    return subscription_shapes.mutated(subscription, current.now()), 201


@routes.get("/subscriptions")
def listed() -> dict[str, Any]:
    given, now = query(Filters), current.now()
    return paging.page(_found(given), ORDER, given, lambda rows: subscription_shapes.shape_all(rows, now))


@routes.get("/subscriptions/summary")
def listed_in_short() -> dict[str, Any]:
    given, now = query(Filters), current.now()
    return paging.page(_found(given), ORDER, given, lambda rows: subscription_shapes.summaries(rows, now))


@routes.get("/subscriptions/<id>")
def fetch(id: str) -> dict[str, Any]:
    return subscription_shapes.shape(by_id(id), current.now())


@routes.get("/subscriptions/<id>/schedule")
def schedule(id: str) -> dict[str, Any]:
    subscription, given = by_id(id), query(Schedule)
    at = subscription.first_instant(subscription.customer.timezone)
    bounds = (
        given.after is None or at > given.after,
        given.since is None or at >= given.since,
        given.before is None or at < given.before,
        given.until is None or at <= given.until,
    )
    data = [subscription_shapes.scheduled(subscription)] if all(bounds) and given.cursor is None else []
    return {"data": data, "pagination_metadata": {"has_more": False, "next_cursor": None}}


@routes.put("/subscriptions/<id>")
def update(id: str) -> dict[str, Any]:
    subscription = held(id)
    given = body(SubscriptionFields)
    changes = given.given()
    if changes.get("net_terms", 0) is None:
        del changes["net_terms"]
    if "metadata" in changes:
        changes["metadata"] = merged(subscription.metadata or {}, given.metadata)
    if "invoicing_threshold" in changes:
        changes["invoicing_threshold"] = subscribing.threshold(given.invoicing_threshold, subscription.currency)
    subscription.change(changes)
    _record(subscription, "subscription.changed", changed=sorted(changes))
    return subscription_shapes.shape(subscription, current.now())


@routes.post("/subscriptions/<id>/cancel")
def cancel(id: str) -> dict[str, Any]:
    subscription = held(id)
    cancelling.cancel(subscription, body(cancelling.Cancellation), current.now())
    _schedule(subscription)
    _record(subscription, "subscription.cancelled")
    return subscription_shapes.mutated(subscription, current.now())


@routes.post("/subscriptions/<id>/unschedule_cancellation")
def unschedule_cancellation(id: str) -> dict[str, Any]:
    subscription = held(id)
    body(Schema)
    cancelling.unschedule(subscription, current.now())
    _schedule(subscription)
    _record(subscription, "subscription.cancellation_unscheduled")
    return subscription_shapes.mutated(subscription, current.now())


@routes.post("/subscriptions/<id>/redeem_coupon")
def redeem_coupon(id: str) -> dict[str, Any]:
    subscription = held(id)
    redeeming.put_on(subscription, body(redeeming.Redemption), current.now())
    _record(subscription, "subscription.coupon_redeemed")
    return subscription_shapes.mutated(subscription, current.now())


@routes.post("/subscriptions/<id>/update_fixed_fee_quantity")
def update_fixed_fee_quantity(id: str) -> dict[str, Any]:
    subscription = held(id)
    quantities.change(subscription, body(quantities.Quantity), current.now())
    _schedule(subscription)
    _record(subscription, "subscription.quantity_changed")
    return subscription_shapes.mutated(subscription, current.now())


def by_id(id: str) -> Subscription:
    """The account's own subscription, with its customer. Raises Problem."""
    subscription = Subscription.of(current.account(), id)
    if subscription is None:
        raise errors.not_found("Subscription")
    return subscription


def held(id: str) -> Subscription:
    """The same, as it stands while its customer is held. Raises Problem."""
    by_id(id).customer.held()
    return by_id(id)


def _schedule(subscription: Subscription) -> None:
    """Says when the worker bills it next."""
    drafting.schedule(subscription, subscription.customer.timezone, current.now())


def _record(subscription: Subscription, deed: str, **more: Any) -> None:
    Record.write(subscription.account_id, current.now(), current.actor(), deed, subscription.id, **more)


def _found(given: Filters) -> Any:
    """The account's subscriptions that a list asks for."""
    account = current.account()
    rows = given.narrowed(Subscription.select().where(Subscription.account == account), Subscription.created_at)
    if given.customer_id is not None:
        rows = rows.where(Subscription.customer.in_(given.customer_id))
    if given.external_customer_id is not None:
        named = Customer.account == account, Customer.external_id.in_(given.external_customer_id)
        rows = rows.where(Subscription.customer.in_(Customer.select(Customer.id).where(*named)))
    if given.plan_id is not None:
        rows = rows.where(Subscription.plan == given.plan_id)
    if given.external_plan_id is not None:
        named = Plan.account == account, Plan.external_id == given.external_plan_id
        rows = rows.where(Subscription.plan.in_(Plan.select(Plan.id).where(*named)))
    return rows.where(_stands(given.status)) if given.status else rows


def _stands(wanted: list[Status]) -> Any:
    """Whether a subscription has one of the statuses now."""
    now = micros(current.now())
    ends, never = Subscription.ends_at, Subscription.ends_at <= Subscription.starts_at
    ended = ends.is_null(False) & ((ends <= now) | (Subscription.starts_at.is_null(False) & never))
    ahead = Subscription.starts_at.is_null(False) & (Subscription.starts_at > now)
    stands = {"ended": ended, "upcoming": ~ended & ahead, "active": ~ended & ~ahead}
    [first, *others] = [stands[status] for status in dict.fromkeys(wanted)]
    for other in others:
        first |= other
    return first
