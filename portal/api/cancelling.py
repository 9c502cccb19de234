"""When a subscription ends: at the end of its term, now, or on a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal

from portal.api import errors
from portal.api.body import Schema
from portal.api.fields import LocalDay, day_in
from portal.domain import periods
from portal.domain.dues import Agreed, Terms
from portal.domain.periods import OutOfRange
from portal.domain.pricing import NotPriced
from portal.models import drafting
from portal.models.bill import Running
from portal.models.customer import BalanceTransaction
from portal.models.subscription import Subscription, SubscriptionPrice


class Cancellation(Schema):
    accepted: ClassVar[frozenset[str]] = frozenset({"allow_invoice_credit_or_void"})

    cancel_option: Literal["end_of_subscription_term", "immediate", "requested_date"]
    cancellation_date: LocalDay | None = None


def cancel(subscription: Subscription, given: Cancellation, now: datetime) -> None:
    """Its customer is held. Raises Problem."""
    if (given.cancellation_date is not None) != (given.cancel_option == "requested_date"):
        raise errors.invalid("cancellation_date must be given where cancel_option is requested_date, and nowhere else.")
    zone = subscription.customer.timezone
    status = subscription.status(now, zone)
    if status == "ended":
        raise errors.constraint("The subscription has ended already.")
    if status == "upcoming" and given.cancel_option != "immediate":
        raise errors.constraint("The subscription has not started: cancel_option must be immediate.")
    ends: dict[str, Any]
    if status == "upcoming":
        ends = {"end_date": subscription.start_date, "ends_at": subscription.first_instant(zone)}
    elif given.cancel_option == "immediate":
        # Its last day is billed whole: what was used on it until now counts.
        ends = {"end_date": periods.local_day(now, zone) + timedelta(days=1), "ends_at": now}
    else:
        day = _term_end(subscription, periods.local_day(now, zone))
        if given.cancellation_date is not None:
            day = _requested(subscription, day_in(given.cancellation_date, zone))
        ends = {"end_date": day, "ends_at": periods.midnight(day, zone)}
    _take_back(subscription, now)
    back = drafting.give_back_unused(subscription, subscription.customer, ends["end_date"], now)
    subscription.change({**ends, "terms": {**subscription.terms, "given_back": back}} if back else ends)


def unschedule(subscription: Subscription, now: datetime) -> None:
    """Its customer is held. Raises Problem."""
    zone = subscription.customer.timezone
    if subscription.status(now, zone) != "active" or subscription.last_instant(zone) is None:
        raise errors.constraint("Only a subscription that is active and has a cancellation ahead can go on.")
    _take_back(subscription, now)
    subscription.change({"end_date": None, "ends_at": None})


def _take_back(subscription: Subscription, now: datetime) -> None:
    """An end that was set before is set no more: neither is what was given back for the days after it."""
    terms = dict(subscription.terms)
    back = terms.pop("given_back", 0)
    if back:
        said = f"{subscription.name}: not cancelled as it was"
        BalanceTransaction.move(subscription.customer, -back, "revert_prorated_refund", now, description=said)
        subscription.change({"terms": terms, "end_date": None, "ends_at": None})


def _requested(subscription: Subscription, day: date) -> date:
    if day <= subscription.start_date:
        raise errors.invalid(f"cancellation_date must be after the first day, which is {subscription.start_date}.")
    if subscription.billed_to and day < subscription.billed_to:
        raise errors.constraint(
            f"cancellation_date must not be before {subscription.billed_to}: invoices up to that day are made already."
        )
    return day


def _term_end(subscription: Subscription, today: date) -> date:
    """Where the term ends that runs today: of several cadences the longest says. Raises Problem."""
    agreed = SubscriptionPrice.of([subscription.id])[subscription.id]
    terms = Running(subscription, agreed, today).terms
    repeated = [one for one in terms.agreed if one.price.get("cadence") != "one_time"]
    try:
        cycles = [_alone(terms, one).cycle for one in repeated] or [terms.cycle]
        end = max(cycles, key=lambda cycle: cycle.days or 30 * cycle.months).period(today).end
    except (NotPriced, OutOfRange) as error:
        raise errors.constraint(f"The end of the term cannot be told: {error}") from error
    return min(end, subscription.end_date or end)


def _alone(terms: Terms, agreed: Agreed) -> Terms:
    return replace(terms, agreed=[agreed], free_until=None)
