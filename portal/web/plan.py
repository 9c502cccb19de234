"""What a customer pays for and how much: each running subscription with its prices, as they are agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from portal.domain import pricing
from portal.domain.money import NotRepresentable, plain
from portal.domain.parts import named
from portal.domain.pricing import NotPriced, Used
from portal.models.bill import Running
from portal.models.catalog import Price
from portal.models.subscription import Subscription

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
class Term:
    """One price of a plan."""

    name: str
    unit: str  # of what is measured; empty for a fixed price
    currency: str
    measured: bool
    count: str | None  # how many are charged, where that is fixed
    in_bulk: bool  # do all units cost what the tier of the whole quantity says?
    rates: list[Rate]  # none where it cannot be said in a few words
    more: int  # rates that are left out

    @classmethod
    def of(cls, price: Price) -> Term:
        wire = price.wire
        count = wire.get("fixed_price_quantity")
        rates = _rates(wire)
        return cls(
            name=price.name,
            unit=price.metric.unit if price.metric else "",
            currency=price.currency,
            measured=wire.get("price_type") == "usage_price",
            count=None if count is None else str(count),
            in_bulk=wire["model_type"] == "bulk" and len(rates) > 1,
            rates=rates[:MOST_RATES],
            more=max(len(rates) - MOST_RATES, 0),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """One running subscription, and what its bills are made of."""

    subscription: Subscription
    start: date
    last: date  # of the present period, as people read one
    terms: list[Term]

    @property
    def discounts(self) -> list[Any]:
        return self.subscription.terms.get("discounts") or []

    @property
    def minimum(self) -> int | None:
        """In minor units, for each period."""
        return self.subscription.terms.get("minimum")

    @property
    def taxes(self) -> list[Any]:
        """Description and percentage."""
        return self.subscription.terms.get("tax_rates") or []


def of(running: Sequence[Running]) -> list[Plan]:
    """The plans of the subscriptions that run; nothing is asked of the database."""
    return [
        Plan(
            one.subscription,
            one.period.start,
            one.period.end - timedelta(days=1),
            [Term.of(price) for price in one.prices],
        )
        for one in running
    ]


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
