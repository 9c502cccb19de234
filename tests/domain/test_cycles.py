"""Periods follow one another without a gap or an overlap, and the 31st comes back after a short month."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.cycles import CADENCES, Cycle
from portal.domain.periods import OutOfRange, Period, month_period

DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))
CYCLES = st.one_of(
    st.builds(Cycle, DAYS, months=st.sampled_from([*CADENCES.values(), 2, 24])),
    st.builds(Cycle, DAYS, days=st.integers(1, 400)),
)


def boundaries(cycle: Cycle, first: date, count: int) -> list[str]:
    found = [cycle.period(first).start]
    while len(found) < count:
        found.append(cycle.next(found[-1]))
    return [day.isoformat() for day in found]


def test_an_anchor_on_the_31st_is_the_last_day_of_shorter_months():
    assert boundaries(Cycle(date(2026, 1, 31), months=1), date(2026, 2, 1), 5) == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
    ]


def test_a_leap_day_is_the_28th_of_other_years():
    assert boundaries(Cycle(date(2024, 2, 29), months=12), date(2024, 2, 29), 5) == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
    ]
    assert Cycle(date(2024, 2, 29), months=1).period(date(2024, 3, 28)) == Period(date(2024, 2, 29), date(2024, 3, 29))


@pytest.mark.parametrize(
    ("cadence", "end"),
    [("monthly", "2026-12-15"), ("quarterly", "2027-02-15"), ("semi_annual", "2027-05-15"), ("annual", "2027-11-15")],
)
def test_a_cadence_lasts_its_months(cadence, end):
    cycle = Cycle(date(2026, 11, 15), months=CADENCES[cadence])

    assert cycle.period(date(2026, 11, 15)) == Period(date(2026, 11, 15), date.fromisoformat(end))


def test_a_cycle_of_days_counts_days_whatever_the_month():
    cycle = Cycle(date(2026, 2, 20), days=14)

    assert boundaries(cycle, date(2026, 2, 21), 3) == ["2026-02-20", "2026-03-06", "2026-03-20"]


def test_a_cycle_has_periods_before_its_anchor_as_well():
    assert Cycle(date(2026, 1, 31), months=3).period(date(2026, 1, 30)) == Period(date(2025, 10, 31), date(2026, 1, 31))
    assert Cycle(date(2026, 1, 31), days=10).period(date(2026, 1, 30)) == Period(date(2026, 1, 21), date(2026, 1, 31))


@given(CYCLES, DAYS)
def test_every_day_is_in_one_period_and_the_next_one_begins_where_it_ends(cycle, day):
    period = cycle.period(day)

    assert day in period
    assert cycle.next(day) == period.end
    assert cycle.period(period.start) == period
    assert cycle.period(period.end - timedelta(days=1)) == period
    assert cycle.period(period.end).start == period.end


@given(st.integers(1, 31), DAYS)
def test_a_month_of_a_cycle_is_the_month_of_that_billing_day(anchor_day, day):
    assert Cycle(date(2020, 1, anchor_day), months=1).period(day) == month_period(anchor_day, day)


@pytest.mark.parametrize(
    "lasts", [{}, {"months": 1, "days": 1}, {"months": -1}, {"days": -7}, {"months": 1, "days": -1}]
)
def test_a_cycle_lasts_months_or_days(lasts):
    with pytest.raises(OutOfRange, match="positive"):
        Cycle(date(2026, 1, 1), **lasts)


@pytest.mark.parametrize("cycle", [Cycle(date(2026, 1, 1), months=12), Cycle(date(2026, 1, 1), days=300)])
def test_a_period_past_the_end_of_the_calendar_is_refused(cycle):
    with pytest.raises(OutOfRange, match="calendar"):
        cycle.next(date(9999, 12, 31))
