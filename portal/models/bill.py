"""What a subscription comes to: one calculation behind the upcoming bill, the costs, and the invoice that follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Self

from portal.domain import billing, periods, pricing
from portal.domain.document import DayAmount, Document
from portal.domain.dues import Agreed, Due, Terms
from portal.domain.money import NotRepresentable
from portal.domain.periods import OutOfRange, Period
from portal.domain.pricing import NotPriced, Used
from portal.domain.usage import Cell, Unknown
from portal.models.base import new_id
from portal.models.catalog import Metric, Price
from portal.models.subscription import Subscription, SubscriptionPrice
from portal.models.usage import Measured, Usage

_DAY = timedelta(days=1)
CANNOT = (NotPriced, NotRepresentable, OutOfRange, Unknown)  # what working a bill out may raise

Billed = tuple[Document, dict[str, list[DayAmount]]]  # the document, and the days of its lines


@dataclass(frozen=True)
class Running:
    """A subscription with its prices, and the billing period of a day, as far as the subscription runs in it."""

    subscription: Subscription
    agreed: list[SubscriptionPrice]
    day: date

    @classmethod
    def of(cls, customer_id: str, today: date) -> list[Self]:
        """Those of one customer that are billed today, oldest first. Two queries."""
        return cls.each(Subscription.running(customer_id, today), today)

    @classmethod
    def within(cls, customer_id: str, days: Period, today: date) -> list[Self]:
        """Those of one customer that are billed for some of `days`, as they stand today, oldest first. Two queries."""
        return cls.each(Subscription.within(customer_id, days), today)

    @classmethod
    def each(cls, subscriptions: Iterable[Subscription], day: date) -> list[Self]:
        """`subscriptions` as they stand on `day`. One query."""
        found = list(subscriptions)
        agreed = SubscriptionPrice.of([one.id for one in found])
        return [cls(one, agreed[one.id], day) for one in found]

    @property
    def goes_on(self) -> bool:
        """Is it billed on its day?"""
        end = self.subscription.end_date
        return self.subscription.start_date <= self.day and (end is None or self.day < end)

    @cached_property
    def terms(self) -> Terms:
        one = self.subscription
        # Counted from January, which has a 31st.
        anchor = one.anchor or date(one.start_date.year, 1, one.billing_cycle_day)
        agreed = [Agreed(row.price.wire, row.start_date, row.end_date) for row in self.agreed]
        return Terms(one.start_date, one.end_date, anchor, agreed, one.trial_end, _day(anchor, one.billing_cycle_day))

    @cached_property
    def period(self) -> Period:
        """Raises NotPriced, OutOfRange."""
        return self.terms.period(self.day)

    @property
    def prices(self) -> list[Price]:
        """Those that are agreed on its day, in order."""
        return [
            row.price
            for row in self.agreed
            if (row.start_date is None or row.start_date <= self.day)
            and (row.end_date is None or self.day < row.end_date)
        ]

    @property
    def metrics(self) -> list[Metric]:
        return [price.metric for price in self.prices if price.metric]


@dataclass(frozen=True)
class Bill:
    """What is billed together: `dues` of one subscription, with what was used before `until` (None: in all their days).

    `since` is the first day of the billing period, which says what discounts apply. A period's minimum is asked for
    by the bill that `closes` it.
    """

    running: Running
    dues: Sequence[Due]
    since: date
    until: date | None = None
    closes: bool = True

    @classmethod
    def at(cls, running: Running, boundary: date, until: date | None = None) -> Self:
        """What falls due on `boundary`: the invoice of that day. Raises NotPriced, OutOfRange."""
        dues = running.terms.at(boundary)
        over = [max(due.period.start, running.terms.start) for due in dues if due.days.end <= boundary]
        return cls(running, dues, max(over, default=boundary), until, bool(over) or running.terms.all_ahead)

    @classmethod
    def of(cls, running: Running, period: Period, until: date | None = None) -> Self:
        """What `period` costs, whenever it is billed. Raises NotPriced, OutOfRange."""
        return cls(running, running.terms.of(period), period.start, until)

    @property
    def wants(self) -> list[tuple[Metric, Period]]:
        """The usage that it is worked out from, as `UsageDay.series` takes it."""
        found = [(self._price(due).metric, self._counted(due)) for due in self.dues]
        return [(metric, period) for metric, period in found if metric]

    @property
    def is_metered(self) -> bool:
        """May late events change it?"""
        return bool(self.wants)

    def charged(
        self,
        usage: Measured,
        line_id: Callable[[str], str],
        partials: Mapping[str, int],
        upto: date | None,
        daily: bool,
    ) -> list[billing.Charged]:
        """What goes into each line; of usage, what there was before the day `upto`. Raises NotPriced, Unknown."""
        found = []
        for due in self.dues:
            price = self._price(due)
            named: dict[str, Any] = {
                "id": line_id(price.id),
                "name": price.name,
                "item": due.price["item"],
                "price": due.price,
                "start": due.days.start,
                "end": due.days.end,
                "partially_invoiced": partials.get(price.id, 0),
            }
            if price.metric is None:
                found.append(billing.Charged(quantity=Decimal(1), share=due.share, **named))
                continue
            used = usage[price.metric.id, self._counted(due)]
            running = _running(price, price.metric, used if upto is None else used.until(upto))
            found.append(
                billing.Charged(
                    quantity=Decimal(0),
                    used=running[-1][1] if running else Used(Decimal(0)),
                    days=pricing.by_day(due.price, running) if daily else None,
                    unit=price.metric.unit,
                    **named,
                )
            )
        return found

    def document(
        self,
        usage: Measured,
        *,
        line_id: Callable[[str], str],
        credits: int = 0,
        partials: Mapping[str, int] | None = None,
        more: Sequence[billing.Charged] = (),
        minimums: bool = True,
        upto: date | None = None,
        daily: bool = True,
    ) -> Billed:
        """The document and the days of its lines, as `Invoice.draft` takes them.

        `credits` (minor units) are at hand, `partials` were billed of each price before, `more` are lines that
        somebody put there. Without `minimums`, those are left to a later bill. Of usage, what there was before the day
        `upto` (None: all that was asked for). Without `daily`, lines have no days. Raises CANNOT.
        """
        terms, currency = self.running.subscription.terms, self.running.subscription.currency
        return billing.build(
            [*self.charged(usage, line_id, partials or {}, upto, daily), *more],
            currency,
            new_id=new_id,
            discounts=[_plain(one) for one in terms.get("discounts") or () if self._applies(one)],
            minimum=terms.get("minimum") if self.closes else None,
            rules=[_plain(one) for one in terms.get("rules") or () if self._applies(one)],
            minimums=minimums,
            tax_rates=[(description, percentage) for description, percentage in terms.get("tax_rates") or ()],
            credits=credits,
        )

    def _price(self, due: Due) -> Price:
        return next(row.price for row in self.running.agreed if row.price_id == due.price["id"])

    def _counted(self, due: Due) -> Period:
        until = due.days.end if self.until is None else max(due.days.start, min(self.until, due.days.end))
        return Period(due.days.start, until)

    def _applies(self, rule: Any) -> bool:
        if rule.get("type") == "minimum" and not self.closes:
            return False
        start, end = rule.get("start"), rule.get("end")
        return (start is None or date.fromisoformat(start) <= self.since) and (
            end is None or self.since < date.fromisoformat(end)
        )


def _running(price: Price, metric: Metric, used: Usage) -> list[tuple[date, Used]]:
    """How much was used up to the end of each day, in the cells of a price that has some. Raises Unknown."""
    if price.model_type != "matrix":
        return [(day, Used(quantity)) for day, quantity in used.whole.running()]
    kept = metric.dimensions or []
    places = [kept.index(name) if name in kept else None for name in pricing.dimensions(price.wire)]
    apart: dict[Cell, list[Cell]] = {}
    for cell in used.cells:
        own = tuple(None if place is None or place >= len(cell) else cell[place] for place in places)
        apart.setdefault(own, []).append(cell)
    running = {own: dict(used.joined(cells).running()) for own, cells in apart.items()}
    return [(day, Used.of_cells({cell: days[day] for cell, days in running.items()})) for day, _ in used.whole.days]


def _day(anchor: date, wanted: int) -> int:
    """The day of the month that is meant where the anchor is the last of a month that lacks it, else the anchor's."""
    return wanted if periods.shifted(anchor, 0, wanted) == anchor else anchor.day


def _plain(rule: Any) -> Any:
    """A discount or a rule as domain.document has it, without the days on which it applies."""
    return {name: value for name, value in rule.items() if name not in ("start", "end")}


def manual(line: Mapping[str, Any]) -> billing.Charged:
    """A line that somebody put on a draft, from what is kept of it."""
    days = {name: date.fromisoformat(line[name]) for name in ("start", "end")}
    return billing.Charged(**{**line, **days, "quantity": Decimal(line["quantity"])})
