"""News of payments come twice, late and in any order: what is true in the end is what a slow reader would work out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_any
from hypothesis import strategies as st

from portal.cashier import catching_up
from portal.gateways import MethodNews, Saved
from portal.models import moments
from portal.models.account import Account
from portal.models.credit_note import CreditNote, Wanted
from portal.models.customer import Customer
from portal.models.gateway_event import GatewayEvent
from portal.models.invoice import Invoice
from portal.models.outbox import Letter
from portal.models.payment import Allocation, Payment
from portal.models.record import Record
from portal.models.saved_method import Payer, SavedMethod
from portal.models.standing import standing_of
from tests.attempts import GATEWAY, balance, begin, booked, dispute, left, of, paid, refund, tell
from tests.given import Given

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DUE = 4000  # minor units, of every invoice here
STAGES = ("action", "processing", "canceled", "failed", "succeeded")
REFUNDS = (
    ["pending"],
    ["pending", "succeeded"],
    ["succeeded"],
    ["pending", "failed"],
    ["pending", "succeeded", "failed"],
)
DISPUTES = (["opened"], ["opened", "lost"], ["lost"], ["opened", "won"], ["opened", "lost", "won"])


@dataclass(frozen=True)
class Story:
    """What really happened with one payment of `asked` for an invoice of 40.00."""

    asked: int
    stages: tuple[str, ...]
    moved: int
    refunds: tuple[tuple[int, tuple[str, ...]], ...]
    disputes: tuple[tuple[int, tuple[str, ...]], ...]

    @property
    def came(self) -> bool:
        return "succeeded" in self.stages

    def ends(self) -> dict[str, object]:
        """Worked out from the whole story, which nobody here ever sees at once."""
        if not self.came:
            return {"left": ("issued", DUE), "balance": 0, "booked": {}}
        own = min(self.moved, DUE)
        surplus = self.moved - own
        out = sum(amount for amount, stages in self.refunds if stages[-1] != "failed")
        lost = min(sum(amount for amount, stages in self.disputes if stages[-1] == "lost"), self.moved - out)
        owed = DUE - own + min(lost, own)
        credit = surplus - min(out, surplus) - max(lost - own, 0)
        kept = {"received": self.moved, "refunded": -out, "returned": -lost, "surplus": -credit}
        kept["written_off"] = out - min(out, surplus)
        return {
            "left": ("issued", owed) if owed else ("paid", 0),
            "balance": credit,
            "booked": {kind: amount for kind, amount in kept.items() if amount},
        }


@st.composite
def stories(draw: st.DrawFn) -> Story:
    asked = draw(st.integers(1, DUE))
    moved = draw(st.sampled_from([asked, asked, asked, asked + 700, DUE + 1500, max(asked - 5, 1)]))
    ends = draw(st.sampled_from([("succeeded",)] * 6 + [("failed",), ("canceled",)]))
    before = draw(st.lists(st.sampled_from(STAGES[:3]), max_size=2, unique=True))
    room, refunds = moved, []
    for stages in draw(st.lists(st.sampled_from(REFUNDS), max_size=2)):
        if room:
            amount = draw(st.integers(1, room))
            room -= amount
            refunds.append((amount, tuple(stages)))
    taken = st.one_of(st.just(moved), st.integers(1, moved))
    disputes = draw(st.lists(st.tuples(taken, st.sampled_from(DISPUTES).map(tuple)), max_size=2))
    return Story(asked, (*before, *ends), moved, tuple(refunds), tuple(disputes))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given_any(story=stories(), order=st.randoms(use_true_random=False))
def test_in_whatever_order_and_however_often_it_is_told_it_ends_the_same(
    given: Given, acme: Account, story: Story, order: Random
) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = begin(invoice, amounts=(story.asked,), now=NOW)
    news = [of(payment, stage, amount=story.moved) for stage in story.stages]
    if story.came:
        for n, (amount, stages) in enumerate(story.refunds):
            news += [refund(payment, stage, amount, ref=f"re_{n}") for stage in stages]
        for n, (amount, stages) in enumerate(story.disputes):
            news += [dispute(payment, stage, amount, ref=f"dp_{n}") for stage in stages]
    events = [(f"{payment.id}_{n}", one) for n, one in enumerate(news)]
    told = events + order.choices(events, k=len(events) // 2) if events else []
    order.shuffle(told)

    for id, one in told:
        tell(one, NOW, id)
    for wait in range(8):  # what overtook what it is about is tried again
        list(catching_up.orphans(GATEWAY, NOW + timedelta(hours=6 * (wait + 1))))

    kept = booked(payment)
    if back := kept.pop("reinstated", 0):
        kept = {kind: amount for kind, amount in (kept | {"returned": kept["returned"] + back}).items() if amount}
    assert {"left": left(invoice), "balance": balance(invoice), "booked": kept} == story.ends()
    letters = Counter(row.kind for row in Letter.select().where(Letter.payment_id == payment.id))
    assert letters["payment_succeeded"] == (1 if story.came else 0)
    assert not letters["payment_returned"] or story.came
    mine = GatewayEvent.id.startswith(f"{payment.id}_")
    assert not story.came or not GatewayEvent.select().where(mine, GatewayEvent.applied_at.is_null()).count()


def test_an_event_that_is_told_twice_is_acted_on_once(given: Given, acme: Account) -> None:
    payment = begin(given.invoice(given.customer(acme)), now=NOW)

    first = tell(of(payment, "succeeded"), NOW, id=f"once_{payment.id}")
    second = tell(of(payment, "succeeded", amount=1), NOW, id=f"once_{payment.id}")

    assert (first, second) == (True, False)
    assert booked(payment) == {"received": DUE}


@pytest.mark.parametrize("first", ["failed", "canceled"])
def test_a_payment_that_succeeds_after_all_is_booked(given: Given, acme: Account, first: str) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = begin(invoice, now=NOW)

    tell(of(payment, first, failure="declined"), NOW)
    assert (left(invoice), Allocation.live([invoice.id])) == (("issued", DUE), [])
    tell(of(payment, "succeeded"), NOW + timedelta(days=1))

    row = Payment.get_by_id(payment.id)
    assert (row.stage, row.failure, row.order, row.ask_at) == ("succeeded", None, None, None)
    assert row.ended_at == NOW + timedelta(days=1)
    assert left(invoice) == ("paid", 0)


def test_two_that_both_succeed_after_all_leave_one_as_credit(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    first = begin(invoice, now=NOW)
    tell(of(first, "canceled"), NOW)
    second = begin(invoice, now=NOW)

    tell(of(second, "succeeded"), NOW)
    tell(of(first, "succeeded"), NOW)

    assert (left(invoice), balance(invoice)) == (("paid", 0), DUE)
    assert booked(first) == {"received": DUE, "surplus": -DUE}


def test_money_for_an_invoice_that_was_voided_meanwhile_is_credit(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = begin(invoice, now=NOW)
    tell(of(payment, "canceled"), NOW)
    moments.void(invoice, NOW, "test")

    tell(of(payment, "succeeded"), NOW)

    assert (left(invoice), balance(invoice)) == (("void", 0), DUE)
    assert Record.select().where(Record.subject == invoice.id, Record.deed == "payment.surplus").count() == 1


def test_money_for_what_was_credited_meanwhile_is_credit(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = begin(invoice, now=NOW)
    line = invoice.document["lines"][0]
    CreditNote.issue(invoice, [Wanted(line["id"], 1000)], NOW, "test", reason="duplicate", memo=None)

    tell(of(payment, "succeeded"), NOW)

    assert (left(invoice), balance(invoice)) == (("paid", 0), 1000)


def test_surplus_in_a_currency_that_the_balance_has_not_is_left_to_the_operator(given: Given, acme: Account) -> None:
    customer = given.customer(acme, currency="USD")
    invoice = given.invoice(customer, currency="EUR")

    payment = paid(invoice, now=NOW, moved=DUE + 100)

    assert (left(invoice), balance(invoice)) == (("paid", 0), 0)
    assert booked(payment) == {"received": DUE + 100, "surplus": -100}
    (row,) = Record.select().where(Record.subject == invoice.id, Record.deed == "payment.surplus")
    assert row.detail == {"amount": 100, "to_balance": False}


def test_the_first_surplus_says_what_currency_a_balance_is_in(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme, currency=None), currency="EUR")

    paid(invoice, now=NOW, moved=DUE + 100)

    row = Customer.get_by_id(invoice.customer_id)
    assert (row.currency, row.balance) == ("EUR", 100)


def test_one_payment_of_several_invoices_fills_the_first_of_them_first(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    invoices = sorted((given.invoice(customer) for _ in range(3)), key=lambda invoice: invoice.id)

    paid(*invoices, now=NOW, moved=DUE + 1500)

    assert [left(invoice) for invoice in invoices] == [("paid", 0), ("issued", DUE - 1500), ("issued", DUE)]


@pytest.mark.parametrize("wrong", [{"live": True}, {"currency": "EUR"}])
def test_news_of_another_mode_or_currency_are_not_believed(given: Given, acme: Account, wrong: dict[str, Any]) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = begin(invoice, now=NOW)

    tell(of(payment, "succeeded", **wrong), NOW)

    assert (Payment.get_by_id(payment.id).stage, left(invoice)) == ("begun", ("issued", DUE))
    assert Record.select().where(Record.subject == payment.id, Record.deed == "payment.foreign_news").count() == 1


def test_what_a_gateway_took_under_a_second_name_is_the_customers(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)

    for _ in range(2):
        tell(of(payment, "succeeded", ref="another"), NOW)

    assert (left(invoice), balance(invoice)) == (("paid", 0), DUE)
    assert booked(payment) == {"received": 2 * DUE, "surplus": -DUE}


def test_another_method_than_was_asked_for_is_noted(given: Given, acme: Account) -> None:
    payment = begin(given.invoice(given.customer(acme)), now=NOW, method="us_bank_account")

    tell(of(payment, "succeeded", method="card"), NOW)

    (row,) = Record.select().where(Record.subject == payment.id, Record.deed == "payment.other_method")
    assert row.detail == {"charged": "card"}


@pytest.mark.parametrize(
    ("method", "within"), [("card", timedelta(minutes=60)), ("us_bank_account", timedelta(days=10))]
)
def test_a_payer_has_an_hour_or_ten_days_to_do_her_part(
    given: Given, acme: Account, method: str, within: timedelta
) -> None:
    payment = begin(given.invoice(given.customer(acme)), now=NOW, method=method)

    for minutes in (1, 30):
        tell(of(payment, "action"), NOW + timedelta(minutes=minutes))

    row = Payment.get_by_id(payment.id)
    assert (row.gives_up_at, row.ask_at) == (NOW + within, NOW + within)


def test_a_failure_by_card_is_seen_at_once_and_any_other_is_told_by_letter(given: Given, acme: Account) -> None:
    letters = []
    for more in ({"method": "card"}, {"method": "us_bank_account"}, {"method": "card", "automatic": True}):
        payment = begin(given.invoice(given.customer(acme)), now=NOW, **more)
        tell(of(payment, "failed", failure="declined"), NOW)
        letters.append([row.kind for row in Letter.select().where(Letter.payment_id == payment.id)])

    assert letters == [[], ["payment_failed"], ["payment_failed"]]


def test_who_wants_no_letters_gets_none(given: Given, acme: Account) -> None:
    payment = paid(given.invoice(given.customer(acme, email_delivery=False)), now=NOW)

    assert not Letter.select().where(Letter.payment_id == payment.id).exists()


def test_what_waits_for_a_part_is_shown_by_where_the_latest_payment_stands(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = begin(invoice, now=NOW, method="us_bank_account")
    stands = []
    for stage in ("processing", "failed", "succeeded"):
        tell(of(payment, stage), NOW)
        stands.append(standing_of(Invoice.get_by_id(invoice.id)))

    assert stands == ["processing", "failed", "succeeded"]


def test_a_method_that_was_saved_with_a_payment_is_kept(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = begin(invoice, now=NOW)

    for _ in range(2):
        tell(of(payment, "succeeded", saved=Saved(f"pm_{payment.id}", "card", "Visa ending in 4242", "2030-01")), NOW)

    (kept,) = SavedMethod.of(invoice.customer_id, "sandbox")
    assert (kept.label, kept.is_default) == ("Visa ending in 4242", True)


def test_a_method_whose_removal_is_told_before_its_saving_is_never_there(given: Given, acme: Account) -> None:
    payment = begin(given.invoice(given.customer(acme)), now=NOW)
    Payer.keep(payment.customer_id, "sandbox", ref=f"cus_{payment.id}")
    saved = Saved(f"pm_{payment.id}", "card", "Visa ending in 4242", "2030-01")

    tell(MethodNews(saved.ref, f"cus_{payment.id}", False, None), NOW)
    tell(of(payment, "succeeded", saved=saved), NOW)
    tell(MethodNews(saved.ref, f"cus_{payment.id}", False, saved), NOW)

    assert SavedMethod.of(payment.customer_id, "sandbox") == []
