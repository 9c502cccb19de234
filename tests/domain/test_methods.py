"""Whoever comes after the account can only narrow; what nobody can carry out is not offered; limits are told."""

from __future__ import annotations

from itertools import chain, combinations, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.methods import BY_GATEWAY, DEFAULT, METHODS, Means, NotOffered, Said, Withheld, excluded, offer

ALLOW_SETS = [list(some) for count in range(5) for some in combinations(METHODS, count)]
narrowings = st.none() | st.sampled_from(ALLOW_SETS)
orders = st.none() | st.sampled_from([list(some) for count in range(5) for some in permutations(METHODS, count)])
majors = st.none() | st.integers(0, 100_000).map(lambda minor: f"{minor // 100}.{minor % 100:02}")
limits = st.dictionaries(
    st.sampled_from(METHODS), st.fixed_dictionaries({}, optional={"minimum": majors, "maximum": majors})
)
amounts = st.integers(1, 100_001)


class Gateway:
    """One that serves what it is told to serve."""

    def __init__(self, *served: tuple[str, str], minimum: int = 50) -> None:
        self.served, self.least = served, minimum

    def serves(self, method: str, currency: str) -> bool:
        return (method, currency) in self.served

    def minimum(self, currency: str) -> int:
        return self.least


EVERYTHING = Means(Gateway(*((method, "USD") for method in BY_GATEWAY)), banks=["USD"])
said = st.builds(
    Said,
    account=orders,
    limits=limits,
    customer=narrowings,
    excluded=st.frozensets(st.sampled_from([*METHODS, "link", "crypto"])),
    invoices=st.lists(narrowings, max_size=3),
)
means = st.builds(
    lambda served, minimum, banks: Means(None if served is None else Gateway(*served, minimum=minimum), banks),
    st.none() | st.sets(st.tuples(st.sampled_from(METHODS), st.just("USD"))),
    st.integers(0, 500),
    st.sampled_from([[], ["USD"], ["EUR"]]),
)


def accepted(amount: int = 1000, currency: str = "USD", means: Means = EVERYTHING, **told: Any) -> tuple[str, ...]:
    return offer(Said(**told), means, amount, currency).accepted


@pytest.mark.parametrize("account", ALLOW_SETS, ids="+".join)
@pytest.mark.parametrize("invoice", ALLOW_SETS, ids="+".join)
def test_only_what_the_account_and_the_invoice_allow_is_offered(account: list[str], invoice: list[str]) -> None:
    found = offer(Said(account=account, invoices=[invoice]), EVERYTHING, 1000, "USD")

    assert set(found.accepted) == set(account) & set(invoice)
    assert {one.method for one in found.withheld} == set(account) - set(invoice)
    for method in METHODS:
        if method in found.accepted:
            found.check(method)
        else:
            why = "not accepted for this invoice" if method in account else "not offered here"
            with pytest.raises(NotOffered, match=why):
                found.check(method)


def test_an_account_that_chose_nothing_offers_the_default_and_one_that_chose_none_offers_none() -> None:
    assert accepted() == DEFAULT == ("card", "us_bank_account", "bank_transfer")
    assert accepted(account=[]) == ()


@given(said, means, amounts)
def test_the_order_is_the_accounts(told: Said, means: Means, amount: int) -> None:
    found = offer(told, means, amount, "USD")
    own = told.own

    for methods in (found.accepted, [one.method for one in found.withheld]):
        places = [own.index(method) for method in methods]
        assert places == sorted(set(places))


@given(said, means, amounts, narrowings, st.sampled_from(["customer", "invoices", "excluded"]))
def test_to_say_more_only_ever_narrows(told: Said, means: Means, amount: int, more: list[str] | None, who: str) -> None:
    before = offer(told, means, amount, "USD")
    fields = {name: getattr(told, name) for name in ("account", "limits", "customer", "excluded", "invoices")}
    if who == "customer":
        both = [name for name in METHODS if name in (more or METHODS) and name in (told.customer or METHODS)]
        fields["customer"] = told.customer if more is None else both
    elif who == "invoices":
        fields["invoices"] = [*told.invoices, more]
    else:
        fields["excluded"] = [*told.excluded, *(more or ())]

    after = offer(Said(**fields), means, amount, "USD")

    assert set(after.accepted) <= set(before.accepted)
    assert {one.method for one in after.withheld} >= {one.method for one in before.withheld}


@given(said, means, amounts)
def test_several_invoices_are_paid_by_what_each_of_them_could_be_paid_by(told: Said, means: Means, amount: int) -> None:
    alone = [
        set(offer(Said(told.account, told.limits, told.customer, told.excluded, [one]), means, amount, "USD").accepted)
        for one in told.invoices or [None]
    ]

    assert set(offer(told, means, amount, "USD").accepted) == set.intersection(*alone)


@given(said, means, amounts)
def test_what_nobody_can_carry_out_is_neither_offered_nor_mentioned(told: Said, means: Means, amount: int) -> None:
    found = offer(told, means, amount, "USD")

    for method in (*found.accepted, *(one.method for one in found.withheld)):
        assert means.serve(method, "USD")


