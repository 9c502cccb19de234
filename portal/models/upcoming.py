"""The bill that comes next: what a subscription that still runs will be asked for, as far as that has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Self

from portal.domain.document import DayAmount, Document
from portal.domain.periods import Period
from portal.models.bill import CANNOT, Bill, Running
from portal.models.subscription import Subscription
from portal.models.threshold import partials
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

    @property
    def due_on(self) -> date:
        return self.issued_on + timedelta(days=self.subscription.net_terms)

    @classmethod
    def of(
        cls,
        running: Sequence[Running],
        customer_id: str,
        today: date,
        *,
        credits: Mapping[str, int] | None = None,
    ) -> list[Self]:
        """The upcoming bill of each subscription. One query for the usage of all of them; one more for thresholds.

        `credits` are minor units at hand in each currency; the first subscriptions take them first.
        """
        found, left = [], dict(credits or {})
        bills = [(one, cls._next(one, today)) for one in running]
        boundaries = {one.subscription.id: bill[0] for one, bill in bills if bill}
        billed = partials([one.subscription for one in running], boundaries)
        usage = UsageDay.series(customer_id, [each for _, bill in bills if bill for each in bill[1].wants])
        for one, bill in bills:
            currency = one.subscription.currency
            paid = billed.get(one.subscription.id, {})
            upcoming = cls._so_far(one, bill, usage, today, left.get(currency, 0), paid)
            left[currency] = left.get(currency, 0) - (upcoming.document or {"credits": 0})["credits"]
            found.append(upcoming)
        return found

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
        paid: Mapping[str, int],
    ) -> Self:
        one = running.subscription
        if bill is None:
            return cls(one, Period(today, today), today, today, False, None, {}, None)
        boundary, due = bill
        work_out = partial(due.document, usage, line_id=_upcoming(one), credits=credits, partials=paid)
        try:
            document, days = work_out()
            before = work_out(upto=today)[0] if today > due.since else None
        except CANNOT:
            document, days, before = None, {}, None
        return cls(one, _period(running, boundary), today, boundary, due.is_metered, document, days, before)


def _upcoming(subscription: Subscription) -> Callable[[str], str]:
    """Names the lines of what is no invoice yet: after subscription and price."""
    return lambda price_id: f"{subscription.id}-{price_id}"


def _period(running: Running, boundary: date) -> Period:
    """The billing period that the bill of `boundary` is about, as readers of it see one."""
    return running.terms.period(min(running.day, boundary - _DAY))
