"""An invoice is paid by the customer's default method: once, outside any transaction, and never while another is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.api import idempotency, paying
from portal.models.account import Account, ApiKey
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.payment import Allocation, Payment
from tests import attempts
from tests.api import bank as banks
from tests.api.bank import Bank
from tests.api.conftest import Call, problem
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries
from tests.web.conftest import queries as queries

CONSTRAINT = "400-constraint-violation"
STAMP = "2026-11-23T12:00:00+00:00"
KEY = {"headers": {"Idempotency-Key": "k-1"}}


@pytest.fixture
def bank(app: Flask) -> Bank:
    return banks.opened(app)


@pytest.fixture
def invoice(given: Given, customer: Customer) -> Invoice:
    return given.invoice(customer)


@pytest.fixture
def pay(call: Call, bank: Bank, invoice: Invoice, customer: Customer, clock: Clock) -> Callable[..., TestResponse]:
    """Asks to have the invoice paid, by a card that is saved."""
    banks.keep(customer, clock.now)

    def ask(body: Any = None, **more: Any) -> TestResponse:
        return call("POST", f"/invoices/{invoice.id}/pay", body, **more)

    return ask


def payments(invoice: Invoice) -> list[Payment]:
    return list(Payment.select().join(Allocation).where(Allocation.invoice == invoice.id).order_by(Payment.created_at))


def test_the_default_method_is_charged_and_the_answer_is_the_invoice_as_it_is_then(
    pay: Any, bank: Bank, invoice: Invoice
) -> None:
    paid = pay({}).get_json()

    (order,) = bank.orders
    assert (order.amount, order.currency, order.method, order.present) == (4000, "USD", "card", False)
    assert order.saved_ref == f"pm_{invoice.customer_id}"
    assert order.notify_url == "http://127.0.0.1:8000/webhooks/sandbox"
    assert (paid["status"], paid["amount_remaining"], paid["paid_at"]) == ("paid", "0.00", STAMP)
    assert (paid["payment_started_at"], paid["payment_failed_at"]) == (STAMP, None)
    (attempt,) = paid["payment_attempts"]
    assert attempt == {
        "id": payments(invoice)[0].id,
        "amount": "40.00",
        "created_at": STAMP,
        "payment_provider": None,
        "payment_provider_id": f"ref_{payments(invoice)[0].id}",
        "receipt_pdf": None,
        "succeeded": True,
    }


def test_money_that_is_on_its_way_is_neither_paid_nor_failed(pay: Any, bank: Bank) -> None:
    bank.stage = "processing"

    going = pay().get_json()

    assert (going["status"], going["amount_remaining"], going["paid_at"]) == ("issued", "40.00", None)
    assert (going["payment_started_at"], going["payment_failed_at"]) == (STAMP, None)
    assert going["payment_attempts"][0]["succeeded"] is False


@pytest.mark.parametrize("stage", ["begun", "action", "processing"])
def test_nothing_else_settles_it_while_money_is_on_its_way(
    pay: Any, call: Call, bank: Bank, invoice: Invoice, stage: str
) -> None:
    bank.stage, bank.answers = ("processing" if stage == "begun" else stage), stage != "begun"  # type: ignore[assignment]  # one of them
    assert pay().status_code == 200
    assert [one.stage for one in payments(invoice)] == [stage]

    for deed, body in (("pay", {}), ("mark_paid", {"payment_received_date": "2026-11-23"}), ("void", {})):
        refused = call("POST", f"/invoices/{invoice.id}/{deed}", body)
        assert "on its way" in problem(refused, 400, CONSTRAINT), deed
    assert len(bank.orders) == 1


def test_a_declined_attempt_is_told_and_leaves_the_invoice_to_another(pay: Any, bank: Bank, clock: Clock) -> None:
    bank.stage, bank.failure = "failed", "insufficient_funds"
    declined = pay().get_json()
    clock.advance(hours=1)
    bank.stage, bank.failure = "succeeded", None
    paid = pay().get_json()

    assert (declined["status"], declined["payment_failed_at"]) == ("issued", STAMP)
    assert [one["succeeded"] for one in paid["payment_attempts"]] == [False, True]
    assert (paid["payment_started_at"], paid["payment_failed_at"]) == ("2026-11-23T13:00:00+00:00", STAMP)


def test_what_the_gateway_refuses_outright_is_a_failed_attempt(pay: Any, bank: Bank) -> None:
    bank.refuses = True

    refused = pay().get_json()

    assert (refused["status"], refused["payment_failed_at"]) == ("issued", STAMP)
    assert refused["payment_attempts"][0]["payment_provider_id"] is None


def test_a_return_takes_paid_at_away_and_is_no_success_any_more(
    pay: Any, call: Call, bank: Bank, invoice: Invoice, clock: Clock
) -> None:
    pay()
    clock.advance(days=3)

    attempts.tell(attempts.dispute(payments(invoice)[0], "lost", 4000, is_return=True), clock.now)

    after = call("GET", f"/invoices/{invoice.id}").get_json()
    assert (after["status"], after["paid_at"], after["amount_remaining"]) == ("issued", None, "40.00")
    assert after["payment_failed_at"] == "2026-11-26T12:00:00+00:00"
    assert after["payment_attempts"][0]["succeeded"] is False


def test_a_payment_that_was_given_up_is_no_longer_on_its_way(
    pay: Any, call: Call, bank: Bank, invoice: Invoice
) -> None:
    bank.stage = "action"
    pay()
    attempts.tell(attempts.of(payments(invoice)[0], "canceled"), payments(invoice)[0].created_at)

    after = call("GET", f"/invoices/{invoice.id}").get_json()

    assert (after["payment_started_at"], after["payment_failed_at"]) == (STAMP, STAMP)
    bank.stage = "succeeded"
    assert pay().get_json()["status"] == "paid"


def test_without_a_default_method_it_says_so(call: Call, bank: Bank, invoice: Invoice) -> None:
    said = problem(call("POST", f"/invoices/{invoice.id}/pay"), 400, CONSTRAINT)

    assert said == "This customer has no default payment method: she saves one when she pays in her portal."
    assert payments(invoice) == []


def test_without_a_gateway_it_says_so(call: Call, invoice: Invoice) -> None:
    assert "PORTAL_GATEWAY" in problem(call("POST", f"/invoices/{invoice.id}/pay"), 400, CONSTRAINT)


def test_play_money_pays_nothing_of_a_live_account(
    call: Call, bank: Bank, given: Given, clock: Clock, app: Flask
) -> None:
    live = Account.open("Live", clock.now, mode="live", by="test", support_email="help@live.example")
    customer = given.customer(live)
    banks.keep(customer, clock.now)
    key = ApiKey.mint(live, clock.now, by="test")[1]

    said = problem(call("POST", f"/invoices/{given.invoice(customer).id}/pay", key=key), 400, CONSTRAINT)

    assert said == "The gateway that is set up here moves play money, and this account is in live mode."
    assert bank.orders == []


@pytest.mark.parametrize("status", ["draft", "void", "paid", "synced"])
def test_only_an_issued_invoice_is_paid(
    call: Call, bank: Bank, given: Given, customer: Customer, clock: Clock, status: str
) -> None:
    banks.keep(customer, clock.now)
    invoice = given.invoice(customer, issued=status != "draft")
    if status != "draft":
        Invoice.update(status=status).where(Invoice.id == invoice.id).execute()

    said = problem(call("POST", f"/invoices/{invoice.id}/pay"), 400, CONSTRAINT)

    assert said == f"Only an issued invoice can be paid; this one is {status}."


def test_a_token_of_an_agent_is_refused_and_nothing_charged(pay: Any, bank: Bank) -> None:
    said = problem(pay({"shared_payment_token_id": "spt_1"}), 400, CONSTRAINT)

    assert "leave shared_payment_token_id out" in said
    assert bank.orders == []
    assert pay({"shared_payment_token_id": None}).status_code == 200


def test_a_default_method_that_the_invoice_does_not_allow_is_not_charged(
    pay: Any, call: Call, bank: Bank, invoice: Invoice
) -> None:
    call("PUT", f"/invoices/{invoice.id}", {"payment_methods": ["us_bank_account"]})

    assert "not accepted for this invoice" in problem(pay(), 400, CONSTRAINT)
    assert bank.orders == []


# Once a key, whatever breaks.


def test_the_same_key_charges_once_and_is_answered_the_same(pay: Any, bank: Bank, invoice: Invoice) -> None:
    first, second = pay({}, **KEY), pay({}, **KEY)

    assert first.data == second.data
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(bank.orders) == len(payments(invoice)) == 1


@pytest.mark.parametrize("broken", ["before the gateway", "after the gateway"])
def test_what_breaks_in_the_middle_is_gone_on_with(
    pay: Any, bank: Bank, invoice: Invoice, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    module, name = (paying.taking, "ask") if broken.startswith("before") else (paying.invoice_shapes, "invoice")
    with monkeypatch.context() as patch:
        patch.setattr(module, name, lambda *_, **__: 1 / 0)
        assert pay({}, **KEY).status_code == 500
    again = pay({}, **KEY)

    assert (again.status_code, again.get_json()["status"]) == (200, "paid")
    assert len(bank.orders) == len(payments(invoice)) == 1


def test_a_process_that_dies_in_the_middle_leaves_its_payment_to_the_key(
    pay: Any, bank: Bank, invoice: Invoice, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "_let_go", lambda _: None)
        patch.setattr(paying.taking, "ask", lambda *_: 1 / 0)
        pay({}, **KEY)

    assert "being carried out" in problem(pay({}, **KEY), 409, "409-resource-conflict")
    problem(pay({"shared_payment_token_id": None}, **KEY), 409, "409-resource-conflict")
    clock.advance(seconds=61)
    assert pay({}, **KEY).get_json()["status"] == "paid"
    assert pay({}, **KEY).headers["Idempotent-Replayed"] == "true"
    assert len(bank.orders) == len(payments(invoice)) == 1


def test_who_was_taken_over_begins_nothing(
    pay: Any, bank: Bank, invoice: Invoice, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that stands still for so long that another takes its key over finds that out before it begins."""
    charge = paying._charge

    def late(*given: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(paying, "_charge", charge)
            idempotency.Idempotency.update(locked_at=idempotency.Idempotency.locked_at + 1).execute()
        return charge(*given)

    with monkeypatch.context() as patch:
        patch.setattr(paying, "_charge", late)
        problem(pay({}, **KEY), 409, "409-resource-conflict")

    assert payments(invoice) == []
    assert bank.orders == []


def test_a_refusal_sets_the_key_free(pay: Any, call: Call, bank: Bank, invoice: Invoice) -> None:
    call("PUT", f"/invoices/{invoice.id}", {"payment_methods": ["us_bank_account"]})
    assert pay({}, **KEY).status_code == 400
    call("PUT", f"/invoices/{invoice.id}", {"payment_methods": None})

    assert pay({}, **KEY).get_json()["status"] == "paid"


def test_of_many_who_ask_at_once_one_is_charged(
    live: str, acme_key: str, bank: Bank, invoice: Invoice, customer: Customer, clock: Clock
) -> None:
    """Without a key the others are refused; with one they hear what came of it, or are told to ask again."""
    banks.keep(customer, clock.now)
    statuses: list[int] = []
    start = threading.Barrier(4)

    def ask(headers: dict[str, str]) -> None:
        start.wait()
        authorized = {"Authorization": f"Bearer {acme_key}", **headers}
        statuses.append(httpx.post(f"{live}/v1/invoices/{invoice.id}/pay", headers=authorized, timeout=30).status_code)

    asked = [threading.Thread(target=ask, args=({"Idempotency-Key": "k-1"} if n % 2 else {},)) for n in range(4)]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join()

    assert set(statuses) <= {200, 400, 409}
    assert 200 in statuses
    assert len(bank.orders) == len(payments(invoice)) == 1


# What is planned, and how much it costs to say so.


def test_an_invoice_is_planned_at_issue_as_its_draft_was_left(call: Call, given: Given, customer: Customer) -> None:
    draft = given.invoice(customer, issued=False)
    before = call("PUT", f"/invoices/{draft.id}", {"auto_collection": True, "due_date": "2026-12-24"}).get_json()

    issued = call("POST", f"/invoices/{draft.id}/issue").get_json()

    nothing = {"next_attempt_at": None, "num_attempts": None, "previously_attempted_at": None}
    planned = {"next_attempt_at": "2026-12-24T05:00:00+00:00", "num_attempts": 0, "previously_attempted_at": None}
    assert before["auto_collection"] == {"enabled": True, **nothing}
    assert issued["auto_collection"] == {"enabled": True, **planned}


def test_one_that_is_not_to_be_collected_is_not_planned(call: Call, given: Given, customer: Customer) -> None:
    draft = given.invoice(customer, issued=False, auto_collection=True)
    call("PUT", f"/invoices/{draft.id}", {"auto_collection": False})

    issued = call("POST", f"/invoices/{draft.id}/issue").get_json()

    assert issued["auto_collection"]["enabled"] is False
    assert issued["auto_collection"]["next_attempt_at"] is None


def test_once_it_is_paid_nothing_is_planned_any_more(call: Call, given: Given, customer: Customer) -> None:
    invoice = given.invoice(customer, auto_collection=True)
    paid = call("POST", f"/invoices/{invoice.id}/mark_paid", {"payment_received_date": "2026-11-23"}).get_json()

    assert paid["auto_collection"]["next_attempt_at"] is None
    assert paid["payment_attempts"] == []  # what came in by other ways was not attempted


def test_a_list_asks_as_much_for_one_paid_invoice_as_for_many(
    call: Call, given: Given, customer: Customer, clock: Clock, queries: Queries
) -> None:
    counts = []
    for more in (1, 5):
        for _ in range(more):
            attempts.paid(given.invoice(customer, auto_collection=True), now=clock.now)
        with queries() as made:
            assert len(call("GET", "/invoices?limit=100").get_json()["data"]) >= more
        counts.append(len(made))

    assert counts[0] == counts[1] == 8  # the key, the list, links, settled, moves, notes, attempts, plans
