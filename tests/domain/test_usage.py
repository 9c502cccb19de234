"""Days by themselves and days together, for each kind of metric."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.metrics import KINDS
from portal.domain.periods import Period
from portal.domain.usage import Series, Tally, Unknown, merged

D = Decimal
START = date(2026, 3, 1)
TALLIES = st.builds(
    Tally, st.decimals(-(10**12), 10**12, places=6), st.integers(1, 10**6), st.integers(0, 5).map(lambda n: n * 1000)
)
ADDING = [kind for kind in KINDS if kind != "distinct"]


def day(number: int) -> date:
    return START + timedelta(days=number - 1)


def series(kind: str, *tallies: tuple | None, fresh: dict | None = None) -> Series:
    found = tuple(
        (day(n), None if tally is None else Tally(D(tally[0]), *tally[1:])) for n, tally in enumerate(tallies, 1)
    )
    return Series(kind, found, fresh)


def amounts(days: list[tuple[date, Decimal]]) -> list[str]:
    return [str(quantity) for _, quantity in days]


@pytest.mark.parametrize(
    ("kind", "own", "running"),
    [
        ("count", ["5", "0", "2"], ["5", "5", "7"]),
        ("sum", ["5", "0", "2"], ["5", "5", "7"]),
        ("max", ["5", "0", "2"], ["5", "5", "5"]),
        ("min", ["5", "0", "2"], ["5", "5", "2"]),
        ("average", ["2.5", "0", "2"], ["2.5", "2.5", "2.333333333333"]),
        ("latest", ["5", "0", "2"], ["5", "5", "2"]),
    ],
)
def test_days_by_themselves_and_from_the_first_on(kind, own, running):
    found = series(kind, ("5", 2, 10), None, ("2", 1, 20))

    assert amounts(found.own()) == own
    assert amounts(found.running()) == running
    assert [day for day, _ in found.own()] == [day(1), day(2), day(3)]
    assert str(found.total) == running[-1]


def test_a_value_that_comes_back_is_not_counted_again_in_the_period():
    found = series("distinct", ("2", 5, 1), ("2", 3, 2), None, fresh={day(1): 2, day(2): 1})

    assert amounts(found.own()) == ["2", "2", "0"]
    assert amounts(found.running()) == ["2", "3", "3"]
    assert amounts(found.added()) == ["2", "1", "0"]
    assert found.total == 3


def test_distinct_values_are_not_added_up_where_nobody_knows_which_are_new():
    found = series("distinct", ("2", 5, 1), ("2", 3, 2), fresh={day(1): 2, day(2): 1})

    assert found.until(day(2)).total == 2
    with pytest.raises(Unknown):
        _ = series("distinct", ("1", 1, 1), ("1", 1, 2)).total


def test_the_later_part_of_a_period_does_not_borrow_what_was_new_in_all_of_it():
    found = series("distinct", ("2", 5, 1), ("2", 3, 2), ("2", 3, 3), fresh={day(1): 2, day(2): 1})

    assert found.within(Period(day(1), day(3))).total == 3
    assert amounts(found.within(Period(day(2), day(4))).own()) == ["2", "2"]
    with pytest.raises(Unknown):
        found.within(Period(day(2), day(4))).running()


def test_a_period_without_events_comes_to_nothing():
    for kind in KINDS:
        assert series(kind).total == 0
        assert amounts(series(kind, None, None).running()) == ["0", "0"]


def test_the_largest_of_debts_is_no_zero():
    assert amounts(series("max", None, ("-3", 1, 1), ("-2", 1, 1)).running()) == ["0", "-3", "-2"]


def test_a_series_can_be_cut():
    found = series("sum", ("1", 1, 1), ("2", 1, 2), ("4", 1, 3))

    assert found.within(Period(day(2), day(9))).total == 6
    assert found.until(day(3)).total == 3


@given(st.sampled_from(ADDING), TALLIES, TALLIES, TALLIES)
def test_order_does_not_matter(kind, a, b, c):
    assert merged(kind, a, b) == merged(kind, b, a)
    assert merged(kind, merged(kind, a, b), c) == merged(kind, a, merged(kind, b, c))


@given(st.sampled_from(ADDING), st.lists(st.none() | TALLIES, max_size=40))
def test_what_is_added_adds_up_to_the_total(kind, tallies):
    found = Series(kind, tuple((day(n), tally) for n, tally in enumerate(tallies, 1)))

    assert sum((quantity for _, quantity in found.added()), D(0)) == found.total
    assert found.total == (found.running()[-1][1] if tallies else 0)


def test_nothing_is_rounded_away():
    huge, tiny = D("999999999999999999999999"), D("0.000000000000000000000001")

    assert series("sum", (huge, 1, 1), (tiny, 1, 2)).total == D("999999999999999999999999.000000000000000000000001")
