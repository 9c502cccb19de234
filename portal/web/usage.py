"""How much of a metric the customer used, day by day on her calendar: a chart, and the table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

from flask import Response

from portal.domain import chart, periods
from portal.domain.money import EXACT
from portal.domain.periods import Period
from portal.models.bill import Running
from portal.models.catalog import Metric
from portal.models.usage import UsageDay
from portal.web.access import Scope
from portal.web.forms import Choice, Question
from portal.web.fragments import fragment

PERIODS = {
    "this": "This period",
    "last": "Last period",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
}
VIEWS = {"daily": "Per day", "cumulative": "Cumulative"}


class UsageQuestion(Question):
    metric = Choice("Metric")
    period = Choice("Period", PERIODS, default="this")
    view = Choice("Shown", VIEWS, default="daily")


@dataclass(frozen=True, slots=True)
class Counted:
    """One day: what was used on it, and in the period up to its end."""

    day: date
    quantity: Decimal
    so_far: Decimal


@dataclass(frozen=True, slots=True)
class Shown:
    """One metric over one period, up to today."""

    metric: Metric
    period: Period
    view: str
    days: list[Counted]
    chart: chart.Chart

    @property
    def last(self) -> date:
        """The last day that is counted."""
        return self.days[-1].day if self.days else self.period.start

    @property
    def total(self) -> Decimal:
        return self.days[-1].so_far if self.days else Decimal(0)


@dataclass(frozen=True, slots=True)
class Section:
    """What the usage section shows: its form, what is wrong with it, or else the usage."""

    form: UsageQuestion
    error: str
    shown: Shown | None  # None where nothing can be shown: nothing is measured, or the question is wrong

    @property
    def status(self) -> int:
        return 422 if self.error else 200


def show(scope: Scope) -> Response:
    """The usage that was asked for; what the question gets wrong, said in a sentence."""
    section = of(scope, Running.of(scope.link.customer_id, scope.today))
    return fragment("usage/_show.html", back="", status=section.status, usage=section)


def of(scope: Scope, running: Sequence[Running]) -> Section:
    """The section as this request asks for it. Two queries."""
    metrics = _metrics(scope, running)
    form = UsageQuestion.asked(metric={id: metric.name for id, metric in metrics.items()})
    if not metrics:
        return Section(form, "", None)
    error = form.sentence()
    return Section(form, error, None if error else _shown(scope, running, metrics[form.metric.data], form))


def _metrics(scope: Scope, running: Sequence[Running]) -> dict[str, Metric]:
    """Whatever the customer's plans measure, and whatever else she has used, by name."""
    used = UsageDay.metrics(scope.link.customer_id, scope.link.account_id)
    found = {metric.id: metric for metric in [*used, *(metric for one in running for metric in one.metrics)]}
    return dict(sorted(found.items(), key=lambda one: (one[1].name.casefold(), one[0])))


def _shown(scope: Scope, running: Sequence[Running], metric: Metric, form: UsageQuestion) -> Shown:
    billed = next((one.period for one in running if metric.id in {each.id for each in one.metrics}), None)
    period = periods.named(form.period.data, scope.today, billed)
    over = Period(period.start, max(period.start, min(period.end, scope.today + timedelta(days=1))))
    used = UsageDay.by_day(scope.link.customer_id, [metric.id], over)[metric.id]
    sums = accumulate((quantity for _, quantity in used), EXACT.add)
    days = [Counted(day, quantity, so_far) for (day, quantity), so_far in zip(used, sums, strict=True)]
    return Shown(metric, period, form.view.data, days, _chart(days, period, form.view.data, scope.today))


def _chart(days: Sequence[Counted], period: Period, view: str, today: date) -> chart.Chart:
    """All days of the period have their place; those that are still to come are empty."""
    values = {one.day: one.so_far if view == "cumulative" else one.quantity for one in days}
    return chart.bars([(day, values.get(day)) for day in period.days()], today=today)
