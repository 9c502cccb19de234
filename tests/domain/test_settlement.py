"""Where a payment stands is the furthest that was heard, and what went back of it follows from sums alone."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.settlement import (
    DISPUTE_STAGES,
    LIVE,
    REFUND_STAGES,
    STAGES,
    Share,
    UnknownStage,
    furthest,
    has_failed,
    is_on_its_way,
    spread,
    takes,
    went_back,
)

AMOUNTS = st.integers(0, 10**12)


@pytest.mark.parametrize("stages", [STAGES, REFUND_STAGES, DISPUTE_STAGES])
def test_the_furthest_is_the_same_in_whatever_order_it_is_heard(stages: tuple[str, ...]) -> None:
    for heard in permutations(stages, 3):
        stands = stages[0]
        for one in heard:
            stands = furthest(stands, one, stages)
        assert stands == max(heard, key=stages.index)


def test_money_that_came_after_all_is_believed_over_everything() -> None:
    assert {furthest(stage, "succeeded") for stage in STAGES} == {"succeeded"}
    assert {furthest("succeeded", stage) for stage in STAGES} == {"succeeded"}
    assert furthest("canceled", "failed") == "failed"


@pytest.mark.parametrize("stages", [("opened", "begun"), ("begun", "lost")])
def test_a_stage_that_does_not_exist_is_refused(stages: tuple[str, str]) -> None:
    with pytest.raises(UnknownStage, match="begun, action, processing, canceled, failed, succeeded"):
        furthest(*stages)


def test_only_what_is_live_may_be_on_its_way_and_only_what_ended_has_failed() -> None:
    assert [stage for stage in STAGES if is_on_its_way(stage)] == ["begun", "processing"]
    assert [stage for stage in (*STAGES, "returned") if has_failed(stage)] == ["failed", "returned"]
    assert not is_on_its_way(None)
    assert not has_failed(None)
    assert not any(has_failed(stage) for stage in LIVE)


@given(amount=AMOUNTS, shares=st.lists(AMOUNTS, max_size=5))
def test_what_is_spread_is_neither_more_nor_less_and_fills_the_first_first(amount: int, shares: list[int]) -> None:
    asked = [Share(str(n), share) for n, share in enumerate(shares)]

    found, over = spread(amount, asked)

    assert sum(share.amount for share in found) + over == amount
    full = {share.invoice_id: share.amount for share in asked}
    assert all(0 < share.amount <= full[share.invoice_id] for share in found)
    assert all(share.amount == full[share.invoice_id] for share in found[:-1])
    assert not over or sum(shares) == amount - over


@given(moved=AMOUNTS, remaining=st.integers(-(10**6), 10**12))
def test_an_invoice_takes_no_more_than_it_asks_for(moved: int, remaining: int) -> None:
    taken, surplus = takes(moved, remaining)

    assert taken + surplus == moved
    assert 0 <= taken <= max(remaining, 0)
    assert not surplus or taken == max(remaining, 0)


@st.composite
def shares(draw: st.DrawFn) -> tuple[int, int, int, int]:
    received = draw(st.integers(0, 10_000))
    refunded = draw(st.integers(0, received))
    return received, draw(st.integers(0, received)), refunded, draw(st.integers(0, received - refunded))


@given(share=shares())
def test_what_went_back_is_borne_once(share: tuple[int, int, int, int]) -> None:
    received, surplus, refunded, returned = share

    booked = went_back(received, surplus, refunded, returned)

    settled = received + sum(booked.values())
    own = received - surplus
    assert settled == own - min(returned, own)  # a refund never opens an invoice again, a return does
    credit = -booked["surplus"]
    assert 0 <= credit <= surplus
    assert 0 <= booked["written_off"] <= own
    kept = received + booked["refunded"] + booked["returned"]
    assert kept + booked["written_off"] == settled + credit  # every cent is on the invoice or in the balance


@pytest.mark.parametrize(
    ("refunded", "returned", "booked"),
    [
        (0, 0, {"refunded": 0, "returned": 0, "written_off": 0, "surplus": -30}),
        (20, 0, {"refunded": -20, "returned": 0, "written_off": 0, "surplus": -10}),
        (50, 0, {"refunded": -50, "returned": 0, "written_off": 20, "surplus": 0}),
        (0, 50, {"refunded": 0, "returned": -50, "written_off": 0, "surplus": -30}),
        (0, 100, {"refunded": 0, "returned": -100, "written_off": 0, "surplus": 0}),
        (50, 50, {"refunded": -50, "returned": -50, "written_off": 20, "surplus": 0}),
    ],
)
def test_of_100_for_an_invoice_of_70_refunds_eat_the_surplus_first_and_returns_the_invoice(
    refunded: int, returned: int, booked: dict[str, int]
) -> None:
    assert went_back(100, 30, refunded, returned) == booked
