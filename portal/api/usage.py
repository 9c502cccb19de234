"""What a subscription used and what it cost, day by day, as Orb's clients ask for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from flask import Blueprint

from portal import current
from portal.api import customers, errors, line_shapes
from portal.api.body import Query, query
from portal.api.fields import Line, When
from portal.api.shapes import number, stamp
from portal.domain import money, periods
from portal.domain.periods import Period
from portal.domain.usage import Series
from portal.models import costs as books
from portal.models.bill import CANNOT, Running
from portal.models.catalog import Metric
from portal.models.customer import Customer
from portal.models.metering import Span, grouped, narrowed, used
from portal.models.subscription import Subscription

routes = Blueprint("usage", __name__)

LONGEST = timedelta(days=366)
_DAY = timedelta(days=1)


class Timeframe(Query):
    timeframe_start: When | None = None
    timeframe_end: When | None = None

    def span(self, timezone: str) -> Span | None:
        """What is asked for; None where nobody said. Raises Problem."""
        start, end = self.timeframe_start, self.timeframe_end
        if start is None and end is None:
            return None
        if start is None or end is None:
            raise errors.invalid("timeframe_start and timeframe_end must be given together, or neither of them.")
        if not start < end <= start + LONGEST:
            raise errors.invalid(f"timeframe_end must be after timeframe_start, by {LONGEST.days} days at most.")
        return Span(start, end, timezone)


class CostQuestion(Timeframe):
    accepted = frozenset({"group_by"})

    view_mode: Literal["periodic", "cumulative"] = "cumulative"
    currency: Line | None = None


class UsageQuestion(Timeframe):
    accepted = frozenset({"currency"})

    view_mode: Literal["periodic", "cumulative"] = "periodic"
    granularity: Literal["day"] | None = None
    billable_metric_id: str | None = None
    group_by: Line | None = None
    first_dimension_key: Line | None = None
    first_dimension_value: Line | None = None
    second_dimension_key: Line | None = None
    second_dimension_value: Line | None = None

    def dimensions(self) -> dict[str, str]:
        """The values by which the events of a matrix price are told apart. Raises Problem."""
        found: dict[str, str] = {}
        for which in ("first", "second"):
            name, value = getattr(self, f"{which}_dimension_key"), getattr(self, f"{which}_dimension_value")
            if (name is None) != (value is None):
                raise errors.invalid(f"{which}_dimension_key and {which}_dimension_value must be given together.")
            if name is not None:
                found[name] = value
        if found and (self.billable_metric_id is None or self.group_by is not None):
            raise errors.invalid("Dimensions need billable_metric_id, and go without group_by.")
        return found


@routes.get("/subscriptions/<id>/usage")
def fetch_usage(id: str) -> dict[str, Any]:
    subscription = own(id)
    return _usage(subscription, Customer.get_by_id(subscription.customer_id), query(UsageQuestion))


@routes.get("/subscriptions/<id>/costs")
def fetch_costs(id: str) -> dict[str, Any]:
    subscription = own(id)
    return _costs(Customer.get_by_id(subscription.customer_id), [subscription], query(CostQuestion))


@routes.get("/customers/<id>/costs")
def customer_costs(id: str) -> dict[str, Any]:
    return _of_customer(customers.by_id(id))


@routes.get("/customers/external_customer_id/<external:external_id>/costs")
def customer_costs_by_external_id(external_id: str) -> dict[str, Any]:
    return _of_customer(customers.by_external_id(external_id))


def own(id: str) -> Subscription:
    """The account's own subscription. Raises Problem."""
    found = Subscription.get_or_none(Subscription.account == current.account(), Subscription.id == id)
    if found is None:
        raise errors.not_found("Subscription")
    return found


def _of_customer(customer: Customer) -> dict[str, Any]:
    rows = Subscription.select().where(Subscription.customer == customer)
    return _costs(customer, list(rows.order_by(Subscription.created_at, Subscription.id)), query(CostQuestion))


def _costs(customer: Customer, subscriptions: list[Subscription], given: CostQuestion) -> dict[str, Any]:
    span, today = given.span(customer.timezone), periods.local_day(current.now(), customer.timezone)
    asked = [one for one in subscriptions if given.currency in (None, one.currency)]
    currencies = {one.currency for one in asked}
    if len(currencies) > 1:
        raise errors.invalid(f"Name one currency: this customer is billed in {' and '.join(sorted(currencies))}.")
    if span is None:
        asked = books.latest(asked, today)
    cumulative = given.view_mode == "cumulative"
    days = span.days if span else None
    found = _or_refused(lambda: books.costs(asked, customer.id, today=today, asked=days, cumulative=cumulative))
    return {"data": [_cost(one, customer.timezone, next(iter(currencies))) for one in found]}


