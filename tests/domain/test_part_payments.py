"""All that is owed may be paid, or a part that the account and the gateway take, and that leaves nothing unpayable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.methods import NotPayable, Payable, partial

owed = st.integers(1, 300)
minimums = st.none() | st.integers(0, 320)
leasts = st.integers(0, 60)
KINDS = ("nothing", "too_much", "only_all", "too_little", "leaves_too_little")


def settings(minimum: int | None = None, *, allowed: bool = True) -> dict:
    return {"allowed": allowed, "minimum": None if minimum is None else f"{minimum // 100}.{minimum % 100:02}"}


def refusal(payable: Payable, amount: int) -> NotPayable | None:
    try:
        payable.check(amount)
    except NotPayable as refused:
        return refused
    return None


@given(owed, minimums, leasts, st.integers(-2, 310))
def test_a_part_is_payable_exactly_where_it_and_what_remains_are_large_enough(
    owed: int, minimum: int | None, least: int, amount: int
) -> None:
    payable = partial(owed, "USD", settings(minimum), least)
    large_enough = amount >= max(minimum or 0, least, 1) and owed - amount >= max(least, 1)

    assert (refusal(payable, amount) is None) == (amount == owed or large_enough)


@given(owed, minimums, leasts, st.integers(-2, 310))
def test_where_parts_are_not_allowed_only_all_may_be_paid(
    owed: int, minimum: int | None, least: int, amount: int
) -> None:
    payable = partial(owed, "USD", settings(minimum, allowed=False), least)

    assert payable.parts is None
    assert (refusal(payable, amount) is None) == (amount == owed)


@given(owed, minimums, leasts, st.integers(-2, 310), st.booleans())
def test_the_amount_that_a_refusal_names_would_do(
    owed: int, minimum: int | None, least: int, amount: int, allowed: bool
) -> None:
    payable = partial(owed, "USD", settings(minimum, allowed=allowed), least)
    refused = refusal(payable, amount)

    if refused is not None:
        assert refused.kind in KINDS
        assert refused.kind == "nothing" or refusal(payable, refused.amount) is None


@given(owed, minimums, leasts)
def test_the_least_and_the_most_are_payable_and_nothing_beyond_them(owed: int, minimum: int | None, least: int) -> None:
    payable = partial(owed, "USD", settings(minimum), least)

    if payable.parts is not None:
        first, last = payable.parts
        assert first <= last < owed
        assert [refusal(payable, amount) for amount in payable.parts] == [None, None]
        assert refusal(payable, first - 1) is not None
        assert last + 1 == owed or refusal(payable, last + 1) is not None


@pytest.mark.parametrize(
    ("amount", "kind", "sentence"),
    [
        (0, "nothing", "The amount must be above zero."),
        (-500, "nothing", "The amount must be above zero."),
        (4001, "too_much", "The amount must be at most USD 40.00, which is what is owed."),
        (999, "too_little", "A part must be at least USD 10.00."),
        (
            3951,
            "leaves_too_little",
            "What would remain is too little to be paid: pay at most USD 39.50, or all of USD 40.00.",
        ),
    ],
)
def test_each_way_to_be_wrong_is_told_in_a_sentence(amount: int, kind: str, sentence: str) -> None:
    with pytest.raises(NotPayable) as refused:
        partial(4000, "USD", settings(1000), least=50).check(amount)

    assert (refused.value.kind, str(refused.value)) == (kind, sentence)


@pytest.mark.parametrize("terms", [settings(allowed=False), settings(4000), settings(3951), {}])
def test_where_no_part_can_be_paid_all_is_asked_for(terms: dict) -> None:
    with pytest.raises(NotPayable, match=r"only be paid in full: USD 40\.00\.") as refused:
        partial(4000, "USD", terms, least=50).check(1000)

    assert (refused.value.kind, refused.value.amount) == ("only_all", 4000)


@pytest.mark.parametrize(("currency", "minimum", "least"), [("JPY", "10.5", 11), ("KWD", "0.0015", 2), ("USD", "0", 1)])
def test_a_minimum_that_is_finer_than_the_currency_is_rounded_up(currency: str, minimum: str, least: int) -> None:
    assert partial(1000, currency, {"allowed": True, "minimum": minimum}).parts == (least, 999)


def test_nothing_is_payable_where_nothing_is_owed() -> None:
    for owed in (0, -100):
        for amount in (owed, 1, 0):
            assert refusal(partial(owed, "USD", settings()), amount) is not None
