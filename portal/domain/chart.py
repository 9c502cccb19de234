"""Where the bars of a chart stand: numbers for the attributes of an inline SVG, and no markup. Words are the reader's.

All geometry is text in viewBox units, with one decimal at most, y downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from portal.domain.money import EXACT

# Units of the viewBox. A chart 640 wide is shown at half its size on a phone of 320 px, where letters must be twice
# as large to be read: the room for labels is kept for those.
WIDTH, HEIGHT = 640, 220
LABEL_WIDTH = 96  # a day in letters of 22 units: "23 Nov", "30. Sept."
LEFT, RIGHT, TOP, BOTTOM = 80, 12, 14, 34

TICKS = 4  # spaces between gridlines, about
_DAY_STEPS = (1, 2, 3, 5, 7, 10, 14, 21, 28, 30, 45, 60, 90, 180, 365)
_HALF = Decimal("0.5")
_FILLED = Decimal("0.7")  # the part of its slot that a bar fills
_THINNEST = Decimal(1)  # what is not nothing can be seen
_ZERO = Decimal(2)  # and so can a day on which nothing was used

# A value for each day; None for a day that is still to come, which has its place and nothing on it.
Values = Sequence[tuple[date, Decimal | None]]


@dataclass(frozen=True, slots=True)
class Bar:
    """One day that has begun: a rectangle up from the baseline, or down for a negative value; zero is a mark on it."""

    day: date
    value: Decimal
    running: bool  # is this day not over yet?
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Gridline:
    """A horizontal line at a round value."""

    value: Decimal
    y: str


@dataclass(frozen=True, slots=True)
class Label:
    """A day below its bar; `x` is the middle of the text."""

    day: date
    x: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A whole chart; `left` and `right` are the ends of the gridlines, `below` is where the labels' text stands.

    `before` is the outline of another row of values behind the bars, as the `d` of an SVG path; empty without one.
    """

    width: int
    height: int
    left: str
    right: str
    baseline: str  # y of zero
    below: str
    before: str
    bars: tuple[Bar, ...]
    gridlines: tuple[Gridline, ...]  # from the bottom upwards
    labels: tuple[Label, ...]


def bars(
    values: Values,
    *,
    today: date | None = None,
    before: Sequence[Decimal] = (),
    beside: Sequence[Decimal] = (),
    width: int = WIDTH,
    height: int = HEIGHT,
    label_width: int = LABEL_WIDTH,
) -> Chart:
    """A chart of one bar for each value, `today`'s still growing; `before` are values to compare with, place by place.

    `beside` are the values of charts that stand beside it: its scale has room for them. Labels keep `label_width` units
    from one middle to the next.
    """
    before = before[: len(values)]
    ticks = _ticks([value for _, value in values if value is not None] + [*before, *beside])
    slot = Decimal(max(width - LEFT - RIGHT, 1)) / max(len(values), 1)
    scale = _Scale(ticks[0], ticks[-1], Decimal(TOP), Decimal(height - BOTTOM))
    return Chart(
        width=width,
        height=height,
        left=_text(Decimal(LEFT)),
        right=_text(Decimal(width - RIGHT)),
        baseline=_text(scale.y(Decimal(0))),
        below=_text(Decimal(height - BOTTOM // 4)),
        before=_outline(before, slot, scale),
        bars=tuple(
            _bar(day, value, day == today, LEFT + slot * place, slot, scale)
            for place, (day, value) in enumerate(values)
            if value is not None
        ),
        gridlines=tuple(Gridline(tick, _text(scale.y(tick))) for tick in ticks),
        labels=_labels([day for day, _ in values], slot, width, label_width),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    lowest: Decimal
    highest: Decimal
    top: Decimal
    bottom: Decimal

    def y(self, value: Decimal) -> Decimal:
        return self.top + (self.highest - value) / (self.highest - self.lowest) * (self.bottom - self.top)


def _bar(day: date, value: Decimal, running: bool, x: Decimal, slot: Decimal, scale: _Scale) -> Bar:
    baseline, end = scale.y(Decimal(0)), scale.y(value)
    least = _THINNEST if value else _ZERO
    if abs(end - baseline) < least:
        end = baseline - least if value >= 0 else baseline + least
    inset = slot * (1 - _FILLED) / 2
    return Bar(
        day=day,
        value=value,
        running=running,
        x=_text(x + inset),
        y=_text(min(baseline, end)),
        width=_text(slot * _FILLED),
        height=_text(abs(end - baseline)),
    )


def _outline(values: Sequence[Decimal], slot: Decimal, scale: _Scale) -> str:
    """Steps from the baseline over each value, as wide as its slot, and back to the baseline."""
    if not values:
        return ""
    steps = "".join(f"V{_text(scale.y(value))}H{_text(LEFT + slot * place)}" for place, value in enumerate(values, 1))
    baseline = _text(scale.y(Decimal(0)))
    return f"M{_text(Decimal(LEFT))} {baseline}{steps}V{baseline}"


def _ticks(values: Sequence[Decimal]) -> list[Decimal]:
    """Round values from below the lowest (at most zero) to above the highest, at least two."""
    lowest, highest = min([Decimal(0), *values]), max([Decimal(0), *values])
    step = _step(EXACT.subtract(highest, lowest), whole=all(value == value.to_integral_value() for value in values))
    below = -(Fraction(lowest) // Fraction(step))  # floor towards minus infinity, counted downwards
    above = -(-Fraction(highest) // Fraction(step))
    return [EXACT.multiply(step, Decimal(place)) for place in range(-below, max(above, 0 if below else 1) + 1)]


def _step(span: Decimal, *, whole: bool) -> Decimal:
    """The smallest of 1, 2 or 5 times a power of ten that spans `span` in TICKS steps; 1 or more for whole values."""
    least = EXACT.divide(span, Decimal(TICKS))
    if not least or (whole and least < 1):
        return Decimal(1)
    power = Decimal(1).scaleb(least.adjusted())
    return next(step for step in (power, power * 2, power * 5, power * 10) if step >= least)


def _labels(days: Sequence[date], slot: Decimal, width: int, label_width: int) -> tuple[Label, ...]:
    """Every second, third, seventh … day, so that neighbours do not touch and none is cut off at the edge."""
    every = next((step for step in _DAY_STEPS if step * slot >= label_width), max(len(days), 1))
    middles = [(day, LEFT + slot * place + slot / 2) for place, day in enumerate(days) if place % every == 0]
    half = Decimal(label_width) / 2
    return tuple(Label(day, _text(x)) for day, x in middles if half <= x <= width - half)


def _text(length: Decimal) -> str:
    """`length` with one decimal, or none where that is zero."""
    tenths = int(length * 10 + _HALF)
    whole, tenth = divmod(tenths, 10)
    return f"{whole}.{tenth}" if tenth else str(whole)
