"""What a customer pays for and how much: each running subscription with its prices, as they are agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from portal.models.bill import Running
from portal.models.catalog import Price
from portal.models.subscription import Subscription


@dataclass(frozen=True, slots=True)
class Rate:
    """What each of some units costs; bounds and amount are decimal text, in units and in major units of currency."""

    first_unit: str | None  # exclusive; None where every unit costs the same
    last_unit: str | None  # inclusive; None where no more tier follows
    unit_amount: str


@dataclass(frozen=True, slots=True)
class Term:
    """One price of a plan."""

    name: str
    unit: str  # of what is measured; empty for a fixed price
    currency: str
    measured: bool
    count: str | None  # how many are charged, where that is fixed
    rates: list[Rate]  # none where it cannot be said in a few words

    @classmethod
    def of(cls, price: Price) -> Term:
        wire = price.wire
        count = wire.get("fixed_price_quantity")
        return cls(
            name=price.name,
            unit=price.metric.unit if price.metric else "",
            currency=price.currency,
            measured=wire.get("price_type") == "usage_price",
            count=None if count is None else str(count),
            rates=_rates(wire),
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
    """Those of a unit price or of graduated tiers. Other models, and units that are scaled, have none."""
    config = wire.get(f"{wire['model_type']}_config") or {}
    if wire["model_type"] == "unit" and config.get("scaling_factor") in (None, 1, "1"):
        return [Rate(None, None, str(config["unit_amount"]))]
    if wire["model_type"] == "tiered":
        return [
            Rate(str(tier["first_unit"]), _text(tier.get("last_unit")), str(tier["unit_amount"]))
            for tier in config.get("tiers") or []
        ]
    return []


def _text(number: Any) -> str | None:
    return None if number is None else str(number)