def _or_refused(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except CANNOT as error:
        raise errors.constraint(f"The costs cannot be worked out: {str(error).removesuffix('.')}.") from error


def _cost(one: books.Cost, timezone: str, currency: str) -> dict[str, Any]:
    return {
        **_frame(one.days, timezone),
        "subtotal": money.wire(one.subtotal, currency),
        "total": money.wire(one.total, currency),
        "per_price_costs": [
            {
                "price_id": price.price["id"],
                "price": line_shapes.price(price.price),
                "subtotal": money.wire(price.subtotal, currency),
                "total": money.wire(price.total, currency),
                "quantity": number(price.quantity),
            }
            for price in one.prices
        ],
    }


def _frame(days: Period, timezone: str) -> dict[str, Any]:
    return {
        "timeframe_start": stamp(periods.midnight(days.start, timezone)),
        "timeframe_end": stamp(periods.midnight(days.end, timezone)),
    }


def _usage(subscription: Subscription, customer: Customer, given: UsageQuestion) -> dict[str, Any]:
    today = periods.local_day(current.now(), customer.timezone)
    (running,) = Running.each(books.latest([subscription], today) or [subscription], _within(subscription, today))
    metrics = {metric.id: metric for metric in running.metrics}
    span = given.span(customer.timezone) or _present(running, customer.timezone, given.granularity is not None, today)
    if dimensions := given.dimensions():
        metric = _named(metrics, given)
        found = narrowed(customer, metric, dimensions, span)
        return {"data": [{**_metric(metric), **_windows(found, span, given)}]}
    if given.group_by is not None:
        return _groups(customer, _named(metrics, given), given.group_by, span, given)
    if given.billable_metric_id is not None:
        metrics = {given.billable_metric_id: _named(metrics, given)}
    series = _or_refused(lambda: used(customer, list(metrics.values()), span))
    return {"data": [{**_metric(one), **_windows(series[id], span, given)} for id, one in metrics.items()]}


def _groups(customer: Customer, metric: Metric, name: str, span: Span, given: UsageQuestion) -> dict[str, Any]:
    found = grouped(customer, metric, name, span)
    return {
        "data": [
            {
                **_metric(metric),
                "metric_group": {"property_key": name, "property_value": value},
                **_windows(series, span, given),
            }
            for value, series in found.items()
        ],
        "pagination_metadata": None,
    }


def _named(metrics: dict[str, Metric], given: UsageQuestion) -> Metric:
    """The metric that is asked for: one of the subscription's. Raises Problem."""
    if given.billable_metric_id is None:
        raise errors.invalid("billable_metric_id must be given together with group_by.")
    metric = metrics.get(given.billable_metric_id)
    if metric is None:
        raise errors.not_found("Metric")
    return metric


def _within(subscription: Subscription, today: Any) -> Any:
    """Today, or the last day of a subscription that is over."""
    over = subscription.end_date is not None and subscription.end_date <= today
    return max(subscription.start_date, subscription.end_date - _DAY if over and subscription.end_date else today)


def _present(running: Running, timezone: str, daily: bool, today: Any) -> Span:
    """The billing period; day by day, as far as it has come. Raises Problem."""
    period = _or_refused(lambda: running.period)
    end = min(period.end, max(today + _DAY, period.start + _DAY)) if daily else period.end
    return Span(periods.midnight(period.start, timezone), periods.midnight(end, timezone), timezone)


def _metric(metric: Metric) -> dict[str, Any]:
    return {"billable_metric": {"id": metric.id, "name": metric.name}}


def _windows(series: Series, span: Span, given: UsageQuestion) -> dict[str, Any]:
    windows = span.windows(series, daily=given.granularity is not None, cumulative=given.view_mode == "cumulative")
    usage = [
        {
            "quantity": number(one.quantity),
            "timeframe_start": _stamp(one.start),
            "timeframe_end": _stamp(one.end),
        }
        for one in windows
    ]
    return {"usage": usage, "view_mode": given.view_mode}


def _stamp(instant: datetime) -> str | None:
    return stamp(instant)
