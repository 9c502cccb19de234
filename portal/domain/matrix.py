"""Prices that depend on where something is used: a unit price for each combination of one or two event properties.

Sources: https://docs.withorb.com/product-catalog/price-configuration; the official client says that default_unit_amount
is the rate of "any usage not bucketed into a specified matrix_value", and that a scaling factor multiplies a quantity
before its price.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from portal.domain.charges import (
    Cell,
    Charge,
    MatrixShare,
    NotPriced,
    Price,
    Used,
    factor,
    present,
    rows,
    unit_amount,
)
from portal.domain.money import EXACT, number, total


def dimensions(price: Price) -> tuple[str, ...]:
    """The event properties whose values make a cell, in order; none for a price of another model. Raises NotPriced.

    On the wire a dimension may be null, where a matrix has one only: it is none.
    """
    if price.get("model_type") != "matrix":
        return ()
    return tuple(name for name in _dimensions(present(price, "matrix_config")) if name is not None)


def cells(price: Price) -> list[Cell]:
    """Those that have a price of their own, in order. Raises NotPriced, NotRepresentable."""
    return list(_read(present(price, "matrix_config"))[0])


def by_cell(config: Mapping[str, Any]) -> Callable[[Used], Charge]:
    """Each cell's quantity at its own price; all other cells, or a quantity without cells, at the default price."""
    prices, default = _read(config)
    return lambda used: _by_cell(prices, default, used)


def _read(config: Mapping[str, Any]) -> tuple[dict[Cell, Decimal], Decimal]:
    """The price of each cell and of all others, for one unit before any scaling."""
    names = _dimensions(config)
    kept = [position for position, name in enumerate(names) if name is not None]
    default = EXACT.multiply(factor(config), number(present(config, "default_unit_amount")))
    return _prices(config, len(names), kept), default


def _by_cell(prices: Mapping[Cell, Decimal], default: Decimal, used: Used) -> Charge:
    shares = [_share(cell, amount, used.cells[cell]) for cell, amount in prices.items() if used.cells.get(cell)]
    others = total(quantity for cell, quantity in used.cells.items() if cell not in prices)
    if not used.cells:
        others = used.quantity
    if others:
        shares.append(_share(None, default, others))
    return Charge(total(share.amount for share in shares), matrix=tuple(shares))


def _share(cell: Cell | None, amount: Decimal, quantity: Decimal) -> MatrixShare:
    return MatrixShare(cell, amount, quantity, EXACT.multiply(quantity, amount))


def _dimensions(config: Mapping[str, Any]) -> list[str | None]:
    names = present(config, "dimensions")
    said = [name for name in names if name is not None] if isinstance(names, list | tuple) else []
    if not said or not all(isinstance(name, str) and name for name in said) or len({*said}) < len(said):
        raise NotPriced("a matrix price needs its dimensions: the names of event properties, each once.")
    return list(names)


def _prices(config: Mapping[str, Any], count: int, kept: list[int]) -> dict[Cell, Decimal]:
    found: dict[Cell, Decimal] = {}
    for row in rows(config, "matrix_values"):
        values = present(row, "dimension_values")
        if not isinstance(values, list | tuple) or len(values) != count:
            raise NotPriced(f"every row of matrix_values needs {count} dimension_values, one for each dimension.")
        cell = tuple(None if values[position] is None else str(values[position]) for position in kept)
        if cell in found:
            raise NotPriced("every combination of dimension_values may have one price only.")
        found[cell] = EXACT.multiply(factor(row), unit_amount(row))
    return found
