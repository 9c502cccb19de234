"""What falls due when: at which days a subscription is billed, for which prices, and for which of their days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from portal.domain.cycles import CADENCES, Cycle
from portal.domain.periods import OutOfRange, Period
from portal.domain.pricing import NotPriced, Price

_DAY = timedelta(days=1)
MOST_STEPS = 1000  # boundaries at which nothing falls due, one after the other


@dataclass(frozen=True, slots=True)
class Agreed:
    """A price, and the days on which it is agreed, as far as they are not the subscription's own."""

    price: Price
    start: date | None = None
    end: date | None = None  # exclusive


@dataclass(frozen=True, slots=True)
class Due:
    """A price that is billed for `days`, which lie in the `period` of its cadence."""

    price: Price
    days: Period
    period: Period

    @property
    def share(self) -> Fraction:
        """Of a full period: less than 1 for a fee that is prorated, where it is billed for some of the days only."""
        if not _prorated(self.price) or not self.period.length:
            return Fraction(1)
        return Fraction(self.days.length, self.period.length)


@dataclass(frozen=True, slots=True)
class Terms:
    """From when to when something is agreed, the day its periods are counted from, and what they are billed for."""

    start: date
    end: date | None  # exclusive
    anchor: date
    agreed: Sequence[Agreed]
    free_until: date | None = None  # a trial: nothing is billed for the days before
    anchor_day: int = 0  # of the month, where the anchor's own is too short for it; 0: the anchor's

    @property
    def cycle(self) -> Cycle:
        """The shortest of the cadences: that of the billing period. Raises NotPriced."""
        cycles = [self._cycle(one.price) for one in self.agreed if not _once(one.price)]
        return min(cycles, key=_length, default=Cycle(self.anchor, months=1, day=self.anchor_day))

    @property
    def all_ahead(self) -> bool:
        """Is everything paid in advance?"""
        return all(_in_advance(one.price) for one in self.agreed)

    def period(self, day: date) -> Period:
        """The billing period that holds `day`, less the days on which nothing is agreed. Raises NotPriced."""
        whole = self.cycle.period(day)
        end = whole.end if self.end is None else min(whole.end, max(self.end, whole.start))
        return Period(min(max(whole.start, self.start), end), end)

    def first(self) -> date | None:
        """The first day on which something falls due: the first itself for what is paid in advance."""
        return self.start if self.at(self.start) else self.next(self.start)

    def next(self, day: date) -> date | None:
        """The first day after `day` on which something falls due; None where nothing ever does. Raises NotPriced."""
        for _ in range(MOST_STEPS):
            found = min((one for agreed in self.agreed for one in self._steps(agreed, day)), default=None)
            if found is None or self.at(found):
                return found
            day = found
        return None

    def at(self, day: date) -> list[Due]:
        """What falls due on `day`: what was used and is over, and what is paid ahead. Raises NotPriced."""
        found = [self._ahead(one, day) if _in_advance(one.price) else self._behind(one, day) for one in self.agreed]
        return [due for due in found if due is not None]

    def of(self, period: Period) -> list[Due]:
        """What a billing period costs: what falls due at its end, and what was due ahead of it at its start."""
        behind = [self._behind(one, period.end) for one in self.agreed if not _in_advance(one.price)]
        ahead = [self._ahead(one, period.start) for one in self.agreed if _in_advance(one.price)]
        order = {id(one.price): place for place, one in enumerate(self.agreed)}
        found = [due for due in (*behind, *ahead) if due is not None]
        return sorted(found, key=lambda due: order[id(due.price)])

    def ahead(self, day: date) -> list[Due]:
        """What was paid in advance for days of which `day` is one. Raises NotPriced."""
        found = [self._ahead(one, self._paid_on(one, day)) for one in self.agreed if _in_advance(one.price)]
        return [due for due in found if due is not None and day in due.days]

    def over(self, period: Period) -> list[Due]:
        """What is billed when it is over, where any of its days lie in `period`: whole, whenever it falls due.

        Raises NotPriced.
        """
        return [due for one in self.agreed if not _in_advance(one.price) for due in self._over(one, period)]

    def _over(self, agreed: Agreed, period: Period) -> Iterator[Due]:
        start, end = self._interval(agreed)
        cycle, day = self._cycle(agreed.price), max(start, period.start)
        while day < min(period.end, end or period.end):
            day = min(cycle.next(day), end or date.max)
            due = self._behind(agreed, day)
            if due is not None:
                yield due

    def _steps(self, agreed: Agreed, day: date) -> Iterator[date]:
        start, end = self._interval(agreed)
        if end is not None and day >= end:
            return
        following = self._cycle(agreed.price).next(max(day, start - _DAY))
        for one in (start, following, end):
            if one is not None and one > day and (end is None or one <= end):
                yield one

    def _cycle(self, price: Price) -> Cycle:
        return cycle_of(price, self.anchor, self.anchor_day)

    def _interval(self, agreed: Agreed) -> tuple[date, date | None]:
        ends = [end for end in (self.end, agreed.end) if end is not None]
        return max(self.start, agreed.start or self.start), min(ends, default=None)

    def _paid_on(self, agreed: Agreed, day: date) -> date:
        """The day on which a price that is paid in advance fell due for `day`."""
        start, _ = self._interval(agreed)
        return start if _once(agreed.price) else max(self._cycle(agreed.price).period(day).start, start)

    def _behind(self, agreed: Agreed, day: date) -> Due | None:
        start, end = self._interval(agreed)
        if day <= start or (end is not None and day > end):
            return None
        cycle = self._cycle(agreed.price)
        period = cycle.period(day - _DAY)
        if day not in (period.end, end):
            return None
        if _once(agreed.price) and period != cycle.period(start):
            return None
        return self._due(agreed, period, start, day)

    def _ahead(self, agreed: Agreed, day: date) -> Due | None:
        start, end = self._interval(agreed)
        if day < start or (end is not None and day >= end):
            return None
        period = self._cycle(agreed.price).period(day)
        if day not in (period.start, start) or (_once(agreed.price) and day != start):
            return None
        return self._due(agreed, period, start, end)

    def _due(self, agreed: Agreed, period: Period, start: date, end: date | None) -> Due | None:
        begins = max(period.start, start, self.free_until or start)
        ends = period.end if end is None else min(period.end, end)
        return Due(agreed.price, Period(begins, ends), period) if begins < ends else None


