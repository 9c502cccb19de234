"""A coupon is redeemed: its discount comes off a subscription's bills from some day on."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, Literal

from portal.api import errors
from portal.api.body import Schema
from portal.api.fields import ExternalId, LocalDay, day_in
from portal.api.subscription_terms import Term, of_coupon
from portal.domain import periods
from portal.domain.periods import OutOfRange, Period
from portal.domain.pricing import NotPriced
from portal.models.bill import Running
from portal.models.coupon import Coupon
from portal.models.subscription import Subscription


class Redemption(Schema):
    accepted: ClassVar[frozenset[str]] = frozenset({"allow_invoice_credit_or_void"})

    change_option: Literal["requested_date", "end_of_subscription_term", "immediate"]
    change_date: LocalDay | None = None
    coupon_id: str | None = None
    coupon_redemption_code: ExternalId | None = None


def redeem(coupon: Coupon | None, start: date) -> tuple[dict[str, Any], Term]:
    """What a subscription keeps of the coupon, and what it takes off from `start` on. Raises Problem."""
    if coupon is None or not coupon.redeem():
        raise errors.constraint("The coupon does not exist, is archived, or was redeemed as often as it may be.")
    end = periods.shifted(start, coupon.months, start.day) if coupon.months else None
    kept = {"coupon_id": coupon.id, "start": start.isoformat(), "end": end.isoformat() if end else None}
    return kept, of_coupon(coupon.discount, start, end)


def put_on(subscription: Subscription, given: Redemption, now: datetime) -> None:
    """Redeems a coupon for a subscription that runs, whose customer is held. Raises Problem."""
    if (given.coupon_id is None) == (given.coupon_redemption_code is None):
        raise errors.invalid("Name the coupon by one of coupon_id and coupon_redemption_code.")
    if (given.change_date is not None) != (given.change_option == "requested_date"):
        raise errors.invalid("change_date must be given where change_option is requested_date, and nowhere else.")
    zone = subscription.customer.timezone
    if subscription.status(now, zone) == "ended":
        raise errors.constraint("The subscription has ended already.")
    today = periods.local_day(now, zone)
    _refuse_a_second(subscription, today)
    coupon = Coupon.live(subscription.account, id=given.coupon_id, code=given.coupon_redemption_code)
    kept, discount = redeem(coupon, _start(subscription, given, today, zone))
    discounts = [*(subscription.terms.get("discounts") or []), discount]
    subscription.change({"coupon": kept, "terms": {**subscription.terms, "discounts": discounts}})


def _refuse_a_second(subscription: Subscription, today: date) -> None:
    kept = subscription.coupon
    if kept and (kept["end"] is None or date.fromisoformat(kept["end"]) > today):
        raise errors.constraint("The subscription has a coupon already: a second one can follow when it is over.")


def _start(subscription: Subscription, given: Redemption, today: date, zone: str) -> date:
    """The first day of the first billing period whose bill it comes off."""
    if given.change_date is not None:
        return day_in(given.change_date, zone)
    period = _period(subscription, today)
    return period.start if given.change_option == "immediate" else period.end


def _period(subscription: Subscription, today: date) -> Period:
    try:
        (running,) = Running.each([subscription], max(today, subscription.start_date))
        return running.terms.cycle.period(running.day)
    except (NotPriced, OutOfRange) as error:
        raise errors.constraint(f"The billing period cannot be told: {error}") from error
