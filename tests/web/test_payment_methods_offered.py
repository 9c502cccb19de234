"""By which methods may be paid: only what is offered, whichever way somebody asks, and what is withheld says why."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from portal.models.saved_method import SavedMethod
from tests.conftest import Clock
from tests.given import Given
from tests.sandbox import Sandbox
from tests.web.paying import Payer
from tests.web.paying import settings as settings

METHODS = ("card", "us_bank_account", "sepa_debit", "bank_transfer")
SETS = [(), *combinations(METHODS[:3], 1), *combinations(METHODS[:3], 2), METHODS[:3], ("bank_transfer",), METHODS]
CURRENCY = {"sepa_debit": "EUR"}
OUTCOME = {"card": "4242", "us_bank_account": "settles", "sepa_debit": "settles"}
BANKS = [
    {"currency": "USD", "holder": "Acme", "account_number": "000123456789", "routing_number": "110000000"},
    {"currency": "EUR", "holder": "Acme", "iban": "DE89370400440532013000"},
]


class Watched:
    """The real gateway; it is noted what it is asked to start."""

    def __init__(self, gateway: Any) -> None:
        self.gateway, self.started = gateway, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gateway, name)

    def start(self, order: Any) -> Any:
        self.started.append(order.method)
        return self.gateway.start(order)


@pytest.fixture
def watched(app: Any) -> Watched:
    house = app.extensions["portal"]
    house.gateway = Watched(house.gateway)
    return house.gateway


def payers(client: FlaskClient, given: Given, customer: Customer, invoice: Invoice) -> Iterator[Payer]:
    of_invoice, of_customer = Link.of_invoice(invoice.id), Link.of_customer(customer.id)
    assert of_invoice
    assert of_customer
    yield Payer(client, given.url(of_invoice))
    yield Payer(client, f"{given.url(of_customer)}invoices/{invoice.id}/")


@pytest.mark.parametrize("allowed", SETS, ids=lambda names: "+".join(names) or "none")
def test_only_what_is_allowed_can_be_paid_by_whichever_way(
    allowed: tuple[str, ...],
    client: FlaskClient,
    given: Given,
    acme: Account,
    clock: Clock,
    sandbox: Sandbox,
    watched: Watched,
) -> None:
    acme.configure({"payment_methods": list(METHODS), "bank_accounts": BANKS}, clock.now, "test")
    customer = given.customer(acme)
    kept = {method: stored(customer, method, clock) for method in METHODS[:3]}

    for method in METHODS:
        currency = CURRENCY.get(method, "USD")
        served = [name for name in allowed if name not in CURRENCY or currency == "EUR"]
        served = [name for name in served if name != "us_bank_account" or currency == "USD"]
        invoice = given.invoice(customer, currency=currency, payment_methods=list(allowed))
        for payer in payers(client, given, customer, invoice):
            payer.open("payments/new")
            assert [one for form in payer.forms for one in form.offered["method"]] == [
                name for name in METHODS if name in served
            ]
            direct = {"method": method, "step": "pay", "sandbox_outcome": OUTCOME.get(method, "")}
            stamped = dict(payer.forms[0].fields) if payer.forms else {}
            tries = [direct, stamped | {"method": method}, stamped | direct]
            tries.append(stamped | {"method": method, "step": "confirm", "saved": kept.get(method, "")})
            for data in tries if method not in served else ():
                answer = client.post(f"{payer.address}payments", data=data)
                assert answer.status_code == 422, (method, data)
        assert not watched.started

    assert Payment.select().where(Payment.customer == customer).count() == 0


def test_each_method_that_is_offered_is_charged_and_no_other(
    client: FlaskClient, given: Given, acme: Account, clock: Clock, watched: Watched
) -> None:
    acme.configure({"payment_methods": list(METHODS), "bank_accounts": BANKS}, clock.now, "test")
    customer = given.customer(acme)

    for method in METHODS[:3]:
        invoice = given.invoice(customer, currency=CURRENCY.get(method, "USD"), payment_methods=[method])
        next(payers(client, given, customer, invoice)).pay(method, OUTCOME[method])

    assert watched.started == list(METHODS[:3])


def test_a_method_is_looked_at_before_everything_else(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme, payment_methods=["us_bank_account"])
    invoice = given.invoice(customer)

    for payer in payers(client, given, customer, invoice):
        bad = {"amount": "nonsense", "stamp": "nonsense", "step": "nonsense", "saved": "nonsense"}
        answer = client.post(f"{payer.address}payments", data={"method": "card", **bad})
        assert answer.status_code == 422
        assert "Card payments are not accepted for this customer" in answer.text
        assert client.post(f"{payer.address}payments", data={"method": "us_bank_account"}).status_code == 403
        assert client.post(f"{payer.address}payments", data={}).status_code == 422


def test_what_is_withheld_says_at_which_amount(client: FlaskClient, given: Given, acme: Account, clock: Clock) -> None:
    limits = {"card": {"minimum": None, "maximum": "30.00"}, "us_bank_account": {"minimum": "100.00", "maximum": None}}
    acme.configure({"payment_method_limits": limits}, clock.now, "test")
    customer = given.customer(acme, locale="en-US")
    payer = next(payers(client, given, customer, given.invoice(customer)))

    payer.open("payments/new")

    assert "Card payments are not accepted above $30.00." in payer.text
    assert "ACH payments are not accepted below $100.00." in payer.text
    assert "None of the ways to pay is open for this amount." in payer.text
    assert client.post(f"{payer.address}payments", data={"method": "card"}).status_code == 422


def test_what_was_narrowed_away_says_for_whom(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme, payment_methods=["us_bank_account", "card"])
    invoice = given.invoice(customer, payment_methods=["us_bank_account"])

    for payer in payers(client, given, customer, invoice):
        payer.open("payments/new")
        assert "Card payments are not accepted for this invoice." in payer.text
        assert "Bank transfers are not accepted" not in payer.text  # the account has no bank account


def test_several_invoices_say_what_not_all_of_them_allow(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    for narrowed in (None, ["us_bank_account"]):
        given.invoice(customer, payment_methods=narrowed)
    account = Link.of_customer(customer.id)
    assert account
    payer = Payer(client, given.url(account))

    payer.open("payments/new")

    assert "Card payments are not accepted for all of these invoices." in payer.text


def test_where_nothing_can_be_paid_it_is_said_whom_to_ask(client: FlaskClient, given: Given, acme: Account) -> None:
    customer = given.customer(acme, payment_methods=[])
    payer = next(payers(client, given, customer, given.invoice(customer)))

    payer.open("payments/new")

    assert "This cannot be paid here. Write to help@acme.example to agree on how to pay." in payer.text
    assert payer.forms == []


def test_play_money_pays_no_invoice_of_a_live_account(client: FlaskClient, given: Given, clock: Clock) -> None:
    live = Account.open("Live", clock.now, mode="live", by="test")
    customer = given.customer(live)
    invoice = given.invoice(customer)

    for payer in payers(client, given, customer, invoice):
        payer.open("payments/new")
        assert payer.forms == []
        assert client.post(f"{payer.address}payments", data={"method": "card"}).status_code == 422


def stored(customer: Customer, method: str, clock: Clock) -> str:
    described = {"method": method, "label": f"{method} of hers", "expires": None}
    return SavedMethod.keep(customer, "sandbox", f"{method}-{customer.id}", clock.now, "test", **described).id
