"""A refund takes no more than is there, opens no invoice again, and is undone where it fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.settlement import Share
from portal.models.account import Account
from portal.models.base import db
from portal.models.credit_note import CreditNote, Wanted
from portal.models.invoice import IllegalState, Invoice
from portal.models.outbox import Letter
from portal.models.payment import Payment
from portal.models.record import Record
from portal.models.refund import Refund
from portal.models.standing import entries
from tests.attempts import balance, begin, booked, dispute, left, paid, refund, tell
from tests.given import Given

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def asked(payment: Payment, shares: list[Share] | int | None) -> Refund:
    return Refund.begin(payment.id, shares, NOW, "test")


def answer(wanted: Refund, stage: str, amount: int | None = None) -> None:
    payment = Payment.get_by_id(wanted.payment_id)
    moved = wanted.amount if amount is None else amount
    tell(refund(payment, stage, moved, ref=f"re_{wanted.id}", id=wanted.id), NOW)


def test_a_refund_is_written_off_in_the_same_moment(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)

    wanted = asked(payment, 1500)
    assert booked(payment) == {"received": 4000}  # nothing has moved yet
    answer(wanted, "pending")

    assert (left(invoice), balance(invoice)) == (("paid", 0), 0)
    assert booked(payment) == {"received": 4000, "refunded": -1500, "written_off": 1500}
    assert [entry.kind for entry in entries(Invoice.get_by_id(invoice.id), "Etc/UTC")].count("refunded") == 1


def test_a_refund_that_fails_after_it_had_gone_out_is_undone(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW, moved=4500)
    wanted = asked(payment, 1000)

    answer(wanted, "succeeded")
    assert balance(invoice) == 0
    answer(wanted, "failed")
    answer(wanted, "pending")

    assert (left(invoice), balance(invoice)) == (("paid", 0), 500)
    assert booked(payment) == {"received": 4500, "surplus": -500}
    assert asked(payment, None).amount == 4500  # it can be tried again


@pytest.mark.parametrize("amount", [0, -1, 4001, 2**62])
def test_nothing_and_more_than_is_there_is_not_given_back(given: Given, acme: Account, amount: int) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)

    for shares in (amount, [Share(invoice.id, amount)]):
        with pytest.raises(IllegalState):
            asked(payment, shares)

    with pytest.raises(IllegalState, match="each invoice once"):
        asked(payment, [Share(invoice.id, 3000)] * 2)
    assert not Refund.select().where(Refund.payment == payment.id).exists()


def test_what_was_asked_back_is_not_asked_back_again_before_there_is_an_answer(given: Given, acme: Account) -> None:
    payment = paid(given.invoice(given.customer(acme)), now=NOW)
    first = asked(payment, 3000)

    with pytest.raises(IllegalState, match=r"USD 10\.00"):
        asked(payment, 1001)
    first.refuse(NOW, "test")

    assert Refund.get_by_id(first.id).stage == "failed"
    assert asked(payment, 4000).amount == 4000


def test_one_allocation_is_refunded_and_the_others_are_left_alone(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    one, two = given.invoice(customer), given.invoice(customer)
    payment = paid(one, two, now=NOW)

    answer(asked(payment, [Share(two.id, 4000)]), "succeeded")

    assert (left(one), left(two)) == (("paid", 0), ("paid", 0))
    with pytest.raises(IllegalState, match=f"{two.id}, USD 0.00"):
        asked(payment, [Share(two.id, 1)])
    assert asked(payment, None).shares == [[one.id, 4000]]


@pytest.mark.parametrize("kind", ["by hand", "processing"])
def test_only_what_a_gateway_has_collected_can_be_given_back(given: Given, acme: Account, kind: str) -> None:
    invoice = given.invoice(given.customer(acme))
    if kind == "by hand":
        payment = Payment.record(invoice, NOW, "test", received_on=NOW.date())
    else:
        payment = begin(invoice, now=NOW)

    with pytest.raises(IllegalState, match="a gateway has collected"):
        asked(payment, None)


def test_a_refund_made_at_the_gateway_is_ours_too_and_once(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)

    for id in (None, "of another program", None):
        tell(refund(payment, "succeeded", 700, id=id), NOW)

    (row,) = Refund.select().where(Refund.payment == payment.id)
    assert (row.amount, row.created_by, row.stage) == (700, "sandbox", "succeeded")
    assert booked(payment) == {"received": 4000, "refunded": -700, "written_off": 700}


def test_what_moved_counts_and_not_what_was_asked_for(given: Given, acme: Account) -> None:
    payment = paid(given.invoice(given.customer(acme)), now=NOW)
    wanted = asked(payment, 1500)

    answer(wanted, "succeeded", amount=900)

    assert booked(payment)["refunded"] == -900
    assert Refund.get_by_id(wanted.id).amount == 900
    assert Record.select().where(Record.subject == payment.id, Record.deed == "refund.other_amount").count() == 1


@pytest.mark.parametrize("refund_first", [True, False])
def test_a_refund_and_a_return_of_the_rest_end_the_same_whichever_is_told_first(
    given: Given, acme: Account, refund_first: bool
) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW, moved=5000)
    news = [refund(payment, "succeeded", 2000), dispute(payment, "lost", 5000)]

    for one in news if refund_first else reversed(news):
        tell(one, NOW)

    assert (left(invoice), balance(invoice)) == (("issued", 3000), 0)  # 1000 of it was written off
    assert {kind: amount for kind, amount in booked(payment).items() if kind not in ("returned", "reinstated")} == {
        "received": 5000, "refunded": -2000, "written_off": 1000,
    }  # fmt: skip


def test_one_letter_says_that_money_goes_back(given: Given, acme: Account) -> None:
    payment = paid(given.invoice(given.customer(acme)), now=NOW)
    wanted = asked(payment, None)

    for stage in ("pending", "succeeded", "failed"):
        answer(wanted, stage)

    (letter,) = Letter.select().where(Letter.payment_id == payment.id, Letter.kind == "refund")
    assert (letter.dedupe_key, letter.invoice_id) == (f"refund:{wanted.id}", wanted.shares[0][0])


def test_what_the_customer_has_spent_of_a_surplus_is_a_debt_once_it_goes_back(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    invoice = given.invoice(customer)
    payment = paid(invoice, now=NOW, moved=5000)
    next_one = given.invoice(customer)
    assert next_one.balance_applied == 1000

    answer(asked(payment, 1000), "succeeded")

    assert (left(invoice), balance(invoice)) == (("paid", 0), -1000)


def test_a_refund_that_is_not_committed_never_was(given: Given, acme: Account) -> None:
    payment = paid(given.invoice(given.customer(acme)), now=NOW)

    with db.atomic() as transaction:
        asked(payment, None)
        transaction.rollback()

    assert asked(payment, None).ask_at == NOW + timedelta(seconds=60)


def test_what_a_credit_note_gave_to_the_balance_is_not_given_back_again(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = paid(invoice, now=NOW)
    line = Invoice.get_by_id(invoice.id).document["lines"][0]
    CreditNote.issue(
        Invoice.get_by_id(invoice.id), [Wanted(line["id"], 1000)], NOW, "test", reason="duplicate", memo=None
    )

    with pytest.raises(IllegalState, match="at most what is left"):
        asked(payment, 3001)

    assert (asked(payment, None).amount, balance(invoice)) == (3000, 1000)


def test_one_made_at_the_gateway_is_booked_though_ours_waits_for_its_answer(given: Given, acme: Account) -> None:
    payment = paid(given.invoice(given.customer(acme)), now=NOW)
    mine = asked(payment, 4000)

    tell(refund(payment, "succeeded", 4000, ref="re_of_the_dashboard"), NOW)
    mine.refuse(NOW, "test")

    assert booked(payment) == {"received": 4000, "refunded": -4000, "written_off": 4000}
