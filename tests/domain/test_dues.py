"""What falls due when: each day of a subscription is billed once for each of its prices, whatever the cadences."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.dues import Agreed, Terms
from portal.domain.periods import Period
from portal.domain.pricing import NotPriced

DAY = timedelta(days=1)
START = date(2026, 1, 15)


def usage(id: str = "calls", **more) -> dict:
    return {"id": id, "model_type": "unit", "unit_config": {"unit_amount": "1"}, "price_type": "usage_price", **more}


def fee(id: str = "fee", *, ahead: bool = False, prorated: bool = False, **more) -> dict:
    mode = "in_advance" if ahead else "in_arrear"
    config = {"unit_amount": "30", "prorated": prorated}
    return {
        "id": id,
        "model_type": "unit",
        "unit_config": config,
        "price_type": "fixed_price",
        "billing_mode": mode,
    } | more


def terms(*prices: dict, start: date = START, end: date | None = None, anchor: date | None = None, **more) -> Terms:
    return Terms(start, end, anchor or start, [Agreed(price) for price in prices], **more)


def boundaries(agreed: Terms, count: int) -> list[date]:
    found = [agreed.first()]
    while len(found) < count and found[-1] is not None:
        found.append(agreed.next(found[-1]))
    return [day for day in found if day is not None]


def billed(agreed: Terms, day: date) -> list[tuple[str, Period]]:
    return [(due.price["id"], due.days) for due in agreed.at(day)]


def test_usage_falls_due_when_its_month_is_over():
    agreed = terms(usage())

    assert boundaries(agreed, 3) == [date(2026, 2, 15), date(2026, 3, 15), date(2026, 4, 15)]
    assert billed(agreed, date(2026, 2, 15)) == [("calls", Period(START, date(2026, 2, 15)))]
    assert billed(agreed, date(2026, 2, 14)) == []


def test_a_fee_that_is_paid_ahead_falls_due_on_the_first_day_of_its_days():
    agreed = terms(fee(ahead=True), usage())

    assert boundaries(agreed, 2) == [START, date(2026, 2, 15)]
    assert billed(agreed, START) == [("fee", Period(START, date(2026, 2, 15)))]
    assert billed(agreed, date(2026, 2, 15)) == [
        ("fee", Period(date(2026, 2, 15), date(2026, 3, 15))),
        ("calls", Period(START, date(2026, 2, 15))),
    ]


def test_prices_of_several_cadences_meet_where_their_periods_do():
    agreed = terms(usage(), fee("support", cadence="quarterly"), fee("licence", ahead=True, cadence="annual"))

    assert [price for price, _ in billed(agreed, START)] == ["licence"]
    assert [price for price, _ in billed(agreed, date(2026, 3, 15))] == ["calls"]
    assert [price for price, _ in billed(agreed, date(2026, 4, 15))] == ["calls", "support"]
    assert [price for price, _ in billed(agreed, date(2027, 1, 15))] == ["calls", "support", "licence"]


def test_a_first_period_up_to_the_billing_day_is_short_and_its_fee_prorated_where_the_price_says_so():
    for prorated, share in ((True, Fraction(17, 31)), (False, Fraction(1))):
        agreed = terms(fee(prorated=prorated), anchor=date(2026, 1, 1))
        (due,) = agreed.at(date(2026, 2, 1))

        assert (due.days, due.period.length, due.share) == (Period(START, date(2026, 2, 1)), 31, share)


def test_what_was_used_is_never_prorated():
    (due,) = terms(usage(unit_config={"unit_amount": "1", "prorated": True}), anchor=date(2026, 1, 1)).at(
        date(2026, 2, 1)
    )

    assert due.share == 1


def test_a_subscription_that_ends_within_a_period_is_billed_on_its_end_and_never_again():
    agreed = terms(usage(), fee(ahead=True), end=date(2026, 3, 1))

    assert boundaries(agreed, 9) == [START, date(2026, 2, 15), date(2026, 3, 1)]
    assert billed(agreed, date(2026, 2, 15))[1] == ("fee", Period(date(2026, 2, 15), date(2026, 3, 1)))
    assert billed(agreed, date(2026, 3, 1)) == [("calls", Period(date(2026, 2, 15), date(2026, 3, 1)))]


def test_a_price_that_is_agreed_later_or_for_a_while_is_billed_for_its_own_days():
    late = Agreed(usage("late"), date(2026, 2, 20), date(2026, 4, 1))
    agreed = Terms(START, None, START, [Agreed(usage()), late])

    assert ("late", Period(date(2026, 2, 20), date(2026, 3, 15))) in billed(agreed, date(2026, 3, 15))
    assert billed(agreed, date(2026, 4, 1)) == [("late", Period(date(2026, 3, 15), date(2026, 4, 1)))]
    assert [price for price, _ in billed(agreed, date(2026, 4, 15))] == ["calls"]


def test_a_price_that_is_paid_once_is_billed_once():
    ahead, behind = fee("setup", ahead=True, cadence="one_time"), fee("training", cadence="one_time")
    agreed = terms(ahead, behind, usage())

    found = [price for day in boundaries(agreed, 6) for price, _ in billed(agreed, day) if price != "calls"]
    assert found == ["setup", "training"]


def test_nothing_is_billed_for_the_days_of_a_trial():
    agreed = terms(fee(prorated=True), usage(), free_until=date(2026, 2, 25))

    assert billed(agreed, date(2026, 2, 15)) == []
    assert agreed.first() == date(2026, 3, 15)
    assert {days for _, days in billed(agreed, date(2026, 3, 15))} == {Period(date(2026, 2, 25), date(2026, 3, 15))}


def test_a_subscription_without_prices_is_never_billed():
    agreed = terms()

    assert (agreed.first(), agreed.next(START)) == (None, None)
    assert agreed.period(START) == Period(START, date(2026, 2, 15))


def test_a_cadence_of_its_own_needs_its_length():
    own = usage(cadence="custom", billing_cycle_configuration={"duration": 10, "duration_unit": "day"})

    assert boundaries(terms(own), 2) == [date(2026, 1, 25), date(2026, 2, 4)]
    with pytest.raises(NotPriced, match="billing_cycle_configuration"):
        terms(usage(cadence="custom")).first()


def test_costs_of_a_period_are_its_usage_and_the_fee_that_was_paid_ahead_for_it():
    agreed = terms(fee(ahead=True), usage())
    period = agreed.period(date(2026, 2, 20))

    assert {due.days for due in agreed.of(period)} == {Period(date(2026, 2, 15), date(2026, 3, 15))}


cadences = st.sampled_from(["monthly", "quarterly", "semi_annual", "annual"])
days = st.dates(date(2024, 1, 1), date(2026, 12, 31))


@given(
    st.lists(st.tuples(cadences, st.booleans()), min_size=1, max_size=4), days, st.integers(0, 400), st.integers(0, 30)
)
def test_every_day_is_billed_once_for_each_price(prices, start, length, before):
    end = start + timedelta(days=length + 1)
    made = [
        fee(f"p{n}", ahead=ahead, cadence=cadence) if ahead else usage(f"p{n}", cadence=cadence)
        for n, (cadence, ahead) in enumerate(prices)
    ]
    agreed = terms(*made, start=start, end=end, anchor=start - timedelta(days=before))

    seen: dict[str, list[date]] = {price["id"]: [] for price in made}
    day = agreed.first()
    while day is not None:
        for due in agreed.at(day):
            seen[due.price["id"]].extend(due.days.days())
        day = agreed.next(day)

    assert all(found == Period(start, end).days() for found in seen.values())


@given(
    first=st.integers(-40, 400),
    length=st.integers(0, 200),
    lasts=st.none() | st.integers(1, 300),
    trial=st.none() | st.integers(1, 60),
    cadence=st.sampled_from(["monthly", "quarterly", "annual", "one_time"]),
)
def test_what_covers_some_days_is_what_falls_due_for_them(first, length, lasts, trial, cadence):
    end = START + lasts * DAY if lasts else None
    agreed = terms(
        usage(cadence=cadence),
        fee(ahead=True),
        usage("other"),
        end=end,
        free_until=START + trial * DAY if trial else None,
    )
    window = Period(START + first * DAY, START + (first + length) * DAY)

    found = {(due.price["id"], due.days) for due in agreed.over(window)}

    ends = [START + n * DAY for n in range(1, 1200)]
    fall_due = {(due.price["id"], due.days) for day in ends for due in agreed.at(day) if due.price["id"] != "fee"}
    touching = {
        (id, days) for id, days in fall_due if days.start < window.end and window.start < days.end and window.length
    }
    assert touching <= found <= fall_due
