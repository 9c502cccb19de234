"""The page of a payment: how it is going, in words that tell what to do; who may see it, and how long it asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient

from portal.cashier import hearing
from portal.gateways import FAILURES, Action, DisputeNews, PaymentNews, RefundNews
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from portal.web import payment_page
from tests.conftest import Clock
from tests.given import Given
from tests.sandbox import Sandbox
from tests.web.paying import Payer
from tests.web.paying import customer as customer
from tests.web.paying import invoice as invoice
from tests.web.paying import payer as payer
from tests.web.paying import settings as settings

HTMX = {"HX-Request": "true"}


@pytest.fixture
def latest(customer: Customer) -> Callable[[], Payment]:
    """The customer's newest payment."""
    query = Payment.select().where(Payment.customer == customer).order_by(Payment.created_at.desc())
    return lambda: query.get()


@pytest.fixture
def tell(clock: Clock, latest: Callable[[], Payment]) -> Callable[..., None]:
    """The gateway says where the customer's newest payment stands."""

    def told(stage: str, **more: Any) -> None:
        row = latest()
        named = {"amount": row.amount, "currency": row.currency, "live": False, "stage": stage, **more}
        news = PaymentNews(ref=row.gateway_ref or "late", payment_id=row.id, **named)
        hearing.apply("sandbox", news, clock.now, "test")

    return told


def test_a_debit_is_on_its_way_and_then_paid(payer: Payer, invoice: Invoice, tell: Callable[..., None]) -> None:
    payer.pay("us_bank_account", "settles")
    assert "Your payment is on its way" in payer.text
    assert "That usually takes 4 business days" in payer.text
    here = payer.now
    payer.open()
    assert "Processing" in payer.text
    assert "$40.00 is on its way, usually for 4 business days. See how it is going" in payer.text
    assert "payments/new" not in payer.page.text if payer.page else False

    tell("succeeded")

    payer.open(here)
    assert "Receipt Paid to Acme" in payer.text
    payer.open()
    assert "Nothing left to pay" in payer.text
    assert "Bank account (ACH) · Receipt" in payer.text


@pytest.mark.parametrize("failure", FAILURES)
def test_every_reason_of_a_failure_has_a_sentence_and_a_way_on(
    failure: str, payer: Payer, tell: Callable[..., None]
) -> None:
    payer.pay("us_bank_account", "settles")
    here = payer.now

    tell("failed", failure=failure)

    payer.open(here)
    sentence = re.search(
        r"This payment failed Payment failed Amount \$40.00 (.+?) Nothing was charged. Try again", payer.text
    )
    assert sentence
    assert len(sentence[1]) > 30
    payer.open()
    assert f"A payment of $40.00 failed: {sentence[1]} See what happened Pay again" in payer.text


def test_a_step_of_the_bank_leads_there_and_back(payer: Payer, latest: Callable[[], Payment], sandbox: Sandbox) -> None:
    payer.pay(outcome="3155")

    assert "Please confirm this payment" in payer.text
    assert payer.page
    way_out = re.search(r'href="([^"]+)" rel="noreferrer">Confirm with your bank', payer.page.text)
    assert way_out
    address, _, back = way_out[1].partition("?return=")
    assert address.startswith(f"{sandbox.url}/confirm/")
    assert back.endswith(f"payments%2F{latest().id}")
    payer.open()
    assert "A payment of $40.00 waits for you to confirm it. Confirm the payment" in payer.text


def test_two_small_amounts_are_told_at_the_gateway(payer: Payer) -> None:
    payer.pay("us_bank_account", "micro_deposits")

    assert "Two small amounts are on their way to your bank account" in payer.text
    assert "Tell the two amounts" in payer.text


def test_a_payment_that_waits_can_be_given_up_and_another_begun(
    payer: Payer, latest: Callable[[], Payment], sandbox: Sandbox
) -> None:
    payer.pay(outcome="3155")

    assert payer.send().status_code == 303
    payer.follow()

    assert "This payment was given up" in payer.text
    assert "Nothing was charged." in payer.text
    assert [one["stage"] for one in sandbox.payments(latest().id)] == ["canceled"]
    payer.pay()
    assert "Receipt" in payer.text