@given(said, means, amounts)
def test_whatever_the_account_allows_and_can_carry_out_is_offered_or_says_why_not(
    told: Said, means: Means, amount: int
) -> None:
    found = offer(told, means, amount, "USD")
    served = {method for method in told.own if means.serve(method, "USD")}

    assert {*found.accepted, *(one.method for one in found.withheld)} == served
    assert {*found.accepted} & {one.method for one in found.withheld} == set()
    for one in found.withheld:
        assert {"above": amount > one.limit, "below": amount < one.limit}.get(one.kind, one.method not in told.allowed)
        with pytest.raises(NotOffered) as refused:
            found.check(one.method)
        assert str(refused.value) == one.sentence


@given(said, means, amounts)
def test_at_the_limit_that_is_named_a_method_is_not_withheld_for_it(told: Said, means: Means, amount: int) -> None:
    for one in offer(told, means, amount, "USD").withheld:
        if one.limit:
            at_the_limit = offer(told, means, one.limit, "USD")
            assert one not in at_the_limit.withheld


def test_a_payer_reads_who_narrowed_a_method_away() -> None:
    told = Said(limits={"card": {"maximum": "1"}}, excluded=["card"], invoices=[None, ["card", "bank_transfer"]])

    assert [one.sentence for one in offer(told, EVERYTHING, 1000, "USD").withheld] == [
        "Card payments are not accepted for this customer.",
        "ACH payments are not accepted for this invoice.",
    ]


def test_a_payer_reads_which_limit_her_amount_passes() -> None:
    told = Said(limits={"card": {"minimum": "5", "maximum": "10000"}})

    assert offer(told, EVERYTHING, 1_000_000, "USD").accepted == DEFAULT
    (over,) = offer(told, EVERYTHING, 1_000_001, "USD").withheld
    (under,) = offer(told, EVERYTHING, 499, "USD").withheld

    assert over == Withheld("card", "above", 1_000_000, "USD")
    assert over.sentence == "Card payments are not accepted above USD 10,000.00."
    assert under.sentence == "Card payments are not accepted below USD 5.00."


def test_a_part_is_judged_by_its_own_amount() -> None:
    told = Said(account=["card"], limits={"card": {"maximum": "10000"}})

    assert offer(told, EVERYTHING, 1_500_000, "USD").accepted == ()
    assert offer(told, EVERYTHING, 1_000_000, "USD").accepted == ("card",)


def test_what_is_too_little_for_the_gateway_can_still_be_transferred() -> None:
    found = offer(Said(), EVERYTHING, 49, "USD")

    assert found.accepted == ("bank_transfer",)
    assert [one.sentence for one in found.withheld] == [
        "Card payments are not accepted below USD 0.50.",
        "ACH payments are not accepted below USD 0.50.",
    ]


@pytest.mark.parametrize(
    ("currency", "maximum", "most"), [("JPY", "100.5", 100), ("USD", "100.005", 10000), ("KWD", "0.0019", 1)]
)
def test_a_limit_that_is_finer_than_the_currency_holds(currency: str, maximum: str, most: int) -> None:
    means = Means(Gateway(("card", currency), minimum=0))
    limits = {"card": {"minimum": None, "maximum": maximum}}

    assert accepted(most, currency, means, limits=limits) == ("card",)
    assert accepted(most + 1, currency, means, limits=limits) == ()
    assert accepted(most, currency, means, limits={"card": {"minimum": maximum}}) == ()
    assert accepted(most + 1, currency, means, limits={"card": {"minimum": maximum}}) == ("card",)


@pytest.mark.parametrize("amount", [0, -1, -(10**16)])
def test_nothing_is_offered_where_nothing_is_owed(amount: int) -> None:
    assert offer(Said(), EVERYTHING, amount, "USD") == offer(Said(account=[]), EVERYTHING, 5, "USD")


def test_without_a_gateway_and_a_bank_account_nothing_can_be_paid() -> None:
    assert accepted(means=Means()) == ()
    assert accepted(means=Means(banks=["EUR"])) == ()
    assert accepted(means=Means(banks=["USD"])) == ("bank_transfer",)
    assert [method for method in METHODS if Means(banks=["EUR"]).serve_at_all(method)] == ["bank_transfer"]
    assert [method for method in METHODS if EVERYTHING.serve_at_all(method)] == list(METHODS)


@pytest.mark.parametrize(
    ("configuration", "types"),
    [
        (None, set()),
        ({}, set()),
        ({"payment_providers": None}, set()),
        ({"payment_providers": [{"provider_type": "stripe", "excluded_payment_method_types": None}]}, set()),
        ({"payment_providers": [{"provider_type": "stripe"}]}, set()),
        ({"payment_providers": [{"excluded_payment_method_types": ["card", "link"]}]}, {"card", "link"}),
        ({"payment_providers": [{"excluded_payment_method_types": [one]} for one in "ab"]}, {"a", "b"}),
    ],
)
def test_what_orbs_wire_excludes_is_read(configuration: Any, types: set[str]) -> None:
    assert excluded(configuration) == types
    assert set(accepted(excluded=excluded(configuration))) == set(DEFAULT) - types


def test_the_default_is_some_of_the_methods_in_their_order() -> None:
    assert [method for method in METHODS if method in DEFAULT] == list(DEFAULT)
    assert list(chain(BY_GATEWAY, ["bank_transfer"])) == list(METHODS)
