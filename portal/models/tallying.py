"""What events come to: for each customer, metric, day and cell a tally, added to the days that are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from portal.domain import money, periods, usage
from portal.domain.usage import Tally
from portal.models.base import EPOCH, db, is_postgresql
from portal.models.measured import Measured

# Since 1973 clocks have changed at quarters of an hour only: within one, it is the same day everywhere in a zone.
QUARTER = 15 * 60 * 1_000_000  # microseconds
QUARTERS_SINCE = 3 * 366 * 24 * 4
ZERO = Decimal(0)
ONE = Decimal(1)

Key = tuple[str, str, str, str]  # customer, metric, day, cell


class Tallies:
    """Events are taken, one by one; then all that they come to is written at once."""

    def __init__(self, measured: Iterable[Measured]) -> None:
        self._plan = [
            (each.id, each.measure.kind, each.measure.where, each.measure.value, each.cell if each.dimensions else None)
            for each in measured
        ]
        self._days: dict[Key, list[Any]] = {}  # quantity, count, at
        self._values: dict[Key, dict[str, None]] = {}
        self._kinds = {id: kind for id, kind, *_ in self._plan}
        self._text = ""

    def take(self, customer_id: str, day: str, name: str, at: int, properties: Mapping[str, Any]) -> None:
        for id, kind, where, value_of, cell_of in self._plan:
            if where is not None and where(name, properties) is not True:
                continue
            value: Any = value_of(properties)
            if value is None:
                continue
            key = (customer_id, id, day, cell_of(properties) if cell_of else "")
            if kind == "distinct":
                self._values.setdefault(key, {})[value] = None
                value = ZERO
            tally = self._days.get(key)
            if tally is None:
                self._days[key] = [value, 1, at]
                continue
            if kind == "sum" or kind == "average":
                tally[0] = money.EXACT.add(tally[0], value)
            elif kind != "count" and kind != "distinct":  # what these come to is known when all were taken
                tally[0] = usage.merged(kind, Tally(tally[0], 1, tally[2]), Tally(value, 1, at)).quantity
            tally[1] += 1
            if at > tally[2]:
                tally[2] = at

    def ready(self) -> Tallies:
        """Itself, when all were taken and as much is done as can be without the database."""
        if not self._values:
            self._text = _text(self._rows())
        return self

    def add(self) -> None:
        """Adds all to what is kept. Values first, then days, each in the order of its key: nobody waits in a ring."""
        if self._values:
            self._count_new(
                _new_values(sorted((*key, value) for key, values in self._values.items() for value in values))
            )
        if self._days:
            if is_postgresql():
                _add_on_postgresql(self._text or _text(self._rows()), self._kinds)
            else:
                _add_on_sqlite(self._rows(), self._kinds)

    def _rows(self) -> list[tuple[Any, ...]]:
        return [
            (*key, str(count) if self._kinds[key[1]] == "count" else money.plain(quantity), count, at)
            for key, (quantity, count, at) in sorted(self._days.items())
        ]

    def _count_new(self, new: Iterable[Key]) -> None:
        for key in new:
            self._days[key][0] += ONE


def _new_values(rows: list[tuple[str, ...]]) -> list[Key]:
    """Keeps values that are not known yet, and says of which key each was."""
    return [(row[0], row[1], row[2], row[3]) for row in db.execute_sql(_of_rows(NEW_VALUES), (_text(rows),)).fetchall()]


def _add_on_postgresql(rows: str, kinds: Mapping[str, str]) -> None:
    of_kind = [[id for id, kind in kinds.items() if kind == wanted] for wanted in ("max", "min", "latest")]
    db.execute_sql(ADD_DAYS, (rows, *of_kind))


def _add_on_sqlite(rows: list[tuple[Any, ...]], kinds: Mapping[str, str]) -> None:
    # Nobody else writes meanwhile, so what is read stays true until it is written.
    there = {
        tuple(row[:4]): row[4:] for row in db.execute_sql(DAYS_THERE, (_text([row[:4] for row in rows]),)).fetchall()
    }
    merged = []
    for row in rows:
        before = there.get(row[:4])
        if before is not None:
            a, b = (Tally(Decimal(quantity), count, at) for quantity, count, at in (before, row[4:]))
            both = usage.merged(kinds[row[1]], a, b)
            row = (*row[:4], money.plain(both.quantity), both.count, both.at)
        merged.append(row)
    db.connection().executemany(PUT_DAY, merged)


def _text(rows: Any) -> str:
    return orjson.dumps(rows).decode()


def day_of(at: int, timezone: str) -> str:
    """The calendar day, as text, that `at` (microseconds) is in `timezone`."""
    quarter = at // QUARTER
    return _day_of_quarter(quarter, timezone) if quarter > QUARTERS_SINCE else _day(at, timezone)


@lru_cache(65536)
def _day_of_quarter(quarter: int, timezone: str) -> str:
    return _day(quarter * QUARTER, timezone)


def _day(at: int, timezone: str) -> str:
    return periods.local_day(EPOCH + timedelta(microseconds=at), timezone).isoformat()


def _of_rows(sql: str) -> str:
    """`sql` with its rows read from one JSON text, which is the fastest way into either database."""
    return sql.format(rows="jsonb_array_elements(%s::jsonb) AS rows (value)" if is_postgresql() else "json_each(?)")


# SQLite takes the ON of the conflict for a join's, unless a WHERE stands before it.
NEW_VALUES = """
INSERT INTO usage_value (customer_id, metric_id, day, cell, value)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM {rows} WHERE TRUE
ON CONFLICT DO NOTHING RETURNING customer_id, metric_id, day, cell
"""
ADD_DAYS = """
INSERT INTO usage_day (customer_id, metric_id, day, cell, quantity, count, at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, (value ->> 5)::bigint, (value ->> 6)::bigint
  FROM jsonb_array_elements(%s::jsonb) AS rows (value)
ON CONFLICT (customer_id, metric_id, day, cell) DO UPDATE SET
  quantity = CASE
    WHEN EXCLUDED.metric_id = ANY(%s)
    THEN GREATEST(usage_day.quantity::numeric, EXCLUDED.quantity::numeric)
    WHEN EXCLUDED.metric_id = ANY(%s)
    THEN LEAST(usage_day.quantity::numeric, EXCLUDED.quantity::numeric)
    WHEN EXCLUDED.metric_id = ANY(%s)
    THEN CASE WHEN (usage_day.at, usage_day.quantity::numeric) > (EXCLUDED.at, EXCLUDED.quantity::numeric)
              THEN usage_day.quantity::numeric ELSE EXCLUDED.quantity::numeric END
    ELSE usage_day.quantity::numeric + EXCLUDED.quantity::numeric
  END::text,
  count = usage_day.count + EXCLUDED.count,
  at = GREATEST(usage_day.at, EXCLUDED.at)
"""
DAYS_THERE = """
SELECT customer_id, metric_id, day, cell, quantity, count, at FROM usage_day
 WHERE (customer_id, metric_id, day, cell) IN (
   SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))
"""
PUT_DAY = """
INSERT INTO usage_day (customer_id, metric_id, day, cell, quantity, count, at) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (customer_id, metric_id, day, cell)
DO UPDATE SET quantity = excluded.quantity, count = excluded.count, at = excluded.at
"""
