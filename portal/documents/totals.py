"""What stands between a subtotal and its total: the rules that changed the lines, and the taxes on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """What one discount, minimum or maximum changed on the whole invoice."""

    type: str
    value: str
    reason: str | None
    amount: int  # negative where it makes the invoice smaller


@dataclass(frozen=True, slots=True)
class Tax:
    description: str
    percentage: str  # of 100
    amount: int


def changes(lines: list[dict[str, Any]]) -> list[Change]:
    """The rules that touched the lines, each once: on every line it has the same id."""
    found: dict[str, Change] = {}
    for one in (one for line in lines for one in line["adjustments"]):
        before = found[one["id"]].amount if one["id"] in found else 0
        found[one["id"]] = Change(one["type"], one["value"], one["reason"], before + one["amount"])
    return list(found.values())


def taxes(lines: list[dict[str, Any]]) -> list[Tax]:
    """What each rate comes to on all lines."""
    sums: dict[tuple[str, str], int] = {}
    for tax in (tax for line in lines for tax in line["taxes"]):
        rate = (tax["description"], tax["percentage"])
        sums[rate] = sums.get(rate, 0) + tax["amount"]
    return [Tax(description, percentage, amount) for (description, percentage), amount in sums.items()]
