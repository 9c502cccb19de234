"""How much of a metric the customer used and what it cost, day by day on her calendar: as a chart and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

from flask import Response

from portal.documents import groups
from portal.documents.counted import Reading
from portal.documents.groups import Groups
from portal.domain import periods
from portal.domain.money import EXACT
from portal.domain.periods import Period
from portal.domain.usage import Cell, Series, Unknown
from portal.models.bill import CANNOT, Running
from portal.models.catalog import Metric
from portal.models.spending import Spending, Spent
from portal.models.usage import Measured, UsageDay
from portal.web import subscribed
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
ASKED = ("metric", "period", "view", "group_by")
VIEWS = {"daily": "Per day", "cumulative": "Cumulative"}
WHOLE = {"": "Nothing"}  # to group by


class UsageQuestion(Question):
    metric = Choice("Metric")
    period = Choice("Period", PERIODS, default="this")
    view = Choice("Shown", VIEWS, default="daily")
    group_by = Choice("Group by")


@dataclass(frozen=True, slots=True)
class Cost:
    """What the days cost in one currency."""

    currency: str
    days: list[Decimal | None]  # major units, not rounded; None where nothing charged for it; added up as the table is
    total: int  # minor units


@dataclass(frozen=True, slots=True)
class Shown:
    """One metric over one period, up to today, and over the period before it."""

    metric: Metric
    today: date
    view: str
    reading: Reading
    costs: list[Cost]
    unpriced: bool  # does something charge for it that cannot be worked out here?
    groups: Groups | None

    @property
    def summed(self) -> bool:
        return self.view == "cumulative"


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
    section = of(scope, subscribed.lately(scope))
    wrong = "pf-usage-wrong" if section.error else ""
    push = section.place.followed()
    return fragment("usage/_show.html", back="", status=section.status, push=push, wrong=wrong, usage=section)


def of(scope: Scope, lately: Sequence[Running]) -> Section:
    """The section as this request asks for it. Two queries, and some more of a metric that counts different values."""
    metrics, place = _metrics(scope, lately), Place.of("pf-usage", "usage", ASKED)
    names = {name for metric in metrics.values() for name in metric.dimensions or ()}
    form = UsageQuestion.asked(
        metric={id: metric.name for id, metric in metrics.items()},
        group_by={**WHOLE, **{name: name for name in sorted(names)}},
    )
    if not metrics:
        return Section(form, "", None, place)
    error = form.sentence()
    if error:
        return Section(form, error, None, place)
    metric = metrics[form.metric.data]
    _narrow(form.group_by, groups.offered(metric.measure.kind, metric.dimensions))
    return Section(form, "", _shown(scope, lately, metric, form), place)


def _metrics(scope: Scope, lately: Sequence[Running]) -> dict[str, Metric]:
    """Whatever the customer's plans measure, and whatever else she has used, by name."""
    used = UsageDay.metrics(scope.link.customer_id, scope.link.account_id)
    planned = [metric for one in lately if one.goes_on for metric in one.metrics]
    found = {metric.id: metric for metric in [*used, *planned]}
    return dict(sorted(found.items(), key=lambda one: (one[1].name.casefold(), one[0])))


def _narrow(field: Choice, names: Sequence[str]) -> None:
    """Whoever switches to a metric that has no such property sees all of it."""
    field.labels = {**WHOLE, **{name: name for name in names}}
    if field.data not in field.labels:
        field.data = ""


def _shown(scope: Scope, lately: Sequence[Running], metric: Metric, form: UsageQuestion) -> Shown:
    period = periods.named(form.period.data, scope.today, subscribed.billing_period(lately, metric, scope.today))
    then, over = periods.before(period), _begun(period, scope.today)
    spending = _spending(lately, metric, over)
    wanted = [(metric, over), (metric, then), *(spending.wants if spending else ())]
    usage = UsageDay.series(scope.link.customer_id, wanted)
    now, summed = usage[metric.id, over], form.view.data == "cumulative"
    spent = _spent(spending, usage)
    reading = Reading.of(now.whole, usage[metric.id, then].whole, period, then, scope.today, summed=summed)
    return Shown(
        metric=metric,
        today=scope.today,
        view=form.view.data,
        reading=reading,
        costs=[_cost(one, over, summed) for one in spent or ()],
        unpriced=spent is None,
        groups=_groups(now.cells, metric, form.group_by.data or "", period, scope.today, summed),
    )


def _begun(period: Period, today: date) -> Period:
    """`period` without the days that are still to come."""
    return Period(period.start, max(period.start, min(period.end, today + timedelta(days=1))))


def _spending(lately: Sequence[Running], metric: Metric, over: Period) -> Spending | None:
    try:
        return Spending.of(lately, metric, over)
    except CANNOT:
        return None


def _spent(spending: Spending | None, usage: Measured) -> list[Spent] | None:
    """None where it cannot be worked out."""
    try:
        return None if spending is None else spending.spent(usage)
    except CANNOT:
        return None


def _cost(spent: Spent, over: Period, summed: bool) -> Cost:
    days = over.days()
    if not summed:
        return Cost(spent.currency, [spent.days.get(day) for day in days], spent.total)
    so_far = accumulate((spent.days.get(day, Decimal(0)) for day in days), EXACT.add)
    first = min(spent.days, default=over.end)
    values = [None if day < first else amount for day, amount in zip(days, so_far, strict=True)]
    return Cost(spent.currency, values, spent.total)


def _groups(
    cells: Mapping[Cell, Series], metric: Metric, by: str, period: Period, today: date, summed: bool
) -> Groups | None:
    if not by:
        return None
    try:
        return Groups.of(cells, metric.dimensions or (), by, period, today, summed=summed)
    except Unknown:
        return None
