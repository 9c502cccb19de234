"""A chart's geometry: bars in proportion, round gridlines, labels that do not touch."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import chart
from portal.domain.chart import LABEL_WIDTH, LEFT, WIDTH

D = Decimal
FIRST = date(2026, 11, 1)
VALUES = st.lists(st.decimals(-(10**12), 10**15, places=4), max_size=120)


def drawn(*values: str | int | Decimal, **more) -> chart.Chart:
    return chart.bars([(FIRST + timedelta(days=n), D(value)) for n, value in enumerate(values)], **more)


def ticks(*values: str | int) -> list[str]:
    return [format(line.value, "f") for line in drawn(*values).gridlines]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), ["0", "1"]),
        ((0, 0), ["0", "1"]),
        ((1,), ["0", "1"]),
        ((3,), ["0", "1", "2", "3"]),
        ((10,), ["0", "5", "10"]),
        ((7,), ["0", "2", "4", "6", "8"]),
        ((100,), ["0", "50", "100"]),
        ((80_000,), ["0", "20000", "40000", "60000", "80000"]),
        ((81_000,), ["0", "50000", "100000"]),
        (("0.5",), ["0.0", "0.2", "0.4", "0.6"]),
        (("0.00042",), ["0.0000", "0.0002", "0.0004", "0.0006"]),
        ((-3, 5), ["-4", "-2", "0", "2", "4", "6"]),
        ((-8,), ["-8", "-6", "-4", "-2", "0"]),
    ],
)
def test_gridlines_stand_at_round_values(values, expected):
    assert ticks(*values) == expected


def test_bars_stand_on_the_baseline_and_are_in_proportion():
    picture = drawn(10, 5, 0, width=640, height=220)
    whole, half, nothing = picture.bars

    assert (whole.y, whole.height) == ("14", "172")
    assert (half.y, half.height) == ("100", "86")
    assert (nothing.y, nothing.height, picture.baseline) == ("184", "2", "186")
    assert [line.y for line in picture.gridlines] == ["186", "100", "14"]


def test_a_negative_value_hangs_from_the_baseline():
    up, down = drawn(4, -4).bars

    assert (up.y, up.height, down.y, down.height) == ("14", "86", "100", "86")


def test_what_is_not_nothing_can_be_seen():
    tiny, huge, below = drawn("0.001", 10**9, "-0.001").bars

    assert tiny.height == below.height == "1"
    assert huge.height != "1"


def test_a_day_of_nothing_is_a_mark_and_a_day_to_come_is_none():
    picture = chart.bars([(FIRST, D(0)), (FIRST + timedelta(days=1), None)])

    assert [(bar.day, bar.value, bar.height) for bar in picture.bars] == [(FIRST, 0, "2")]
    assert float(picture.bars[0].x) + float(picture.bars[0].width) < (LEFT + float(picture.right)) / 2


def test_only_today_still_runs():
    assert [bar.running for bar in drawn(1, 2, 3, today=FIRST + timedelta(days=1)).bars] == [False, True, False]
    assert not any(bar.running for bar in drawn(1, 2, 3).bars)


def test_values_to_compare_with_are_one_outline_on_the_same_scale():
    picture = drawn(5, 5, before=[D(10), D(0), D(7)])

    assert picture.before == "M80 186V14H354V186H628V186"  # 10, then nothing; the third has no place
    assert picture.gridlines[-1].value == 10
    assert drawn(5).before == ""


def test_a_week_has_a_label_for_every_day_that_fits_and_a_quarter_has_a_few():
    assert [label.day.day for label in drawn(*range(5)).labels] == [1, 2, 3, 4, 5]
    assert [label.day.day for label in drawn(*range(30)).labels] == [1, 8, 15, 22]
    assert len(drawn(*range(90)).labels) in (3, 4, 5)


def test_an_empty_chart_still_has_its_lines():
    picture = drawn()

    assert picture.bars == picture.labels == ()
    assert len(picture.gridlines) == 2
    assert (picture.left, picture.right) == ("80", "628")


@given(VALUES)
def test_labels_keep_apart_and_within_the_picture(values):
    middles = [float(label.x) for label in drawn(*values).labels]

    assert all(later - earlier >= LABEL_WIDTH - 0.1 for earlier, later in pairwise(middles))
    assert all(LABEL_WIDTH / 2 - 0.1 <= x <= WIDTH - LABEL_WIDTH / 2 + 0.1 for x in middles)
    assert bool(middles) == bool(values)


@given(VALUES)
def test_everything_stays_inside_and_is_written_with_one_decimal_at_most(values):
    picture = drawn(*values)

    for bar in picture.bars:
        for length in (bar.x, bar.y, bar.width, bar.height):
            assert re.fullmatch(r"\d+(\.[1-9])?", length)
        assert LEFT <= float(bar.x) <= float(bar.x) + float(bar.width) <= float(picture.right) + 0.1
        assert 13 <= float(bar.y) <= float(bar.y) + float(bar.height) <= 187.1
    assert 2 <= len(picture.gridlines) <= 8
    assert any(line.value == 0 for line in picture.gridlines)
    assert picture.gridlines[0].value <= min(values, default=0)
    assert picture.gridlines[-1].value >= max(values, default=0)


def test_the_scale_has_room_for_the_charts_that_stand_beside_it():
    alone = chart.bars([(date(2026, 11, 1), Decimal(3))])
    beside = chart.bars([(date(2026, 11, 1), Decimal(3))], beside=[Decimal(900), Decimal(-1)])

    assert [line.value for line in alone.gridlines][-1] < 10
    assert next(line.value for line in beside.gridlines) < 0
    assert [line.value for line in beside.gridlines][-1] >= 900
