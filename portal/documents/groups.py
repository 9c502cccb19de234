"""A metric told apart by one of its dimensions: its largest groups on one scale, and all others together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Self

from portal.documents.counted import Value, values
from portal.domain import chart
from portal.domain.chart import Chart
from portal.domain.periods import Period
from portal.domain.usage import Cell, Series, together

MOST = 6  # groups that are shown by themselves
WIDTH, HEIGHT = 320, 150  # of the chart of one group


@dataclass(frozen=True, slots=True)
class Group:
    """All events with one value of the dimension: None for those that have none."""

    value: str | None
    total: Value
    days: list[Value]  # of their own, or up to the end of each, as the chart shows them
    chart: Chart
    count: int = 1  # values that are in it: more than one in the group of all others


@dataclass(frozen=True, slots=True)
class Groups:
    by: str
    groups: list[Group]  # the largest first
    others: Group | None
    left_out: int  # values that stand nowhere, because they cannot be put together

    @classmethod
    def of(
        cls,
        cells: Mapping[Cell, Series],
        dimensions: Sequence[str],
        by: str,
        period: Period,
        today: date,
        *,
        summed: bool,
    ) -> Self:
        """`cells` have the days of `period` that have begun. Raises domain.usage.Unknown."""
        apart = _apart(cells, dimensions.index(by))
        shown, rest = apart[:MOST], apart[MOST:]
        if len(rest) == 1:  # which needs no more room by its own name
            shown, rest = apart, []
        joined = [(None, together([series for _, series in rest]))] if rest and _joins(rest) else []
        drawn = [(value, series, values(series)[summed]) for value, series in (*shown, *joined)]
        room = [quantity for _, _, days in drawn for quantity in days if quantity is not None]
        groups = [
            Group(value, _total(series), days, _chart(series, days, period, today, room))
            for value, series, days in drawn
        ]
        others = None
        if joined:
            last = groups.pop()
            others = Group(None, last.total, last.days, last.chart, len(rest))
        return cls(by, groups, others, 0 if joined else len(rest))

    @property
    def every(self) -> list[Group]:
        return [*self.groups, *([self.others] if self.others else [])]


def offered(kind: str, dimensions: Sequence[str] | None) -> list[str]:
    """By which dimensions it can be told apart: different values only where none can be in two cells of a group."""
    found = list(dimensions or ())
    return [] if kind == "distinct" and len(found) > 1 else found


def _apart(cells: Mapping[Cell, Series], place: int) -> list[tuple[str | None, Series]]:
    """Each value of the dimension, the largest first, those without one last among equals. Raises Unknown."""
    found: dict[str | None, list[Series]] = {}
    for cell, series in cells.items():
        if any(tally for _, tally in series.days):
            found.setdefault(cell[place] if place < len(cell) else None, []).append(series)
    whole = [(value, together(several)) for value, several in found.items()]
    return sorted(whole, key=lambda one: (-one[1].total, one[0] is None, one[0] or ""))


def _joins(rest: Sequence[tuple[str | None, Series]]) -> bool:
    return rest[0][1].kind != "distinct"


def _total(series: Series) -> Value:
    return values(series)[1][-1] if series.days else None


def _chart(series: Series, days: Sequence[Value], period: Period, today: date, room: Sequence[Decimal]) -> Chart:
    drawn = dict(zip((day for day, _ in series.days), days, strict=True))
    return chart.bars(
        [(day, drawn.get(day)) for day in period.days()], today=today, beside=room, width=WIDTH, height=HEIGHT
    )