def test_giving_up_needs_the_stamp_of_this_very_link(
    payer: Payer, client: FlaskClient, given: Given, customer: Customer, latest: Callable[[], Payment]
) -> None:
    payer.pay(outcome="3155")
    here, (form,) = payer.now, payer.forms
    link = Link.of_customer(customer.id)
    assert link
    other = Payer(client, given.url(link))

    assert payer.client.post(here).status_code == 403
    assert payer.client.post(here, data=form.filled(), headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post(f"{other.address}payments/{latest().id}", data=form.filled()).status_code == 403
    assert latest().stage == "action"
    other.open(f"payments/{latest().id}")
    other.send()
    assert latest().stage == "canceled"


def test_a_second_click_on_giving_up_leads_to_what_the_first_one_did(payer: Payer) -> None:
    payer.pay(outcome="3155")
    here, (form,) = payer.now, payer.forms

    answers = [payer.client.post(here, data=form.filled()) for _ in range(2)]

    assert [one.status_code for one in answers] == [303, 303]
    assert "This payment was given up" in payer.open(here).text


def test_what_has_moved_on_cannot_be_given_up(
    payer: Payer, tell: Callable[..., None], latest: Callable[[], Payment]
) -> None:
    payer.pay(outcome="3155")
    tell("processing")

    assert payer.send().status_code == 409

    assert "can no longer be given up" in payer.text
    assert latest().stage == "processing"


def test_an_open_page_asks_less_and_less_often_and_then_no_more(payer: Payer) -> None:
    payer.pay("us_bank_account", "settles")
    asked, pauses = payer.page.text if payer.page else "", []
    while found := re.search(r'hx-get="([^"]+)" hx-trigger="load delay:(\d+)s, every 90s"', asked):
        pauses.append(int(found[2]))
        answer = payer.open(urljoin(payer.now, found[1].replace("&amp;", "&")), headers=HTMX)
        asked = answer.text
        assert answer.status_code == 200
        assert "HX-Retarget" not in answer.headers
        assert 'id="pf-payment-wait"' in asked
        assert 'id="pf-payment"' not in asked

    assert tuple(pauses) == payment_page.PAUSES
    assert pauses == sorted(pauses)
    assert 300 <= sum(pauses) <= 900  # seconds
    assert "Look again" in asked


def test_a_page_that_asks_is_told_when_something_has_happened_and_asks_no_more(
    payer: Payer, tell: Callable[..., None]
) -> None:
    payer.pay("us_bank_account", "settles")
    here = payer.now
    tell("succeeded")

    answer = payer.open(f"{here}?known=processing&asked=1", headers=HTMX)

    assert answer.headers["HX-Retarget"] == "#pf-payment"
    assert 'data-said="Paid: $40.00"' in answer.text
    assert "hx-get" not in answer.text


@pytest.mark.parametrize("asked", ["-1", "x", "9999999999", "", "٣"])
def test_a_strange_count_of_askings_ends_them(asked: str, payer: Payer) -> None:
    payer.pay("us_bank_account", "settles")

    answer = payer.open(f"{payer.now}?known=processing&asked={asked}", headers=HTMX)

    assert answer.status_code == 200
    assert "hx-get" not in answer.text


def test_looking_changes_nothing_even_where_the_gateway_knows_more(
    payer: Payer, latest: Callable[[], Payment], sandbox: Sandbox
) -> None:
    payer.pay(outcome="3155")
    client = sandbox.gateway
    client.cancel(str(latest().gateway_ref))

    payer.open(payer.now)

    assert "We are confirming your payment" in payer.text
    assert latest().stage == "action"


def test_a_payment_made_through_another_link_names_no_method_that_may_be_stored(
    client: FlaskClient, given: Given, customer: Customer, invoice: Invoice, payer: Payer, latest: Callable[[], Payment]
) -> None:
    link = Link.of_customer(customer.id)
    assert link
    other = Payer(client, given.url(link))
    other.pay(tail=f"invoices/{invoice.id}/")
    assert "Visa ending in 4242" in other.text

    payer.open(f"payments/{latest().id}")
    assert "How Card Amount" in payer.text
    for page in (payer.text, payer.open().text, payer.open("invoice.json").text):
        assert "4242" not in page
    other.open(f"invoices/{invoice.id}/")
    assert "Visa ending in 4242" in other.text


def test_a_payment_is_there_only_for_links_that_reach_one_of_its_invoices(
    client: FlaskClient, given: Given, acme: Account, customer: Customer, payer: Payer, latest: Callable[[], Payment]
) -> None:
    payer.pay()
    own, foreign = given.invoice(customer), given.invoice(given.customer(acme))
    for one in (own, foreign):
        link = Link.of_invoice(one.id)
        assert link
        there, nowhere = (client.get(f"{given.url(link)}payments/{id}") for id in (latest().id, "0" * 16))
        assert (there.status_code, there.data) == (404, nowhere.data)
    link = Link.of_customer(foreign.customer_id)
    assert link
    assert client.get(f"{given.url(link)}payments/{latest().id}").status_code == 404


def test_what_was_taken_back_is_asked_for_again(
    payer: Payer, invoice: Invoice, latest: Callable[[], Payment], clock: Clock
) -> None:
    payer.pay()
    here, row = payer.now, latest()
    news = DisputeNews("dp_1", str(row.gateway_ref), row.id, "lost", 4000, "USD", False, "R10", is_return=True)
    hearing.apply("sandbox", news, clock.now, "test")

    payer.open(here)
    assert "The bank took the money back after it had come, so it is to be paid again. Pay again" in payer.text
    payer.open()
    assert "Payments received -$40.00 Taken back by the bank $40.00 Left to pay $40.00" in payer.text
    assert "Taken back Nov 23, 2026 $40.00 · Card" in payer.text
    assert "The bank took $40.00 back" in payer.text
    payer.pay()
    assert Invoice.get_by_id(invoice.id).status == "paid"


def test_a_refund_is_told_and_asks_for_nothing(payer: Payer, latest: Callable[[], Payment], clock: Clock) -> None:
    payer.pay()
    here, row = payer.now, latest()
    news = RefundNews("re_1", str(row.gateway_ref), row.id, None, "succeeded", 1500, "USD", False)
    hearing.apply("sandbox", news, clock.now, "test")

    payer.open(here)
    assert "Refunded $15.00" in payer.text
    payer.open()
    assert "Payments received -$40.00 Refunded $15.00 Refunded, and not asked for again -$15.00" in payer.text
    assert "Nothing left to pay" in payer.text
    assert "Refunded Nov 23, 2026 $15.00" in payer.text
    answer = payer.open("invoice.json")
    assert answer.json
    assert answer.json["payment_movements"] == [
        {"kind": "refunded", "amount": "-15.00"},
        {"kind": "written_off", "amount": "15.00"},
    ]


@pytest.fixture
def session(client: FlaskClient, given: Given, customer: Customer, clock: Clock, kid: str) -> Payer:
    return Payer(client, given.url(Link.start_session(customer, clock.now, kid, "test")))


def test_who_comes_back_after_her_session_reads_amount_and_status_and_nothing_else(
    session: Payer, invoice: Invoice, clock: Clock, customer: Customer
) -> None:
    session.pay(outcome="3155", tail=f"invoices/{invoice.id}/")
    here = session.now
    clock.advance(minutes=61)

    answer = session.open(here)

    assert answer.status_code == 200
    assert "We are confirming your payment $40.00 Your session has expired" in session.text
    main = answer.text.split('<main id="main">')[1].split("</main>")[0]
    assert {urljoin(here, link) for link in re.findall(r'href="([^"]*)"', main)} == {here}  # to look again
    assert "<form" not in main
    assert customer.name not in answer.text
    assert str(invoice.number) not in answer.text
    assert session.open(here, headers=HTMX).headers["HX-Retarget"] == "#pf-payment"
    assert session.client.post(here).status_code == 410
    assert session.open(f"invoices/{invoice.id}/").status_code == 410
    clock.advance(hours=23)
    assert session.open(here).status_code == 410


def test_a_session_that_was_ended_or_another_one_reads_nothing(
    session: Payer, client: FlaskClient, given: Given, invoice: Invoice, clock: Clock, customer: Customer, kid: str
) -> None:
    session.pay(outcome="3155", tail=f"invoices/{invoice.id}/")
    tail = session.now.split("/", 3)[3]
    row = Link.live_sessions(customer.id, clock.now).get()
    other = given.url(Link.start_session(customer, clock.now, kid, "test", invalidate_existing=False))
    clock.advance(minutes=61)
    assert client.get(other + tail).status_code == 410
    assert client.get(session.address + tail).status_code == 200

    Link.update(ended_at=clock.now, ended_by="test", ended_how="revoked").where(Link.id == row.id).execute()

    assert client.get(session.address + tail).status_code == 410


def test_where_the_gateway_does_not_answer_the_page_still_tells_how_it_stands(payer: Payer) -> None:
    payer.pay(outcome="3155")
    payer.client.application.extensions["portal"].gateway._address = lambda: "http://127.0.0.1:9"

    assert payer.open(payer.now).status_code == 200
    assert "We are confirming your payment" in payer.text
    assert payer.send().status_code == 503
    assert "It could not be given up just now." in payer.text
    payer.client.application.extensions["portal"].gateway = None
    assert payer.open(payer.now).status_code == 200
    assert payer.send().status_code == 409


def test_the_gateways_page_is_never_asked_for_more_than_it_says() -> None:
    row = Payment(gateway="stripe")

    assert payment_page._way_out(row, Action("page", "https://hooks.example/x")) == "https://hooks.example/x"
    assert payment_page._way_out(row, Action("script", secret="s")) is None
