"""What a price is worked out from and what comes of it: exact, in major units, before anyone rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Self

from portal.domain.money import EXACT, number, total

# A price as it stands on the wire: `model_type`, `<model>_config`, `price_type`, `fixed_price_quantity`. Numbers are
# text, int or Decimal. `prorated` has no effect: whoever asks knows which share of a period is charged.
Price = Mapping[str, Any]

Cell = tuple[str | None, ...]  # the values of a price's dimensions; None where an event lacks the property


class NotPriced(ValueError):
    """A price that cannot be worked out here: another model, or a configuration with a hole in it."""


@dataclass(frozen=True, slots=True)
class Used:
    """How much was used, and for a matrix price how much of it in each cell."""

    quantity: Decimal
    cells: Mapping[Cell, Decimal] = field(default_factory=dict)

    @classmethod
    def of_cells(cls, cells: Mapping[Cell, Decimal]) -> Self:
        return cls(total(cells.values()), cells)


@dataclass(frozen=True, slots=True)
class TierShare:
    """The part of a quantity that falls into one tier."""

    first_unit: Decimal  # exclusive
    last_unit: Decimal | None  # inclusive; None where the tier is open
    unit_amount: Decimal  # major units
    quantity: Decimal
    amount: Decimal  # major units, not rounded


@dataclass(frozen=True, slots=True)
class MatrixShare:
    """The part of a quantity that falls into one cell of a matrix, or into none of them."""

    values: Cell | None  # None: all cells that have no price of their own
    unit_amount: Decimal  # major units
    quantity: Decimal
    amount: Decimal  # major units, not rounded


@dataclass(frozen=True, slots=True)
class Rate:
    """The one multiplication behind a charge: `count` × `amount`; of units, or of packages of `size` units."""

    count: Decimal
    amount: Decimal  # major units
    size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """What a quantity costs, in major units and not rounded: by one rate, or by tiers, or by cells of a matrix."""

    amount: Decimal
    rate: Rate | None = None
    tiers: tuple[TierShare, ...] = ()
    matrix: tuple[MatrixShare, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """What one day added to the quantity, and to what it costs (major units, not rounded)."""

    day: date
    quantity: Decimal
    amount: Decimal


def at(count: Decimal, amount: Decimal, size: Decimal | None = None) -> Charge:
    """The charge of one multiplication."""
    return Charge(EXACT.multiply(count, amount), Rate(count, amount, size))


def unit_amount(config: Mapping[str, Any]) -> Decimal:
    """Raises NotPriced, NotRepresentable."""
    return number(present(config, "unit_amount"))


def factor(config: Mapping[str, Any]) -> Decimal:
    """What a quantity is multiplied by before its price: 1 where nobody said. Raises NotRepresentable."""
    return Decimal(1) if config.get("scaling_factor") is None else number(config["scaling_factor"])


def present(config: Mapping[str, Any], key: str) -> Any:
    """Raises NotPriced where `config` lacks `key`, or has null for it."""
    if not isinstance(config, Mapping) or config.get(key) is None:
        raise NotPriced(f"the price lacks its {key}.")
    return config[key]


def rows(config: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects of a list. Raises NotPriced."""
    found = present(config, key)
    if not isinstance(found, list | tuple) or not all(isinstance(one, Mapping) for one in found):
        raise NotPriced(f"the {key} of a price must be a list of objects.")
    return list(found)
