"""Paying one invoice: which method, then what it needs; every step is stamped, and what is wrong charges nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from portal.models import moments
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from tests.conftest import Clock
from tests.given import Given
from tests.web.paying import Payer
from tests.web.paying import customer as customer
from tests.web.paying import invoice as invoice
from tests.web.paying import payer as payer
from tests.web.paying import settings as settings

BANK = {"currency": "USD", "holder": "Acme Inc.", "account_number": "000123456789", "routing_number": "110000000"}


@pytest.fixture
def tried(customer: Customer) -> Callable[[], int]:
    """How many payments the customer has begun."""
    return lambda: Payment.select().where(Payment.customer == customer).count()


def test_a_card_pays_in_two_steps_and_the_page_is_a_receipt(payer: Payer, invoice: Invoice) -> None:
    payer.open("payments/new")
    (first,) = payer.forms
    assert (first.action, first.method, list(first.offered)) == ("../payments", "post", ["method"])
    assert first.offered["method"] == ["card", "us_bank_account"]

    payer.send(method="card")
    assert "How Card Amount $40.00" in payer.text
    payer.send(sandbox_outcome="4242")

    assert payer.follow().status_code == 200
    assert "Paid" in payer.text
    assert "How Visa ending in 4242 Amount $40.00" in payer.text
    assert Invoice.get_by_id(invoice.id).status == "paid"


def test_nothing_is_charged_before_the_second_step_is_sent(payer: Payer, tried: Callable[[], int]) -> None:
    payer.open("payments/new")
    payer.send(method="card")

    assert tried() == 0


def test_what_was_begun_stands_at_an_address_without_a_token(payer: Payer) -> None:
    payer.open("payments/new")
    payer.send(method="card")

    answer = payer.send(sandbox_outcome="4242")

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("./payments/")


@pytest.mark.parametrize("stamp", [None, "", "x", "1795435200.aa.bb~cc", "é" * 200])
def test_a_form_without_our_stamp_charges_nothing(stamp: str | None, payer: Payer, tried: Callable[[], int]) -> None:
    payer.open("payments/new")
    payer.send(method="card")

    answer = payer.send(sandbox_outcome="4242", stamp=stamp)

    assert answer.status_code == 403
    assert "reload and try again" in payer.text
    assert tried() == 0


def test_a_stamp_is_good_for_half_an_hour(payer: Payer, clock: Clock, tried: Callable[[], int]) -> None:
    payer.open("payments/new")
    clock.advance(minutes=30)
    assert payer.send(method="card").status_code == 200

    clock.advance(minutes=30, seconds=1)
    assert payer.send(sandbox_outcome="4242").status_code == 403
    assert tried() == 0


def test_a_stamp_is_good_under_its_own_link_and_for_its_own_invoice(
    payer: Payer, client: FlaskClient, given: Given, customer: Customer, invoice: Invoice, tried: Callable[[], int]
) -> None:
    link = Link.of_customer(customer.id)
    assert link
    other = given.invoice(customer)
    payer.open("payments/new")
    payer.send(method="card")
    (form,) = payer.forms

    for below in (f"invoices/{invoice.id}/payments", f"invoices/{other.id}/payments", "payments"):
        stranger = Payer(client, given.url(link), now=given.url(link) + below)
        form.action = ""
        assert stranger.send(form, sandbox_outcome="4242", invoice=invoice.id).status_code == 403, below
    assert tried() == 0


def test_a_stamp_tampered_with_by_one_letter_is_none(payer: Payer) -> None:
    payer.open("payments/new")
    good = dict(payer.forms[0].fields)["stamp"]
    now = payer.now

    for place in range(0, len(good), 7):
        payer.now = now
        payer.page = payer.client.get(now)
        other = "A" if good[place] != "A" else "B"
        assert payer.send(method="card", stamp=good[:place] + other + good[place + 1 :]).status_code == 403


def test_what_another_site_sends_is_refused(payer: Payer, tried: Callable[[], int]) -> None:
    payer.open("payments/new")
    payer.send(method="card")

    answer = payer.send(sandbox_outcome="4242", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert tried() == 0


def test_what_changed_since_is_shown_anew_and_nothing_is_charged(
    payer: Payer, invoice: Invoice, clock: Clock, tried: Callable[[], int]
) -> None:
    payer.open("payments/new")
    payer.send(method="card")
    Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=1000)

    answer = payer.send(sandbox_outcome="4242")

    assert answer.status_code == 409
    assert "has changed since you opened this page" in payer.text
    assert "To pay $30.00" in payer.text
    assert tried() == 1  # the one by hand
    payer.send(method="card")
    assert "Amount $30.00" in payer.text


@pytest.mark.parametrize("ends", ["paid", "void"])
def test_where_nothing_is_left_there_is_nothing_to_send(
    ends: str, payer: Payer, invoice: Invoice, clock: Clock
) -> None:
    payer.open("payments/new")
    payer.send(method="card")
    if ends == "paid":
        Payment.record(invoice, clock.now, "test", received_on=clock.now.date())
    else:
        moments.void(invoice, clock.now, "test")

    assert payer.send(sandbox_outcome="4242").status_code == 409
    assert "Nothing is left to pay" in payer.text
    assert payer.open("payments/new").status_code == 200
    assert payer.forms == []


def test_a_link_that_was_revoked_meanwhile_charges_nothing(
    payer: Payer, invoice: Invoice, clock: Clock, tried: Callable[[], int]
) -> None:
    payer.open("payments/new")
    payer.send(method="card")
    link = Link.of_invoice(invoice.id)
    assert link
    link.revoke(clock.now, "test")

    assert payer.send(sandbox_outcome="4242").status_code == 410
    assert tried() == 0


def test_a_payment_that_is_on_its_way_leaves_nothing_to_send(payer: Payer, tried: Callable[[], int]) -> None:
    payer.open("payments/new")
    payer.send(method="us_bank_account")
    form, now = payer.forms[0], payer.now
    payer.send(form, sandbox_outcome="settles")
    payer.now = now

    assert payer.send(form, sandbox_outcome="settles").status_code == 409
    assert "$40.00 of invoice" in payer.text
    assert "is on its way. See how it is going" in payer.text
    assert tried() == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("12,00", "Write the amount in USD as a number"),
        ("-1", "The amount must be above zero."),
        ("0", "The amount must be above zero."),
        ("40.01", "That is more than the $40.00 that is left to pay."),
        ("9.99", "A part must be at least $10.00."),
        ("39.75", "Pay at most $39.50, or all of $40.00."),
        ("1e1", "Write the amount in USD as a number"),
        ("NaN", "Write the amount in USD as a number"),
        ("9" * 60, "Write the amount in USD as a number"),
    ],
)
def test_an_amount_that_cannot_be_paid_is_said_and_stays_as_it_was_typed(
    typed: str, said: str, acme: Account, payer: Payer, clock: Clock, tried: Callable[[], int]
) -> None:
    acme.configure({"partial_payments": {"allowed": True, "minimum": "10.00"}}, clock.now, "test")
    payer.open("payments/new")
    payer.send(method="card")
    pay, amount = payer.forms

    for form, more in ((pay, {"sandbox_outcome": "4242"}), (amount, {})):
        form.action = payer.now
        answer = payer.send(form, amount=typed, **more)
        assert answer.status_code == 422
        assert said in payer.text
        assert f'value="{typed}"' in answer.text
    assert tried() == 0


def test_who_sends_the_first_form_of_each_step_as_it_stands_pays_all(
    acme: Account, payer: Payer, invoice: Invoice, clock: Clock
) -> None:
    acme.configure({"partial_payments": {"allowed": True, "minimum": None}}, clock.now, "test")
    payer.open("payments/new")
    payer.send()
    payer.send()
    payer.follow()

    assert Invoice.get_by_id(invoice.id).status == "paid"


def test_a_part_is_paid_and_then_the_rest(acme: Account, payer: Payer, invoice: Invoice, clock: Clock) -> None:
    acme.configure({"partial_payments": {"allowed": True, "minimum": "10.00"}}, clock.now, "test")
    payer.open("payments/new")
    payer.send(method="card")
    payer.send(1, amount="12.5")
    assert "Amount $12.50 of $40.00; $27.50 stays to be paid" in payer.text

    payer.send(0, sandbox_outcome="4242")
    payer.follow()

    assert Invoice.get_by_id(invoice.id).remaining() == 2750
    payer.open("payments/new")
    assert "To pay $27.50" in payer.text


def test_where_parts_are_not_allowed_no_other_amount_is_paid(payer: Payer, tried: Callable[[], int]) -> None:
    payer.open("payments/new")
    payer.send(method="card")
    assert "Pay another amount" not in payer.text

    assert payer.send(amount="12.50", sandbox_outcome="4242").status_code == 422
    assert "This can only be paid in full: $40.00." in payer.text
    assert tried() == 0


def test_what_the_gateway_needs_has_to_be_filled_in(payer: Payer, tried: Callable[[], int]) -> None:
    payer.open("payments/new")
    payer.send(method="card")

    assert payer.send(sandbox_outcome=None, save="yes").status_code == 422
    assert "Something is missing" in payer.text
    assert tried() == 0


def test_a_bank_transfer_is_shown_and_begins_nothing(
    acme: Account, payer: Payer, invoice: Invoice, clock: Clock, tried: Callable[[], int]
) -> None:
    acme.configure({"bank_accounts": [BANK]}, clock.now, "test")
    payer.open("payments/new")

    assert payer.send(method="bank_transfer").status_code == 200

    assert "Account number 000123456789 Routing number 110000000 Amount $40.00" in payer.text
    assert f"Reference {invoice.number}" in payer.text
    assert tried() == 0


def test_nobody_is_sent_to_a_gateway_of_the_other_mode(payer: Payer, invoice: Invoice) -> None:
    payer.open()
    assert "Pay" in payer.text.split("From")[0].split()

    Account.update(mode="live").where(Account.id == invoice.account_id).execute()

    payer.open()
    assert "Pay" not in payer.text.split("From")[0].split()


def test_who_tries_card_after_card_has_to_wait(
    given: Given, payer: Payer, customer: Customer, invoice: Invoice
) -> None:
    payer.pay(outcome="0002")
    (first,) = Payment.select().where(Payment.customer == customer)
    row = {name: getattr(first, name) for name in first._meta.fields if name not in ("id", "gateway_ref")}
    for _ in range(9):
        Payment.create(**row)
    payer.open("payments/new")
    payer.send(method="card")

    answer = payer.send(sandbox_outcome="4242")

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "Many payments were tried here" in payer.text
    assert Invoice.get_by_id(invoice.id).status == "issued"


def test_where_no_answer_comes_nobody_is_asked_to_pay_again(payer: Payer) -> None:
    payer.open("payments/new")
    payer.send(method="card")
    payer.client.application.extensions["portal"].gateway._address = lambda: "http://127.0.0.1:9"

    payer.send(sandbox_outcome="4242")
    payer.follow()

    assert "We are confirming your payment" in payer.text
    assert "Do not pay again" in payer.text
    payer.open("payments/new")
    assert payer.forms == []


def test_the_form_is_never_compressed_with_its_stamp(payer: Payer) -> None:
    answer = payer.open("payments/new", headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in answer.headers
    assert b"stamp" in answer.data


def test_no_page_of_an_invoice_holds_a_stamp(payer: Payer) -> None:
    page = payer.open().text

    assert 'href="./payments/new"' in page
    assert "stamp" not in page


def test_a_stored_method_is_no_way_to_pay_through_an_invoice_link(
    payer: Payer, customer: Customer, tried: Callable[[], int]
) -> None:
    payer.open("payments/new")
    payer.send(method="card")

    for step in ("stored", "confirm"):
        payer.open("payments/new")
        payer.send(method="card")
        assert payer.send(step=step, saved="anything", sandbox_outcome="4242").status_code == 422
    assert tried() == 0


def test_nobody_reaches_the_form_of_a_draft(payer: Payer, given: Given, customer: Customer) -> None:
    draft = given.invoice(customer, issued=False)
    link = Link.of_customer(customer.id)
    assert link

    assert payer.client.get(f"{given.url(link)}invoices/{draft.id}/payments/new").status_code == 404


def test_a_payment_is_written_in_the_payers_own_hand(
    client: FlaskClient, given: Given, acme: Account, clock: Clock
) -> None:
    acme.configure({"partial_payments": {"allowed": True, "minimum": None}}, clock.now, "test")
    invoice = given.invoice(given.customer(acme, locale="de-DE"))
    link = Link.of_invoice(invoice.id)
    assert link
    payer = Payer(client, given.url(link))
    payer.open("payments/new")
    payer.send(method="card")

    payer.send(1, amount="12,50")

    assert "Amount 12,50\xa0$ of 40,00\xa0$" in payer.text.replace("12,50 $", "12,50\xa0$").replace(
        "40,00 $", "40,00\xa0$"
    )
    assert dict(payer.forms[0].fields)["amount"] == "12,50"
