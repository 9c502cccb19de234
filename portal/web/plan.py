"""What a customer pays for and how much: each running subscription with its prices, as they are agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

from portal.documents import rules
from portal.documents.rules import Rule
from portal.domain import pricing
from portal.domain.dues import cycle_of
from portal.domain.money import NotRepresentable, plain
from portal.domain.parts import named
from portal.domain.periods import Period
from portal.domain.pricing import NotPriced, Used
from portal.models.bill import CANNOT, Running
from portal.models.subscription import Subscription, SubscriptionPrice

MOST_RATES = 50  # that one price shows


@dataclass(frozen=True, slots=True)
class Rate:
    """What each of some units costs; bounds and amount are decimal text, in units and in major units of currency."""

    unit_amount: str
    first_unit: str | None = None  # exclusive; None where it does not depend on how many there are
    last_unit: str | None = None  # inclusive; None where no more tier follows
    package_size: str | None = None  # units that are sold together only
    cell: str | None = None  # of a matrix, in words


@dataclass(frozen=True, slots=True)
class Every:
    """How long a period of something is: so many months, or so many days; once where it is neither."""

    months: int = 0
    days: int = 0

    @classmethod
    def of(cls, wire: dict[str, Any]) -> Self:
        if wire.get("cadence") == "one_time":
            return cls()
        cycle = cycle_of(wire, date(2000, 1, 1))
        return cls(cycle.months, cycle.days)


@dataclass(frozen=True, slots=True)
class Term:
    """One price of a plan."""

    name: str
    unit: str  # of what is measured; empty for a fixed price
    currency: str
    measured: bool
    ahead: bool  # is it paid in advance?
    prorated: bool  # is a part of a period charged as a part?
    every: Every | None  # None where it cannot be said
    start: date | None  # where it is agreed from a later day on than the subscription
    end: date | None  # where it ends before it; exclusive
    count: str | None  # how many are charged, where that is fixed
    in_bulk: bool  # do all units cost what the tier of the whole quantity says?
    rates: list[Rate]  # none where it cannot be said in a few words
    more: int  # rates that are left out
    rules: list[Rule]  # what it carries itself

    @classmethod
    def of(cls, agreed: SubscriptionPrice, today: date) -> Self:
        price = agreed.price
        wire = price.wire
        count = wire.get("fixed_price_quantity")
        rates = _rates(wire)
        config = wire.get(f"{wire['model_type']}_config") or {}
        measured = wire.get("price_type") == "usage_price"
        return cls(
            name=price.name,
            unit=price.metric.unit if price.metric else "",
            currency=price.currency,
            measured=measured,
            ahead=not measured and wire.get("billing_mode") == "in_advance",
            prorated=not measured and bool(config.get("prorated")),
            every=_every(wire),
            start=agreed.start_date if agreed.start_date and agreed.start_date > today else None,
            end=agreed.end_date,
            count=None if count is None else str(count),
            in_bulk=wire["model_type"] == "bulk" and len(rates) > 1,
            rates=rates[:MOST_RATES],
            more=max(len(rates) - MOST_RATES, 0),
            rules=rules.carried(wire),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """One running subscription, and what its bills are made of."""

    subscription: Subscription
    every: Every | None  # None where it cannot be said
    start: date | None
    last: date | None  # of the present period, as people read one
    trial_end: date | None  # exclusive; None where no trial is left
    terms: list[Term]
    rules: list[Rule]  # discounts, minimums and maximums
    today: date

    @classmethod
    def of(cls, one: Running, today: date) -> Self:
        subscription, period = one.subscription, _period(one)
        agreed = [row for row in one.agreed if row.end_date is None or row.end_date > today]
        names = {row.price_id: row.price.name for row in agreed}
        since = period.start if period else today
        found = rules.agreed(subscription.terms, subscription.coupon, subscription.currency, names, since)
        trial = subscription.trial_end
        return cls(
            subscription=subscription,
            every=Every(one.terms.cycle.months, one.terms.cycle.days) if period else None,
            start=period.start if period else None,
            last=period.end - timedelta(days=1) if period else None,
            trial_end=trial if trial and trial > today else None,
            terms=[Term.of(row, today) for row in agreed],
            rules=found,
            today=today,
        )

    @property
    def taxes(self) -> list[Any]:
        """Description and percentage."""
        return self.subscription.terms.get("tax_rates") or []


def of(running: Sequence[Running], today: date) -> list[Plan]:
    """The plans of the subscriptions that run; nothing is asked of the database."""
    return [Plan.of(one, today) for one in running]


def _period(one: Running) -> Period | None:
    try:
        return one.period
    except CANNOT:
        return None


def _every(wire: dict[str, Any]) -> Every | None:
    try:
        return Every.of(wire)
    except CANNOT:
        return None


def _rates(wire: dict[str, Any]) -> list[Rate]:
    """None for a price that we cannot work out, or whose units are scaled."""
    model = wire["model_type"]
    config = wire.get(f"{model}_config") or {}
    try:
        pricing.charge(wire, Decimal(0))
    except (NotPriced, NotRepresentable):
        return []
    if model == "unit":
        return [Rate(str(config["unit_amount"]))] if config.get("scaling_factor") in (None, 1, "1") else []
    if model == "tiered":
        return [_tier(tier, tier["first_unit"], tier.get("last_unit")) for tier in config["tiers"]]
    if model == "bulk":
        lasts = [tier.get("maximum_units") for tier in config["tiers"]]
        lasts[-1] = None  # the last one goes on
        return [
            _tier(tier, first, last) for tier, first, last in zip(config["tiers"], [0, *lasts], lasts, strict=False)
        ]
    if model == "package":
        return [Rate(str(config["package_amount"]), package_size=str(config["package_size"]))]
    return _cells(wire)


def _tier(tier: dict[str, Any], first: Any, last: Any) -> Rate:
    return Rate(str(tier["unit_amount"]), str(first), None if last is None else str(last))


def _cells(wire: dict[str, Any]) -> list[Rate]:
    """Those of a matrix, scaled as the price says, and what everything else costs."""
    names = pricing.dimensions(wire)
    cells = pricing.cells(wire)
    shares = pricing.charge(wire, Used.of_cells({cell: Decimal(1) for cell in cells})).matrix
    (other,) = pricing.charge(wire, Decimal(1)).matrix
    return [Rate(plain(one.unit_amount), cell=named(one.values, names)) for one in (*shares, other)]
