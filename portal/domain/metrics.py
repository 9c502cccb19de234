"""A metric's SQL says which events count, and what each of them counts for. Read once, and never executed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from portal.domain import money
from portal.domain.conditions import Condition, always

KINDS = ("count", "sum", "max", "min", "average", "latest", "distinct")
LONGEST_SQL = 4000  # characters
LONGEST_NAMED = 100  # characters of a text that stands for itself among distinct values
MOST_KEPT = 2048  # readings that a process remembers
ONE = Decimal(1)


class NotMeasured(ValueError):
    """SQL that no metric can have. The message says which part, and what can be used instead."""


@dataclass(frozen=True)
class Measure:
    """What one event adds to a metric of this kind; `of` is the property that is aggregated, None for COUNT(*)."""

    kind: str
    of: str | None
    where: Condition | None = field(default=None, repr=False, compare=False)

    def takes(self, event_name: str, properties: Mapping[str, Any]) -> bool:
        """Does the event fulfil the WHERE? What cannot be told is no."""
        return self.where is None or self.where(event_name, properties) is True

    def value(self, properties: Mapping[str, Any]) -> Decimal | str | None:
        """What an event that is taken counts for; for distinct, a name of its value. None: for nothing."""
        if self.of is None:
            return ONE if self.kind == "count" else None
        found = properties.get(self.of)
        if found is None:
            return None
        if self.kind == "count":
            return ONE
        if self.kind == "distinct":
            return named(found)
        return number(found)


def read(sql: str) -> Measure:
    """What `sql` measures. Without any, days arrive counted and are added up. Raises NotMeasured."""
    if len(sql) > LONGEST_SQL:
        raise NotMeasured(f"sql may have at most {LONGEST_SQL} characters")
    return _read(sql)


@lru_cache(MOST_KEPT)
def _read(sql: str) -> Measure:
    if not sql.strip():
        return Measure("sum", None, always(False))
    from portal.domain import metric_sql  # here: the parser takes longer to load than everything else together

    return metric_sql.measure(sql)


def number(value: object) -> Decimal | None:
    """A property as a number; a text of digits is none, nor is true."""
    if type(value) is Decimal:
        return value
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def named(value: Any) -> str:
    """A short text that only the same value has, as JSON: 3 and 3.0 share one, "3" has another, true a third."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return money.plain(Decimal(value).normalize(money.EXACT))
    return _named_text(str(value))


@lru_cache(MOST_KEPT)
def _named_text(text: str) -> str:
    if len(text) > LONGEST_NAMED:
        return "#" + hashlib.sha256(text.encode()).hexdigest()
    return json.dumps(text, ensure_ascii=False)
