"""Payments as programs see them: listed, looked into, refunded once, given up; and the methods that are saved."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from portal.api import refunds
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.payment import Payment
from portal.models.refund import Refund
from portal.models.saved_method import Payer, SavedMethod
from tests import attempts
from tests.api import bank as banks
from tests.api.bank import Bank
from tests.api.conftest import Call, problem
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries
from tests.web.conftest import queries as queries

CONSTRAINT = "400-constraint-violation"
INVALID = "400-request-validation-errors"
KEY = {"headers": {"Idempotency-Key": "k-1"}}


@pytest.fixture
def bank(app: Flask) -> Bank:
    return banks.opened(app)


@pytest.fixture
def invoices(given: Given, customer: Customer) -> list[Invoice]:
    """Of 40.00 each, in the order of their ids."""
    return sorted((given.invoice(customer) for _ in range(2)), key=lambda invoice: invoice.id)


@pytest.fixture
def paid(invoices: list[Invoice], clock: Clock) -> Payment:
    """One payment of both."""
    return attempts.paid(*invoices, now=clock.now)


def refunded(payment: Payment) -> list[Refund]:
    return list(Refund.select().where(Refund.payment == payment.id))


# Looking.


def test_a_payment_tells_whose_share_is_what(call: Call, paid: Payment, invoices: list[Invoice]) -> None:
    told = call("GET", f"/payments/{paid.id}").get_json()

    assert (told["stage"], told["amount"], told["gateway"], told["method"]) == ("succeeded", "80.00", "sandbox", "card")
    assert told["allocations"] == [
        {"invoice_id": one.id, "invoice_number": one.number, "amount": "40.00", "returned": False} for one in invoices
    ]
    assert (told["refunds"], told["disputes"]) == ([], [])


def test_a_payment_by_hand_has_no_gateway(call: Call, invoices: list[Invoice]) -> None:
    received = {"payment_received_date": "2026-11-20", "external_id": "wire-7", "notes": "by hand"}
    call("POST", f"/invoices/{invoices[0].id}/mark_paid", received)

    (told,) = call("GET", "/payments").get_json()["data"]

    assert (told["gateway"], told["method"], told["received_on"]) == (None, None, "2026-11-20")
    assert (told["external_id"], told["notes"]) == ("wire-7", "by hand")


def test_a_dispute_and_a_refund_stand_with_their_payment(call: Call, paid: Payment, clock: Clock) -> None:
    attempts.tell(attempts.refund(paid, "succeeded", 1000), clock.now)
    attempts.tell(attempts.dispute(paid, "opened", 2000), clock.now)

    told = call("GET", f"/payments/{paid.id}").get_json()

    assert [(one["stage"], one["amount"]) for one in told["refunds"]] == [("succeeded", "10.00")]
    assert [(one["stage"], one["amount"], one["is_return"]) for one in told["disputes"]] == [("opened", "20.00", False)]


def test_payments_are_listed_newest_first_and_can_be_narrowed(
    call: Call, given: Given, acme: Account, bolt: Account, invoices: list[Invoice], clock: Clock
) -> None:
    others, theirs = given.invoice(given.customer(acme)), given.invoice(given.customer(bolt))
    first = attempts.paid(invoices[0], now=clock.now)
    clock.advance(minutes=1)
    second, third = (attempts.begin(one, now=clock.now) for one in (invoices[1], others))
    attempts.begin(theirs, now=clock.now)

    def ids(query: str = "") -> set[str]:
        return {one["id"] for one in call("GET", f"/payments{query}").get_json()["data"]}

    assert ids() == {first.id, second.id, third.id}
    assert call("GET", "/payments").get_json()["data"][-1]["id"] == first.id
    assert ids(f"?customer_id={invoices[0].customer_id}") == {first.id, second.id}
    assert ids(f"?invoice_id={others.id}") == {third.id}
    assert ids(f"?invoice_id={theirs.id}") == set()
    assert ids("?stage[]=succeeded&stage[]=failed") == {first.id}
    assert ids("?stage=begun") == {second.id, third.id}
    problem(call("GET", "/payments?stage[]=paid"), 400, INVALID)


def test_a_page_of_payments_asks_as_much_for_one_as_for_many(
    call: Call, given: Given, customer: Customer, clock: Clock, queries: Queries
) -> None:
    counts = []
    for more in (1, 4):
        for _ in range(more):
            attempts.paid(given.invoice(customer), now=clock.now)
        with queries() as made:
            call("GET", "/payments?limit=100")
        counts.append(len(made))

    assert counts[0] == counts[1] == 5  # the key, the list, allocations, refunds, disputes


# Refunds.


def test_a_refund_goes_out_and_the_invoice_stays_paid(
    call: Call, bank: Bank, paid: Payment, invoices: list[Invoice]
) -> None:
    made = call("POST", f"/payments/{paid.id}/refunds", {"amount": "10.00", "reason": "Two seats too many"})

    assert made.status_code == 201
    told = made.get_json()
    assert (told["stage"], told["amount"], told["reason"]) == ("succeeded", "10.00", "Two seats too many")
    assert bank.refunds == [(told["id"], paid.gateway_ref, 1000)]
    assert [attempts.left(one) for one in invoices] == [("paid", 0), ("paid", 0)]


def test_a_refund_may_name_its_allocations(call: Call, bank: Bank, paid: Payment, invoices: list[Invoice]) -> None:
    shares = [{"invoice_id": invoices[1].id, "amount": "25.00"}]

    told = call("POST", f"/payments/{paid.id}/refunds", {"allocations": shares}).get_json()

    assert (told["amount"], told["allocations"]) == ("25.00", shares)
    assert "15.00" in _too_much(call, paid, {"allocations": [{**shares[0], "amount": "15.01"}]})


def test_without_an_amount_all_that_is_left_goes_back(call: Call, bank: Bank, paid: Payment) -> None:
    call("POST", f"/payments/{paid.id}/refunds", {"amount": "30"})

    assert call("POST", f"/payments/{paid.id}/refunds").get_json()["amount"] == "50.00"
    assert "nothing" in _too_much(call, paid, {}).lower()


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ({"amount": "80.01"}, CONSTRAINT),
        ({"amount": "0"}, CONSTRAINT),
        ({"amount": "-1"}, CONSTRAINT),
        ({"amount": "0.001"}, INVALID),
        ({"amount": 10}, INVALID),
        ({"amount": "1e400"}, INVALID),
        ({"allocations": []}, INVALID),
        ({"allocations": [{"invoice_id": "x", "amount": "1"}]}, CONSTRAINT),
        ({"allocations": [{"invoice_id": "x", "amount": "1"}] * 2}, INVALID),
        ({"amount": "1", "allocations": [{"invoice_id": "x", "amount": "1"}]}, INVALID),
        ({"sum": "1"}, INVALID),
    ],
)
def test_what_cannot_be_refunded_is_refused_and_no_gateway_hears_of_it(
    call: Call, bank: Bank, paid: Payment, body: Any, fragment: str
) -> None:
    problem(call("POST", f"/payments/{paid.id}/refunds", body), 400, fragment)

    assert bank.refunds == []
    assert refunded(paid) == []


def test_what_no_gateway_took_is_not_refunded_through_one(
    call: Call, bank: Bank, invoices: list[Invoice], clock: Clock
) -> None:
    by_hand = Payment.record(invoices[0], clock.now, "test", received_on=clock.now.date())
    going = attempts.begin(invoices[1], now=clock.now)

    assert "by hand" in _too_much(call, by_hand, {})
    assert "collected" in _too_much(call, going, {})


def test_a_refund_that_the_gateway_refuses_has_failed_and_may_be_asked_for_again(
    call: Call, bank: Bank, paid: Payment
) -> None:
    bank.refuses = True
    assert call("POST", f"/payments/{paid.id}/refunds", {"amount": "80"}).get_json()["stage"] == "failed"

    bank.refuses = False
    assert call("POST", f"/payments/{paid.id}/refunds", {"amount": "80"}).get_json()["stage"] == "succeeded"


def test_a_refund_without_an_answer_has_begun_and_is_not_asked_for_twice(call: Call, bank: Bank, paid: Payment) -> None:
    bank.answers = False
    assert call("POST", f"/payments/{paid.id}/refunds", {"amount": "80"}).get_json()["stage"] == "begun"

    assert "nothing" in _too_much(call, paid, {}).lower()


@pytest.mark.parametrize("broken", ["before the gateway", "after the gateway"])
def test_a_key_refunds_once_whatever_breaks_in_the_middle(
    call: Call, bank: Bank, paid: Payment, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    module, name = (refunds.returning, "ask") if broken.startswith("before") else (refunds.payment_shapes, "refund")
    with monkeypatch.context() as patch:
        patch.setattr(module, name, lambda *_: 1 / 0)
        assert call("POST", f"/payments/{paid.id}/refunds", {"amount": "10"}, **KEY).status_code == 500

    first, second = (call("POST", f"/payments/{paid.id}/refunds", {"amount": "10"}, **KEY) for _ in range(2))

    assert (first.status_code, first.data) == (201, second.data)
    assert [one.amount for one in refunded(paid)] == [1000]
    assert len(bank.refunds) == 1


# Giving up.


def test_a_payment_that_waits_for_its_payer_can_be_given_up(
    call: Call, bank: Bank, invoices: list[Invoice], customer: Customer, clock: Clock
) -> None:
    banks.keep(customer, clock.now)
    bank.stage = "action"
    call("POST", f"/invoices/{invoices[0].id}/pay")
    (waiting,) = call("GET", "/payments").get_json()["data"]

    given_up = call("POST", f"/payments/{waiting['id']}/cancel").get_json()

    assert (waiting["stage"], given_up["stage"]) == ("action", "canceled")
    said = problem(call("POST", f"/payments/{waiting['id']}/cancel"), 400, CONSTRAINT)
    assert said.endswith("this one is canceled.")
    bank.stage = "succeeded"
    assert call("POST", f"/invoices/{invoices[0].id}/pay").get_json()["status"] == "paid"


def test_a_gateway_that_does_not_answer_keeps_the_payment_alive(
    call: Call, bank: Bank, invoices: list[Invoice], clock: Clock
) -> None:
    waiting = attempts.begin(invoices[0], now=clock.now)
    attempts.tell(attempts.of(waiting, "action"), clock.now)
    bank.answers = False

    refused = call("POST", f"/payments/{waiting.id}/cancel")

    assert (refused.status_code, refused.headers["Transient-Error"]) == (503, "true")
    assert call("GET", f"/payments/{waiting.id}").get_json()["stage"] == "action"


# Saved methods.


def test_saved_methods_are_brought_in_and_the_gateways_default_is_the_default(
    call: Call, bank: Bank, customer: Customer
) -> None:
    Payer.keep(customer.id, "sandbox", "cus_1")
    card = banks.Saved("pm_a", "card", "Visa ending in 4242", "2030-04")
    debit = banks.Saved("pm_b", "us_bank_account", "Bank account ending in 6789", is_default=True)
    bank.kept["cus_1"] = [card, debit]
    Customer.update(external_id="crm/1").where(Customer.id == customer.id).execute()

    synced = call("POST", f"/customers/{customer.id}/sync_payment_methods_from_gateway", **KEY)
    replayed = call("POST", f"/customers/{customer.id}/sync_payment_methods_from_gateway", **KEY)
    again = call("POST", "/customers/external_customer_id/crm%2F1/sync_payment_methods_from_gateway")

    assert [(one.status_code, one.data) for one in (synced, replayed, again)] == [(204, b"")] * 3
    listed = call("GET", f"/customers/{customer.id}/payment_methods").get_json()["data"]
    assert {(one["method"], one["expires"], one["default"]) for one in listed} == {
        ("card", "2030-04", False),
        ("us_bank_account", None, True),
    }
    bank.kept["cus_1"] = [card]
    call("POST", f"/customers/{customer.id}/sync_payment_methods_from_gateway")
    assert [one["method"] for one in call("GET", f"/customers/{customer.id}/payment_methods").get_json()["data"]] == [
        "card"
    ]


def test_without_a_gateway_nothing_can_be_brought_in(call: Call, customer: Customer) -> None:
    said = problem(call("POST", f"/customers/{customer.id}/sync_payment_methods_from_gateway"), 400, CONSTRAINT)

    assert said.startswith("No payment gateway is set up here.")


def test_the_default_method_stands_on_the_customer_and_another_can_be_chosen(
    call: Call, bank: Bank, customer: Customer, clock: Clock
) -> None:
    card = banks.keep(customer, clock.now)
    debit = banks.keep(customer, clock.now, "us_bank_account", f"ba_{customer.id}")

    first = call("GET", f"/customers/{customer.id}").get_json()["default_payment_method"]
    chosen = call("PUT", f"/customers/{customer.id}", {"default_payment_method_id": debit.id}).get_json()
    none = call("PUT", f"/customers/{customer.id}", {"default_payment_method_id": None}).get_json()

    assert first == {
        "id": card.id,
        "created_at": "2026-11-23T12:00:00+00:00",
        "customer_id": customer.id,
        "default": True,
        "external_payment_method_id": card.gateway_ref,
        "payment_method_type": "card",
        "provider_type": "sandbox",
    }
    assert chosen["default_payment_method"]["id"] == debit.id
    assert none["default_payment_method"] is None
    problem(call("POST", "/customers", {"name": "C", "email": "c@c.example", "defaults": 1}), 400, INVALID)


def test_only_her_own_saved_methods_can_be_her_default(
    call: Call, bank: Bank, given: Given, acme: Account, customer: Customer, clock: Clock
) -> None:
    hers, gone = banks.keep(customer, clock.now), banks.keep(customer, clock.now, ref=f"gone_{customer.id}")
    gone.remove(clock.now, "test")
    other = banks.keep(given.customer(acme), clock.now)

    for id in (other.id, gone.id, "x", ""):
        refused = call("PUT", f"/customers/{customer.id}", {"name": "New", "default_payment_method_id": id})
        assert "default_payment_method_id must be" in problem(refused, 400, INVALID)

    now = call("GET", f"/customers/{customer.id}").get_json()
    assert (now["default_payment_method"]["id"], now["name"]) == (hers.id, customer.name)


def test_a_sepa_debit_is_charged_but_has_no_name_on_orbs_wire(
    call: Call, bank: Bank, given: Given, acme: Account, clock: Clock
) -> None:
    customer = given.customer(acme)
    saved = banks.keep(customer, clock.now, "sepa_debit")

    assert call("GET", f"/customers/{customer.id}").get_json()["default_payment_method"] is None
    (listed,) = call("GET", f"/customers/{customer.id}/payment_methods").get_json()["data"]
    assert (listed["id"], listed["method"], listed["default"]) == (saved.id, "sepa_debit", True)


def test_a_saved_method_is_removed_here_first_and_then_at_the_gateway(
    call: Call, bank: Bank, customer: Customer, clock: Clock
) -> None:
    saved = banks.keep(customer, clock.now)
    bank.answers = False

    refused = call("DELETE", f"/customers/{customer.id}/payment_methods/{saved.id}")

    assert refused.status_code == 503
    assert call("GET", f"/customers/{customer.id}/payment_methods").get_json()["data"] == []
    bank.answers = True
    assert call("DELETE", f"/customers/{customer.id}/payment_methods/{saved.id}").status_code == 204
    assert bank.forgotten == [saved.gateway_ref] * 2
    problem(call("DELETE", f"/customers/{customer.id}/payment_methods/x"), 404, "404-resource-not-found")


# Who she is at the gateway.


def test_a_link_to_a_customer_of_stripe_is_told_to_the_cashier_and_collects_from_then_on(call: Call) -> None:
    linked = {"payment_provider": "stripe_charge", "payment_provider_id": "cus_1"}
    made = call("POST", "/customers", {"name": "C", "email": "c@c.example", **linked}).get_json()

    assert made["auto_collection"] is True
    assert (made["payment_provider"], made["payment_provider_id"]) == ("stripe_charge", "cus_1")
    assert Payer.ref_of(made["id"], "stripe") == "cus_1"
    call("PUT", f"/customers/{made['id']}", {"payment_provider_id": "cus_2", "auto_collection": False})
    assert Payer.ref_of(made["id"], "stripe") == "cus_2"
    assert call("PUT", f"/customers/{made['id']}", linked).get_json()["auto_collection"] is False
    call("PUT", f"/customers/{made['id']}", {"payment_provider": None, "payment_provider_id": None})
    assert Payer.ref_of(made["id"], "stripe") is None


@pytest.mark.parametrize(
    "link",
    [
        {"payment_provider": "stripe_charge"},
        {"payment_provider_id": "cus_1"},
        {"payment_provider": "netsuite", "payment_provider_id": "7"},
        {"payment_provider": "stripe_charge", "payment_provider_id": "cus_1", "auto_collection": False},
    ],
)
def test_what_links_to_nobody_or_says_otherwise_turns_nothing_on(call: Call, link: dict[str, Any]) -> None:
    assert (
        call("POST", "/customers", {"name": "C", "email": "c@c.example", **link}).get_json()["auto_collection"] is False
    )


def test_one_customer_of_stripe_is_one_customer_of_ours(call: Call) -> None:
    linked = {"payment_provider": "stripe_charge", "payment_provider_id": "cus_1"}
    call("POST", "/customers", {"name": "C", "email": "c@c.example", **linked})

    said = problem(
        call("POST", "/customers", {"name": "D", "email": "d@d.example", **linked}),
        400,
        "400-duplicate-resource-creation",
    )

    assert said == "payment_provider_id belongs to another customer."
    assert len(call("GET", "/customers").get_json()["data"]) == 1


def test_whom_a_payment_made_known_to_stripe_is_told_as_linked(
    call: Call, bank: Bank, customer: Customer, clock: Clock
) -> None:
    Payer.keep(customer.id, "stripe", "cus_9")
    before = call("GET", f"/customers/{customer.id}").get_json()
    bank.name = "stripe"
    after = call("GET", f"/customers/{customer.id}").get_json()

    assert (before["payment_provider"], before["payment_provider_id"]) == (None, None)
    assert (after["payment_provider"], after["payment_provider_id"]) == ("stripe_charge", "cus_9")
    sent_back = call("PUT", f"/customers/{customer.id}", {"name": "New", "payment_provider": None}).get_json()
    assert sent_back["payment_provider_id"] == "cus_9"


def test_a_list_of_customers_asks_for_all_their_defaults_at_once(
    call: Call, bank: Bank, given: Given, acme: Account, clock: Clock, queries: Queries
) -> None:
    counts = []
    for more in (1, 4):
        for _ in range(more):
            banks.keep(given.customer(acme), clock.now)
        with queries() as made:
            call("GET", "/customers")
        counts.append(len(made))

    assert counts[0] == counts[1] == 4  # the key, the list, links, defaults
    assert SavedMethod.select().where(SavedMethod.account == acme).count() == 5


def _too_much(call: Call, payment: Payment, body: Any) -> str:
    return problem(call("POST", f"/payments/{payment.id}/refunds", body), 400, CONSTRAINT)
