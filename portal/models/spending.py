"""What one metric has cost on each day, by all prices that charge for it: before discounts, minimums and tax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Self

from portal.domain import money
from portal.domain.money import EXACT
from portal.domain.periods import Period
from portal.models.bill import Bill, Running
from portal.models.catalog import Metric
from portal.models.usage import Measured


@dataclass
class Spent:
    """What the metric has cost in one currency."""

    currency: str
    days: dict[date, Decimal] = field(default_factory=dict)  # major units, not rounded; only days that have a price
    total: int = 0  # minor units: what each line shows of these days, rounded once


@dataclass(frozen=True, slots=True)
class Spending:
    """Everything that `metric` is billed with on the days of `period`, by the calculation of the bills themselves."""

    metric: Metric
    period: Period
    bills: Sequence[Bill]

    @classmethod
    def of(cls, running: Sequence[Running], metric: Metric, period: Period) -> Self:
        """By subscriptions that run on some of the days. Nothing is asked of the database. Raises bill.CANNOT."""
        return cls(metric, period, [bill for one in running for bill in _bills(one, metric, period)])

    @property
    def wants(self) -> list[tuple[Metric, Period]]:
        """The usage that `spent` needs, as `UsageDay.series` takes it: of whole billing periods, so that tiers fit."""
        return [one for bill in self.bills for one in bill.wants]

    def spent(self, usage: Measured) -> list[Spent]:
        """What it comes to, currency by currency. Raises bill.CANNOT."""
        found: dict[str, Spent] = {}
        for bill in self.bills:
            currency = bill.running.subscription.currency
            spent = found.setdefault(currency, Spent(currency))
            for line in bill.charged(usage, str, {}, None, daily=True):
                days = {day.day: day.amount for day in line.days or () if day.day in self.period}
                for day, amount in days.items():
                    spent.days[day] = EXACT.add(spent.days.get(day, Decimal(0)), amount)
                spent.total += money.rounded(money.total(days.values()), currency)
        return [found[currency] for currency in sorted(found)]


def _bills(running: Running, metric: Metric, period: Period) -> list[Bill]:
    prices = {row.price_id for row in running.agreed if row.price.metric_id == metric.id}
    if not prices:
        return []
    dues = [due for due in running.terms.over(period) if due.price["id"] in prices]
    return [Bill(running, [due], due.days.start, period.end) for due in dues]