def cycle_of(price: Price, anchor: date, day: int = 0) -> Cycle:
    """The periods of `price`, counted from `anchor`, on that `day` of the month. Raises NotPriced."""
    cadence = price.get("cadence") or "monthly"
    if cadence in CADENCES:
        return Cycle(anchor, months=CADENCES[cadence], day=day)
    if cadence == "one_time":
        return Cycle(anchor, months=1, day=day)
    lasts = price.get("billing_cycle_configuration") or {}
    try:
        count = int(lasts["duration"])
        return Cycle(anchor, months=count, day=day) if lasts["duration_unit"] == "month" else Cycle(anchor, days=count)
    except (KeyError, TypeError, ValueError, OutOfRange):
        raise NotPriced(f"a price of the cadence {str(cadence)[:40]} needs its billing_cycle_configuration.") from None


def _length(cycle: Cycle) -> int:
    return cycle.days or 30 * cycle.months


def _once(price: Price) -> bool:
    return price.get("cadence") == "one_time"


def _in_advance(price: Price) -> bool:
    return price.get("billing_mode") == "in_advance" and price.get("price_type") != "usage_price"


def _prorated(price: Price) -> bool:
    """Is it a fee whose configuration says `prorated`? What was used is counted as it is."""
    config = price.get(f"{price.get('model_type')}_config") or {}
    return price.get("price_type") != "usage_price" and bool(config.get("prorated"))
