"""Conditions on one event, as closures over plain values: true, false, or None where SQL says NULL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

Value = str | int | Decimal | bool
Properties = Mapping[str, Any]
Read = Callable[[str, Properties], Any]  # what an event, of this name and these properties, has in one place
Condition = Callable[[str, Properties], bool | None]
ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def event_name(name: str, properties: Properties) -> Any:
    return name


def property_of(key: str) -> Read:
    return lambda name, properties: properties.get(key)


def every(parts: Sequence[Condition]) -> Condition:
    """AND: false beats unknown."""

    def holds(name: str, properties: Properties) -> bool | None:
        known = True
        for part in parts:
            found = part(name, properties)
            if found is False:
                return False
            known = known and found is not None
        return True if known else None

    return holds


def some(parts: Sequence[Condition]) -> Condition:
    """OR: true beats unknown."""

    def holds(name: str, properties: Properties) -> bool | None:
        known = True
        for part in parts:
            found = part(name, properties)
            if found:
                return True
            known = known and found is not None
        return False if known else None

    return holds


def opposite(part: Condition) -> Condition:
    def holds(name: str, properties: Properties) -> bool | None:
        found = part(name, properties)
        return None if found is None else not found

    return holds


def always(value: bool) -> Condition:
    return lambda name, properties: value


def missing(read: Read) -> Condition:
    return lambda name, properties: read(name, properties) is None


def exactly(read: Read, value: bool) -> Condition:
    """IS TRUE, IS FALSE: never unknown."""
    return lambda name, properties: read(name, properties) is value


def said(read: Read) -> Condition:
    """A property that is a condition itself. What is neither true nor false is unknown."""

    def holds(name: str, properties: Properties) -> bool | None:
        found = read(name, properties)
        return found if found is True or found is False else None

    return holds


def equal(read: Read, value: Value) -> Condition:
    return among(read, [value])


def among(read: Read, values: Sequence[Value]) -> Condition:
    """Is it one of `values`? 3 is 3.0, but "3" is no number, and true is no number either."""
    texts_and_numbers = frozenset(value for value in values if not isinstance(value, bool))
    flags = frozenset(value for value in values if isinstance(value, bool))

    def holds(name: str, properties: Properties) -> bool | None:
        found = read(name, properties)
        if found is None:
            return None
        return found in (flags if found is True or found is False else texts_and_numbers)

    return holds


def ordered(read: Read, sign: str, value: str | Decimal) -> Condition:
    """Comparison with `sign`, one of ORDERS. A number and a text are in no order: unknown."""
    compare = ORDERS[sign]
    alike = str if isinstance(value, str) else (int, Decimal)

    def holds(name: str, properties: Properties) -> bool | None:
        found = read(name, properties)
        if isinstance(found, bool) or not isinstance(found, alike):
            return None
        return compare(found, value)

    return holds


def like(read: Read, pattern: str) -> Condition:
    """`%` stands for any text, `_` for one character; capitals count."""
    matches = re.compile(_expression(pattern), re.DOTALL).fullmatch

    def holds(name: str, properties: Properties) -> bool | None:
        found = read(name, properties)
        return matches(found) is not None if isinstance(found, str) else None

    return holds


def _expression(pattern: str) -> str:
    first, *rest = [re.escape(part).replace("_", ".") for part in pattern.split("%")]
    if not rest:
        return first
    # Atomic groups: what a `%` has once stepped over is never tried again, so no pattern takes long.
    return first + "".join(f"(?>.*?{part})" for part in rest[:-1] if part) + f".*{rest[-1]}"
