"""Subscriptions as the wire has them, whole: with customers, plans, prices, and what was adjusted from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from portal.api import customer_shapes, interval_shapes, plans
from portal.api.shapes import stamp
from portal.domain import money, periods
from portal.domain.document import DISCOUNTS
from portal.models.bill import Running
from portal.models.customer import Customer
from portal.models.plan import Plan
from portal.models.subscription import Subscription, SubscriptionPrice

UNCHANGED: dict[str, list[Any]] = {
    "created_credit_notes": [], "created_invoices": [], "voided_credit_notes": [], "voided_invoices": [],
}  # fmt: skip


def shape(subscription: Subscription, now: datetime) -> dict[str, Any]:
    return shape_all([subscription], now)[0]


def mutated(subscription: Subscription, now: datetime) -> dict[str, Any]:
    """The subscription after a deed; what invoices come of it are made by the worker, not by the call."""
    return {**shape(subscription, now), "changed_resources": UNCHANGED}


def shape_all(rows: Sequence[Subscription], now: datetime) -> list[dict[str, Any]]:
    """Each subscription whole. As many queries for a hundred as for one."""
    people = {row.id: row for row in Customer.select().where(Customer.id.in_({one.customer_id for one in rows}))}
    sold = list(Plan.select().where(Plan.id.in_({one.plan_id for one in rows if one.plan_id})))
    shown_people = {shown["id"]: shown for shown in customer_shapes.shape_all(list(people.values()))}
    shown_plans = {shown["id"]: shown for shown in plans.shape_all(sold)}
    agreed = SubscriptionPrice.of([one.id for one in rows])
    return [
        {
            **_own(one, agreed[one.id], people[one.customer_id].timezone, now),
            "customer": shown_people[one.customer_id],
            "plan": shown_plans.get(one.plan_id or ""),
        }
        for one in rows
    ]


def summaries(rows: Sequence[Subscription], now: datetime) -> list[dict[str, Any]]:
    """Each subscription by itself, its customer and plan by their names."""
    people = {row.id: row for row in Customer.select().where(Customer.id.in_({one.customer_id for one in rows}))}
    sold = {row.id: row for row in Plan.select().where(Plan.id.in_({one.plan_id for one in rows if one.plan_id}))}
    return [_summary(one, people[one.customer_id], sold.get(one.plan_id or ""), now) for one in rows]


def scheduled(subscription: Subscription) -> dict[str, Any]:
    """The one plan that the subscription has, and from when to when."""
    zone = subscription.customer.timezone
    return {
        "created_at": stamp(subscription.created_at),
        "start_date": stamp(subscription.first_instant(zone)),
        "end_date": stamp(subscription.last_instant(zone)),
        "plan": _named(subscription.plan),
    }


def _summary(one: Subscription, customer: Customer, plan: Plan | None, now: datetime) -> dict[str, Any]:
    zone = customer.timezone
    return {
        "id": one.id,
        "name": one.name,
        "created_at": stamp(one.created_at),
        "start_date": stamp(one.first_instant(zone)),
        "end_date": stamp(one.last_instant(zone)),
        "status": one.status(now, zone),
        "metadata": one.metadata or {},
        "customer": {"id": customer.id, "external_customer_id": customer.external_id},
        "plan": _named(plan),
    }


def _named(plan: Plan | None) -> dict[str, Any] | None:
    return None if plan is None else {"id": plan.id, "external_plan_id": plan.external_id, "name": plan.name}


def _own(one: Subscription, agreed: list[SubscriptionPrice], zone: str, now: datetime) -> dict[str, Any]:
    today = periods.local_day(now, zone)
    status = one.status(now, zone)
    terms = Running(one, agreed, today).terms
    start, end = interval_shapes.period(terms, today, zone, status)
    anchor, day = terms.anchor, terms.anchor_day or terms.anchor.day
    adjusted = interval_shapes.of_adjustments(one, agreed, zone)
    return {
        "id": one.id,
        "name": one.name,
        "status": status,
        "start_date": stamp(one.first_instant(zone)),
        "end_date": stamp(one.last_instant(zone)),
        "created_at": stamp(one.created_at),
        "current_billing_period_start_date": start,
        "current_billing_period_end_date": end,
        "active_plan_phase_order": None,
        "billing_cycle_day": day,
        "billing_cycle_anchor_configuration": {"day": day, "month": anchor.month, "year": anchor.year},
        "default_invoice_memo": one.default_invoice_memo,
        "auto_collection": one.auto_collection,
        "auto_issuance": one.auto_issuance,
        "net_terms": one.net_terms,
        "invoicing_threshold": _threshold(one),
        "fixed_fee_quantity_schedule": [
            interval_shapes.quantity(one, row, zone) for row in agreed if row.price.metric_id is None
        ],
        "metadata": one.metadata or {},
        "price_intervals": [interval_shapes.of_price(one, row, terms, zone, today, status) for row in agreed],
        "adjustment_intervals": adjusted,
        "discount_intervals": interval_shapes.older(adjusted, *DISCOUNTS),
        "minimum_intervals": interval_shapes.older(adjusted, "minimum"),
        "maximum_intervals": interval_shapes.older(adjusted, "maximum"),
        "redeemed_coupon": _coupon(one, zone),
        "trial_info": {"end_date": interval_shapes.midnight(one.trial_end, zone)},
        "pending_subscription_change": None,
    }


def _threshold(one: Subscription) -> str | None:
    return None if one.invoicing_threshold is None else money.wire(one.invoicing_threshold, one.currency)


def _coupon(one: Subscription, zone: str) -> dict[str, Any] | None:
    if one.coupon is None:
        return None
    start, end = (None if one.coupon[key] is None else date.fromisoformat(one.coupon[key]) for key in ("start", "end"))
    return {
        "coupon_id": one.coupon["coupon_id"],
        "start_date": interval_shapes.midnight(start, zone),
        "end_date": interval_shapes.midnight(end, zone),
    }
