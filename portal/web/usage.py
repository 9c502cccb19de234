"""How much of a metric the customer used, day by day on her calendar: a chart, and the table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from math import floor

from flask import Response

from portal.domain import chart, periods
from portal.domain.money import EXACT, total
from portal.domain.periods import Period
from portal.models.bill import Running
from portal.models.catalog import Metric
from portal.models.usage import UsageDay
from portal.web.access import Scope
from portal.web.forms import Choice, Question
from portal.web.fragments import fragment
from portal.web.place import Place

PERIODS = {
    "this": "This period",
    "last": "Last period",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
}
CROWDED = 45  # days; an outline behind more thin bars than these cannot be read: the table has the numbers
IDLE = 7  # days without usage at the start of a period that are worth a word
ASKED = ("metric", "period", "view")
VIEWS = {"daily": "Per day", "cumulative": "Cumulative"}


class UsageQuestion(Question):
    metric = Choice("Metric")
    period = Choice("Period", PERIODS, default="this")
    view = Choice("Shown", VIEWS, default="daily")


@dataclass(frozen=True, slots=True)
class Counted:
    """One day: what was used on it, in the period up to its end, and on the same day of the period before."""

    day: date
    quantity: Decimal
    so_far: Decimal
    before: Decimal | None  # None where the period before has no such day
    before_so_far: Decimal | None


@dataclass(frozen=True, slots=True)
class Before:
    """The period before, as far as the one that is shown has come."""

    period: Period  # of the days that are compared
    partly: bool  # does that period go on?
    total: Decimal
    difference: Decimal  # how much more it is now; negative for less
    since: date | None  # the first day on which anything was used, where that is not among the first

    @property
    def last(self) -> date:
        return self.period.end - timedelta(days=1)

    @property
    def change(self) -> int | None:
        """The difference in percent, rounded; None where there was nothing to compare with."""
        if self.total <= 0:
            return None
        return floor(100 * Fraction(self.difference) / Fraction(self.total) + Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class Shown:
    """One metric over one period, up to today, and over the period before it."""

    metric: Metric
    period: Period
    today: date
    view: str
    days: list[Counted]
    before: Before
    chart: chart.Chart

    @property
    def last(self) -> date:
        """The last day that is counted."""
        return self.days[-1].day if self.days else self.period.start

    @property
    def total(self) -> Decimal:
        return self.days[-1].so_far if self.days else Decimal(0)

    @property
    def most(self) -> Counted | None:
        """The day of the most usage; None where there is not one such day."""
        most = max((one.quantity for one in self.days), default=Decimal(0))
        found = [one for one in self.days if one.quantity == most]
        return found[0] if most > 0 and len(found) == 1 and len(self.days) > 1 else None


@dataclass(frozen=True, slots=True)
class Section:
    """What the usage section shows: its form, what is wrong with it, or else the usage."""

    form: UsageQuestion
    error: str
    shown: Shown | None  # None where nothing can be shown: nothing is measured, or the question is wrong
    place: Place

    @property
    def status(self) -> int:
        return 422 if self.error else 200


def show(scope: Scope) -> Response:
    """The usage that was asked for; what the question gets wrong, said in a sentence."""
    section = of(scope, Running.of(scope.link.customer_id, scope.today))
    wrong = "pf-usage-wrong" if section.error else ""
    push = section.place.followed()
    return fragment("usage/_show.html", back="", status=section.status, push=push, wrong=wrong, usage=section)


def of(scope: Scope, running: Sequence[Running]) -> Section:
    """The section as this request asks for it. Two queries."""
    metrics, place = _metrics(scope, running), Place.of("pf-usage", "usage", ASKED)
    form = UsageQuestion.asked(metric={id: metric.name for id, metric in metrics.items()})
    if not metrics:
        return Section(form, "", None, place)
    error = form.sentence()
    return Section(form, error, None if error else _shown(scope, running, metrics[form.metric.data], form), place)


def _metrics(scope: Scope, running: Sequence[Running]) -> dict[str, Metric]:
    """Whatever the customer's plans measure, and whatever else she has used, by name."""
    used = UsageDay.metrics(scope.link.customer_id, scope.link.account_id)
    found = {metric.id: metric for metric in [*used, *(metric for one in running for metric in one.metrics)]}
    return dict(sorted(found.items(), key=lambda one: (one[1].name.casefold(), one[0])))


def _shown(scope: Scope, running: Sequence[Running], metric: Metric, form: UsageQuestion) -> Shown:
    billed = next((one.period for one in running if metric.id in {each.id for each in one.metrics}), None)
    period = periods.named(form.period.data, scope.today, billed)
    then, over = periods.before(period), _begun(period, scope.today)
    both = UsageDay.by_day(scope.link.customer_id, [metric], Period(then.start, over.end))[metric.id].own()
    old = [quantity for day, quantity in both if day in then]
    days = _counted([one for one in both if one[0] in over], old)
    drawn = _chart(days, old, period, form.view.data, scope.today)
    return Shown(metric, period, scope.today, form.view.data, days, _before(days, old, then, period), drawn)


def _begun(period: Period, today: date) -> Period:
    """`period` without the days that are still to come."""
    return Period(period.start, max(period.start, min(period.end, today + timedelta(days=1))))


def _counted(used: Sequence[tuple[date, Decimal]], old: Sequence[Decimal]) -> list[Counted]:
    sums = accumulate((quantity for _, quantity in used), EXACT.add)
    none = [None] * len(used)
    before, summed = ([*each, *none][: len(used)] for each in (old, accumulate(old, EXACT.add)))
    return [
        Counted(day, quantity, so_far, was, was_so_far)
        for (day, quantity), so_far, was, was_so_far in zip(used, sums, before, summed, strict=True)
    ]


def _before(days: Sequence[Counted], old: Sequence[Decimal], then: Period, period: Period) -> Before:
    """A period that is over is compared whole; one that runs with as many days as it has."""
    runs = len(days) < period.length
    compared = old[: len(days)] if runs else old
    was, now = total(compared), days[-1].so_far if days else Decimal(0)
    end = then.start + timedelta(days=len(compared))
    idle = next((count for count, quantity in enumerate(compared) if quantity), 0)
    since = then.start + timedelta(days=idle) if idle >= IDLE else None
    return Before(Period(then.start, end), end < then.end, was, EXACT.subtract(now, was), since)


def _chart(days: Sequence[Counted], old: Sequence[Decimal], period: Period, view: str, today: date) -> chart.Chart:
    """All days of the period have their place; those that are still to come are empty."""
    summed = view == "cumulative"
    values = {one.day: one.so_far if summed else one.quantity for one in days}
    before = list(accumulate(old, EXACT.add)) if summed else old
    if period.length > CROWDED and not summed:
        before = []
    return chart.bars([(day, values.get(day)) for day in period.days()], today=today, before=before)
