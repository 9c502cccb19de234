"""What subscriptions have cost, day by day: the bill of each period as it stood at the end of each of its days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from portal.domain.document import Line
from portal.domain.periods import Period
from portal.models.bill import Bill, Running
from portal.models.subscription import Subscription
from portal.models.threshold import partials
from portal.models.usage import UsageDay

_DAY = timedelta(days=1)
_NOTHING = (0, 0, Decimal(0))


@dataclass(frozen=True, slots=True)
class PriceCost:
    """What one price has cost: minor units before and after discounts and minimums, and the quantity."""

    price: Any  # as on the wire
    subtotal: int
    total: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """What the days of one window have cost."""

    days: Period
    prices: list[PriceCost] = field(default_factory=list)

    @property
    def subtotal(self) -> int:
        return sum(one.subtotal for one in self.prices)

    @property
    def total(self) -> int:
        return sum(one.total for one in self.prices)


def costs(
    subscriptions: Iterable[Subscription],
    customer_id: str,
    *,
    today: date,
    asked: Period | None = None,
    cumulative: bool = True,
) -> list[Cost]:
    """One window for each day that has begun: cumulative ones start with the billing period.

    `asked` are the days, by default those of the billing period in which each subscription is, or was last. Windows of
    several subscriptions that are the same become one. Raises bill.CANNOT.
    """
    found: dict[Period, Cost] = {}
    for subscription in subscriptions:
        for one in _of(subscription, customer_id, today, asked, cumulative):
            found.setdefault(one.days, Cost(one.days)).prices.extend(one.prices)
    return [found[days] for days in sorted(found, key=lambda days: (days.end, days.start))]


def _of(
    subscription: Subscription, customer_id: str, today: date, asked: Period | None, cumulative: bool
) -> Iterable[Cost]:
    last = min(today, subscription.end_date - _DAY) if subscription.end_date else today
    if last < subscription.start_date:
        return
    (running,) = Running.each([subscription], last)
    days = asked or running.period
    day = max(days.start, subscription.start_date)
    end = min(days.end, last + _DAY)
    while day < end:
        period = running.terms.period(day)
        wanted = Period(day, min(period.end, end))
        yield from _of_period(running, customer_id, period, wanted, cumulative)
        day = wanted.end


def _of_period(running: Running, customer_id: str, period: Period, wanted: Period, cumulative: bool) -> Iterable[Cost]:
    bill = Bill.of(running, period, wanted.end)
    usage = UsageDay.series(customer_id, bill.wants)
    billed = partials([running.subscription], {running.subscription.id: period.end})
    paid = billed.get(running.subscription.id, {})
    before: dict[str, tuple[int, int, Decimal]] = {}
    first = wanted.start if cumulative else max(period.start, wanted.start - _DAY)
    for day in Period(first, wanted.end).days():
        document, _ = bill.document(usage, line_id=str, partials=paid, upto=day + _DAY, daily=False)
        if cumulative:
            yield Cost(Period(period.start, day + _DAY), [_cost(line) for line in document["lines"]])
        elif day >= wanted.start:
            yield Cost(Period(day, day + _DAY), [_cost(line, before) for line in document["lines"]])
        before = {line["id"]: _sums(line) for line in document["lines"]}


def _cost(line: Line, before: dict[str, tuple[int, int, Decimal]] | None = None) -> PriceCost:
    now, then = _sums(line), (before or {}).get(line["id"], _NOTHING)
    return PriceCost(line["price"], now[0] - then[0], now[1] - then[1], now[2] - then[2])


def _sums(line: Line) -> tuple[int, int, Decimal]:
    return line["subtotal"], line["adjusted_subtotal"], Decimal(line["quantity"])


def latest(subscriptions: Sequence[Subscription], today: date) -> list[Subscription]:
    """Those that are billed today; where none is, the one that was last."""
    begun = [one for one in subscriptions if one.start_date <= today]
    running = [one for one in begun if one.end_date is None or one.end_date > today]
    return running or sorted(begun, key=lambda one: (one.end_date or today, one.created_at, one.id))[-1:]
