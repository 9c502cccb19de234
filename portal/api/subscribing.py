"""A customer subscribes to a plan: one row, its prices, and the terms that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from portal import current
from portal.api import errors, plans, subscription_terms
from portal.api.fields import merged
from portal.api.redeeming import redeem
from portal.api.subscription_fields import Anchor, NewSubscription, days
from portal.api.subscription_prices import Agreement, Kept
from portal.api.subscription_terms import Term, of_adjustment
from portal.domain import money, periods
from portal.models.account import Account
from portal.models.base import claim
from portal.models.catalog import Price
from portal.models.coupon import Coupon
from portal.models.customer import Customer
from portal.models.plan import Plan, PlanPrice
from portal.models.record import Record
from portal.models.subscription import Subscription

MOST = 100  # subscriptions of one customer that have not ended


def subscribe(given: NewSubscription, account: Account) -> Subscription:
    """Raises Problem."""
    given.refuse_what_is_not_worked_out()
    customer, now = _customer(given, account), current.now()
    plan = plans.found(id=given.plan_id, external_id=given.external_plan_id)
    if plan.status != "active":
        raise errors.constraint(f"The plan is {plan.status}: only an active one can be subscribed to.")
    if given.currency not in (None, plan.currency):
        raise errors.invalid(f"currency must be {plan.currency}, as the plan is.")
    timezone = customer.timezone
    start, end = days(given.start_date or now, given.end_date, timezone)
    plan_prices = PlanPrice.of([plan.id])[plan.id]
    if _may_keep_apart(given, plan_prices):
        claim(f"events {account.id}")  # before anybody is held: she is held by others who then wait for the account
    customer = customer.held()
    settle_currency(customer, plan.currency)
    _refuse_too_many(customer, now)
    agreement = Agreement(account, plan.currency, timezone, now, [Kept(price) for price in plan_prices])
    agreement.customize(given)
    terms = [*_of_plan(plan, given, agreement), *agreement.terms, *_added(given, agreement, start)]
    coupon = None
    if given.coupon_redemption_code:
        coupon, discount = redeem(Coupon.live(account, code=given.coupon_redemption_code), start)
        terms.append({**discount, "start": None})
    anchor = _anchor(given, start)
    trial = plan.trial_days if given.trial_duration_days is None else given.trial_duration_days
    subscription = Subscription.start(
        customer,
        now,
        name=given.name or plan.name,
        currency=plan.currency,
        prices=[one.price for one in agreement.prices],
        intervals={one.price.id: (one.start, one.end) for one in agreement.prices},
        plan=plan,
        start_date=start,
        end_date=end,
        anchor=anchor,
        billing_cycle_day=_day(given, anchor),
        trial_end=start + timedelta(days=trial) if trial else None,
        terms=subscription_terms.kept(terms),
        coupon=coupon,
        invoicing_threshold=threshold(given.invoicing_threshold, plan.currency),
        metadata=merged({}, given.metadata),
        **settings(given, plan),
    )
    Record.write(account.id, now, current.actor(), "subscription.created", subscription.id)
    return subscription


def settle_currency(customer: Customer, currency: str) -> None:
    """A customer has one currency; her first subscription decides which. She is held. Raises Problem."""
    if customer.currency is None:
        customer.change({"currency": currency}, current.now(), current.actor())
    elif customer.currency != currency:
        raise errors.constraint(f"The plan must be in {customer.currency}, the customer's own currency.")


def threshold(amount: Any, currency: str) -> int | None:
    """Minor units. Raises NotRepresentable."""
    return None if amount is None else money.parse(amount, currency)


def settings(given: NewSubscription, plan: Plan) -> dict[str, Any]:
    terms = plan.net_terms if given.net_terms is None else given.net_terms
    said = {
        "auto_collection": given.auto_collection,
        "auto_issuance": given.auto_issuance,
        "default_invoice_memo": given.default_invoice_memo or plan.default_invoice_memo,
    }
    return said if terms is None else {**said, "net_terms": terms}


def _customer(given: NewSubscription, account: Account) -> Customer:
    customer = Customer.of(account, id=given.customer_id, external_id=given.external_customer_id)
    if customer is None or customer.deleted_at is not None:
        raise errors.not_found("Customer")
    return customer


def _may_keep_apart(given: NewSubscription, plan_prices: Sequence[Price]) -> bool:
    """Could a price of the subscription's own have its metric counted again?"""
    new = [one.price.model_type for one in (*(given.add_prices or []), *(given.replace_prices or [])) if one.price]
    old = [price.model_type for price in plan_prices if given.price_overrides]
    return "matrix" in (*new, *old)


