"""What a subscription's period comes to: the one calculation behind the upcoming bill and the invoice that follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

from portal.domain import billing, pricing
from portal.domain.document import DayAmount, Document
from portal.domain.money import NotRepresentable, total
from portal.domain.periods import OutOfRange, Period
from portal.domain.pricing import NotPriced
from portal.models.base import new_id
from portal.models.catalog import Metric, Price
from portal.models.subscription import Subscription, SubscriptionPrice
from portal.models.usage import UsageDay

Usage = Mapping[str, Sequence[tuple[date, Decimal]]]  # the days of each metric, by its id


def bill(
    subscription: Subscription,
    prices: Sequence[Price],
    usage: Usage,
    period: Period,
    *,
    line_id: Callable[[Price], str] = lambda _: new_id(),
) -> tuple[Document, dict[str, list[DayAmount]]]:
    """The document of `period` and the days of its lines, as `Invoice.draft` takes them.

    Days of `usage` outside the period are left out. Raises NotPriced, NotRepresentable, OutOfRange.
    """
    terms = subscription.terms
    return billing.build(
        [_charged(price, usage, period, line_id(price)) for price in prices],
        subscription.currency,
        new_id=new_id,
        discounts=terms.get("discounts") or (),
        minimum=terms.get("minimum"),
        tax_rates=[(description, percentage) for description, percentage in terms.get("tax_rates") or ()],
        credits=terms.get("credits") or 0,
    )


@dataclass(frozen=True, slots=True)
class Running:
    """A subscription that is billed today, its prices, and the days of its present period on which it runs."""

    subscription: Subscription
    prices: list[Price]
    period: Period

    @classmethod
    def of(cls, customer_id: str, today: date) -> list[Self]:
        """Those of one customer, oldest first. Two queries. Raises OutOfRange for a billing day that is none."""
        found = Subscription.running(customer_id, today)
        prices = SubscriptionPrice.of([one.id for one in found])
        return [cls(one, prices[one.id], _cut(one, one.period(today))) for one in found]

    @property
    def metrics(self) -> list[Metric]:
        return [price.metric for price in self.prices if price.metric]


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The bill of a period that still runs, as far as it has come. Its lines are named after subscription and price."""

    subscription: Subscription
    period: Period
    counted_to: date  # inclusive
    document: Document | None  # None where a price of the plan cannot be worked out here
    days: dict[str, list[DayAmount]]

    @property
    def issued_on(self) -> date:
        """The invoice is made when the period is over."""
        return self.period.end

    @property
    def due_on(self) -> date:
        return self.period.end + timedelta(days=self.subscription.net_terms)

    @classmethod
    def of(cls, running: Sequence[Running], customer_id: str, today: date) -> list[Self]:
        """The upcoming bill of each subscription. One query."""
        metrics = sorted({metric.id for one in running for metric in one.metrics})
        start = min((one.period.start for one in running), default=today)
        usage = UsageDay.by_day(customer_id, metrics, Period(start, today + timedelta(days=1)))
        return [cls._so_far(one, usage, today) for one in running]

    @classmethod
    def _so_far(cls, running: Running, usage: Usage, today: date) -> Self:
        one = running.subscription
        try:
            document, days = bill(
                one, running.prices, usage, running.period, line_id=lambda price: f"{one.id}-{price.id}"
            )
        except (NotPriced, NotRepresentable, OutOfRange):
            return cls(one, running.period, today, None, {})
        return cls(one, running.period, today, document, days)


def _cut(subscription: Subscription, period: Period) -> Period:
    """`period` less the days on which the subscription does not run."""
    start = max(period.start, subscription.start_date)
    return Period(start, min(period.end, subscription.end_date or period.end))


def _charged(price: Price, usage: Usage, period: Period, line_id: str) -> billing.Charged:
    wire: Mapping[str, Any] = price.wire
    counted = [(day, quantity) for day, quantity in usage.get(price.metric_id or "", ()) if day in period]
    return billing.Charged(
        id=line_id,
        name=price.name,
        item=wire["item"],
        price=wire,
        quantity=total(quantity for _, quantity in counted) if price.metric_id else Decimal(1),
        start=period.start,
        end=period.end,
        days=pricing.by_day(wire, pricing.running(counted)) if price.metric_id else None,
        unit=price.metric.unit if price.metric else "",
    )
