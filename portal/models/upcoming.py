"""The bill that comes next: what a subscription that still runs will be asked for, as far as that has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Self

from portal.domain import periods
from portal.domain.document import DayAmount, Document
from portal.domain.periods import Period
from portal.models.ahead import Ahead
from portal.models.bill import CANNOT, Bill, Running
from portal.models.subscription import Subscription
from portal.models.threshold import Part, parts, together
from portal.models.usage import Measured, UsageDay

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The next bill of a subscription, as far as it has come. Its lines are named after subscription and price."""

    subscription: Subscription
    period: Period
    counted_to: date  # inclusive
    issued_on: date  # the day that it is made of
    metered: bool
    document: Document | None  # None where a price of the plan cannot be worked out here
    days: dict[str, list[DayAmount]]
    yesterday: Document | None  # as it was at the end of the day before; None where that is no day of the period
    parts: Sequence[Part] = ()  # invoices that have billed some of it already

    @property
    def due_on(self) -> date:
        return self.issued_on + timedelta(days=self.subscription.net_terms)

    @classmethod
    def of(
        cls, running: Sequence[Running], customer_id: str, today: date, *, credits: Ahead | None = None
    ) -> list[Self]:
        """The upcoming bill of each subscription. One query for the usage of all of them; one more for thresholds.

        `credits` are used up by them; the earlier bill takes them first.
        """
        found: dict[str, Self] = {}
        bills = [(one, cls._next(one, today)) for one in running]
        boundaries = {one.subscription.id: bill[0] for one, bill in bills if bill}
        billed = parts([one.subscription for one in running], boundaries)
        usage = UsageDay.series(customer_id, [each for _, bill in bills if bill for each in bill[1].wants])
        for one, bill in sorted(bills, key=lambda pair: pair[1][0] if pair[1] else today):
            subscription = one.subscription
            left = max(credits.at_hand(subscription.currency, bill[0]), 0) if bill and credits else 0
            upcoming = cls._so_far(one, bill, usage, today, left, billed.get(subscription.id, []))
            if bill and credits and upcoming.document:
                credits.use(subscription.currency, bill[0], upcoming.document["credits"])
            found[subscription.id] = upcoming
        return [found[one.subscription.id] for one in running]

    @classmethod
    def expected(cls, running: Sequence[Running], customer_id: str, timezone: str, now: datetime) -> list[Self]:
        """The same, less the prepaid credits that will be at hand when each bill is made. One more query."""
        if not running:
            return []
        today = periods.local_day(now, timezone)
        return cls.of(running, customer_id, today, credits=Ahead.of(customer_id, timezone, now))

    @staticmethod
    def _next(running: Running, today: date) -> tuple[date, Bill] | None:
        try:
            boundary = running.terms.next(today)
            return None if boundary is None else (boundary, Bill.at(running, boundary, today + _DAY))
        except CANNOT:
            return None

    @classmethod
    def _so_far(
        cls,
        running: Running,
        bill: tuple[date, Bill] | None,
        usage: Measured,
        today: date,
        credits: int,
        billed: Sequence[Part],
    ) -> Self:
        one = running.subscription
        if bill is None:
            return cls(one, Period(today, today), today, today, False, None, {}, None)
        boundary, due = bill
        work_out = partial(due.document, usage, line_id=_upcoming(one), credits=credits, partials=together(billed))
        try:
            document, days = work_out()
            before = work_out(upto=today)[0] if today > due.since else None
        except CANNOT:
            document, days, before = None, {}, None
        return cls(one, _period(running, boundary), today, boundary, due.is_metered, document, days, before, billed)


def _upcoming(subscription: Subscription) -> Callable[[str], str]:
    """Names the lines of what is no invoice yet: after subscription and price."""
    return lambda price_id: f"{subscription.id}-{price_id}"


def _period(running: Running, boundary: date) -> Period:
    """The billing period that the bill of `boundary` is about, as readers of it see one."""
    return running.terms.period(min(running.day, boundary - _DAY))