def _refuse_too_many(customer: Customer, now: Any) -> None:
    live = Subscription.ends_at.is_null() | (Subscription.ends_at > now)
    if Subscription.select().where(Subscription.customer == customer.id, live).count() >= MOST:
        raise errors.constraint(f"A customer can have at most {MOST} subscriptions that have not ended.")


def _anchor(given: NewSubscription, start: date) -> date:
    """The day from which periods are counted: the first one, unless something else is said. Raises Problem."""
    wanted = given.billing_cycle_anchor_configuration
    aligned = given.align_billing_with_subscription_start_date
    if wanted is not None:
        if aligned:
            both = "align_billing_with_subscription_start_date and billing_cycle_anchor_configuration"
            raise errors.invalid(f"{both} cannot both be given.")
        return _anchored(wanted, start)
    return start.replace(day=1) if aligned is False else start


def _anchored(wanted: Anchor, start: date) -> date:
    return periods.shifted(date(wanted.year or start.year, wanted.month or start.month, 1), 0, wanted.day)


def _day(given: NewSubscription, anchor: date) -> int:
    """Of the month: the 31st is meant also where the anchor's month has none."""
    wanted = given.billing_cycle_anchor_configuration
    return wanted.day if wanted else anchor.day


def _of_plan(plan: Plan, given: NewSubscription, agreement: Agreement) -> list[Term]:
    """What the plan's adjustments come to for this subscription. Raises Problem."""
    wires = {wire["id"]: wire for wire in plan.adjustments}
    for place, one in enumerate(given.remove_adjustments or []):
        if wires.pop(one.adjustment_id, None) is None:
            raise errors.invalid(f"remove_adjustments.{place}.adjustment_id must name an adjustment of the plan.")
    for place, new in enumerate(given.replace_adjustments or []):
        if wires.get(new.replaces_adjustment_id) is None:
            where = f"replace_adjustments.{place}.replaces_adjustment_id"
            raise errors.invalid(f"{where} must name an adjustment of the plan that was not removed.")
        where = f"replace_adjustments.{place}.adjustment."
        wires[new.replaces_adjustment_id] = new.adjustment.wire(_prices(agreement), where)
    every = [price.id for price in _prices(agreement)]
    found = [(wire, agreement.covered(wire["applies_to_price_ids"])) for wire in wires.values()]
    return [of_adjustment(wire, covered, every, None, None) for wire, covered in found if covered]


def _added(given: NewSubscription, agreement: Agreement, first: date) -> list[Term]:
    terms = []
    every = [price.id for price in _prices(agreement)]
    for place, one in enumerate(given.add_adjustments or []):
        where = f"add_adjustments.{place}."
        start, end = days(one.start_date, one.end_date, agreement.timezone, where)
        wire = one.adjustment.wire(_prices(agreement), f"{where}adjustment.")
        # What begins with the subscription covers a first period that is cut short, too.
        begins = None if start is None or start <= first else start
        terms.append(of_adjustment(wire, wire["applies_to_price_ids"], every, begins, end))
    return terms


def _prices(agreement: Agreement) -> Sequence[Price]:
    return [one.price for one in agreement.prices]
