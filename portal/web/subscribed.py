"""What the customer of a link is subscribed to, and was lately: the one reading behind her bills, costs and prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from portal.domain.periods import Period
from portal.models.bill import CANNOT, Running
from portal.models.catalog import Metric
from portal.web.access import Scope

LATELY = timedelta(days=2 * 366)  # the longest period there is, and the one before it
_DAY = timedelta(days=1)


def lately(scope: Scope) -> list[Running]:
    """Those that are billed today, and those that have ended not long ago: they have cost something. Two queries."""
    days = Period(scope.today - LATELY, scope.today + _DAY)
    return Running.within(scope.link.customer_id, days, scope.today)


def running(scope: Scope) -> list[Running]:
    """Those that are billed today. Two queries."""
    return Running.of(scope.link.customer_id, scope.today)


def billing_period(lately: Sequence[Running], metric: Metric, today: date) -> Period | None:
    """The period in which use of `metric` is billed now; None where nothing charges for it."""
    for one in lately:
        if one.goes_on and metric.id in {each.id for each in one.metrics}:
            try:
                return _of_metric(one, metric, today)
            except CANNOT:
                return None
    return None


def _of_metric(one: Running, metric: Metric, today: date) -> Period:
    """By the cadence of the price itself, which may be a longer one than that of the subscription."""
    prices = {row.price_id for row in one.agreed if row.price.metric_id == metric.id}
    for due in one.terms.over(Period(today, today + _DAY)):
        if due.price["id"] in prices and due.period != one.period:
            start, end = one.subscription.start_date, one.subscription.end_date
            return Period(max(due.period.start, start), min(due.period.end, end or date.max))
    return one.period
