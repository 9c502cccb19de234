"""A metric, as events are counted for it: read from the catalog once, and again when that says something else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from portal.domain import metrics
from portal.domain.metrics import LONGEST_NAMED, Measure, NotMeasured
from portal.models.catalog import Metric
from portal.models.pipeline import sent


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric, as events are counted for it."""

    id: str
    measure: Measure
    dimensions: tuple[str, ...]

    def cell(self, properties: Mapping[str, Any]) -> str:
        """The values of the metric's dimensions, of which there are some, as a `UsageDay` keeps them."""
        return _cell(*map(properties.get, self.dimensions))


_known: dict[str, tuple[int, tuple[Measured, ...]]] = {}


def measured(account_id: str) -> tuple[Measured, ...]:
    """The account's metrics that are counted from events. To be asked under the lock of whoever counts."""
    return asked(account_id)()


def asked(account_id: str) -> Callable[[], tuple[Measured, ...]]:
    """The same, where others may be asked before the answer is waited for."""
    catalog = sent("SELECT catalog FROM account WHERE id = ?", account_id)

    def answer() -> tuple[Measured, ...]:
        number = next((number for (number,) in catalog()), -1)
        known = _known.get(account_id)
        if known is None or known[0] != number:
            known = _known[account_id] = (number, read(account_id))
        return known[1]

    return answer


def read(account_id: str, metric_id: str | None = None) -> tuple[Measured, ...]:
    """The account's metrics, or the one, as the database has them now."""
    query = Metric.select(Metric.id, Metric.sql, Metric.dimensions).where(Metric.account == account_id)
    if metric_id is not None:
        query = query.where(Metric.id == metric_id)
    found = []
    for row in query.order_by(Metric.id):
        try:
            measure = metrics.read(row.sql)
        except NotMeasured:  # from before SQL was read: its days arrive counted
            continue
        if row.sql.strip():
            found.append(Measured(row.id, measure, tuple(row.dimensions or ())))
    return tuple(found)


@lru_cache(4096, typed=True)  # true is not 1 in a cell
def _cell(*values: Any) -> str:
    return json.dumps([_in_cell(value) for value in values], separators=(",", ":"), ensure_ascii=False)


def _in_cell(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        return metrics.named(value)
    return value if len(value) <= LONGEST_NAMED else "#" + hashlib.sha256(value.encode()).hexdigest()
