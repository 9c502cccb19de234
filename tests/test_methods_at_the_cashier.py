"""No gateway hears of a payment by a method that is not allowed, whoever forbade it and however it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import combinations
from typing import Any, cast

import pytest

from portal.cashier import taking
from portal.domain.methods import BY_GATEWAY, METHODS, NotOffered, NotPayable
from portal.gateways import Gateway, Order, PaymentNews
from portal.models.account import Account
from portal.models.invoice import Invoice
from portal.models.paying import Part, Wanted
from portal.models.payment import Payment
from portal.models.saved_method import SavedMethod
from tests.conftest import Clock
from tests.given import Given

EVERYTHING = {
    "payment_methods": list(METHODS),
    "bank_accounts": [{"currency": "USD", "holder": "Acme", "account_number": "12345", "routing_number": "021000021"}],
}
ALLOW_SETS = [list(some) for count in range(1, 4) for some in combinations(METHODS, count)]


class Listening:
    """A gateway that notes what it hears, and takes everything."""

    name = "sandbox"
    live = False

    def __init__(self) -> None:
        self.heard: list[Order] = []

    def serves(self, method: str, currency: str) -> bool:
        return True

    def minimum(self, currency: str) -> int:
        return 50

    def payer(self, payer: Any) -> str:
        return f"cus_{payer.id}"

    def start(self, order: Order) -> PaymentNews:
        self.heard.append(order)
        return PaymentNews(
            f"ref_{order.payment_id}", order.payment_id, "processing", order.amount, order.currency, False, order.method
        )


Pay = Callable[..., Payment]


@pytest.fixture
def gateway() -> Listening:
    return Listening()


@pytest.fixture
def pay(gateway: Listening, clock: Clock, acme: Account) -> Pay:
    acme.configure(EVERYTHING, clock.now, "test")

    def ask(method: str, *invoices: Invoice, amount: int | None = None, saved: SavedMethod | None = None) -> Payment:
        parts = [Part(one.id, amount or one.remaining(), one.remaining()) for one in invoices]
        wanted = Wanted(
            invoices[0].customer_id,
            parts,
            method,
            "a label",
            "sandbox",
            order=taking.order(reference="A-1", saved=saved),
            saved=saved,
        )
        return taking.pay(cast(Gateway, gateway), wanted, "https://pay.example/webhooks/sandbox", clock.now, "payer")

    return ask


def kept(customer: Any, method: str, now: datetime) -> SavedMethod:
    """A method that the customer let be saved while it was allowed."""
    return SavedMethod(customer=customer, gateway="sandbox", method=method, created_at=now, gateway_ref="pm_1")


@pytest.mark.parametrize("narrowed", ["invoice", "customer", "excluded", "account"])
def test_only_what_is_allowed_reaches_the_gateway(
    pay: Pay, gateway: Listening, given: Given, acme: Account, clock: Clock, narrowed: str
) -> None:
    for allowed in ALLOW_SETS:
        others = [method for method in METHODS if method not in allowed]
        stripe = {"provider_type": "stripe", "excluded_payment_method_types": others}
        fields: dict[str, Any] = {
            "customer": {"payment_methods": allowed},
            "excluded": {"payment_configuration": {"payment_providers": [stripe]}},
        }
        if narrowed == "account":
            acme.configure({"payment_methods": allowed}, clock.now, "test")
        customer = given.customer(acme, **fields.get(narrowed, {}))
        more = {"payment_methods": allowed} if narrowed == "invoice" else {}
        invoice = given.invoice(customer, **more)

        for method in others:
            for saved in (None, kept(customer, method, clock.now)):
                with pytest.raises(NotOffered):
                    pay(method, invoice, saved=saved)

        assert gateway.heard == []
    assert Payment.select().where(Payment.account == acme).count() == 0


def test_what_is_allowed_is_asked_for_as_that_method_and_no_other(
    pay: Pay, gateway: Listening, given: Given, acme: Account
) -> None:
    for method in BY_GATEWAY:
        pay(method, given.invoice(given.customer(acme), payment_methods=[method]))

    assert [order.method for order in gateway.heard] == list(BY_GATEWAY)


def test_a_bank_transfer_is_offered_and_charged_by_nobody(
    pay: Pay, gateway: Listening, given: Given, acme: Account
) -> None:
    with pytest.raises(NotOffered, match="at your bank"):
        pay("bank_transfer", given.invoice(given.customer(acme)))

    assert gateway.heard == []


def test_several_invoices_are_paid_by_what_all_of_them_allow(
    pay: Pay, gateway: Listening, given: Given, acme: Account
) -> None:
    customer = given.customer(acme)
    by_ach = given.invoice(customer, payment_methods=["us_bank_account"])
    by_both = given.invoice(customer, payment_methods=["card", "us_bank_account"])

    with pytest.raises(NotOffered):
        pay("card", by_ach, by_both)
    pay("us_bank_account", by_ach, by_both)

    assert [(order.method, order.amount) for order in gateway.heard] == [("us_bank_account", 8000)]


def test_the_limit_is_that_of_the_amount_that_is_really_paid(
    pay: Pay, gateway: Listening, given: Given, acme: Account, clock: Clock
) -> None:
    limits = {"card": {"minimum": None, "maximum": "40.00"}}
    acme.configure(
        {"payment_method_limits": limits, "partial_payments": {"allowed": True, "minimum": "10.00"}}, clock.now, "test"
    )
    customer = given.customer(acme)
    large = given.invoice(customer, (("Large", "1", "60.00"),))

    with pytest.raises(NotOffered, match=r"above USD 40\.00"):
        pay("card", large)
    with pytest.raises(NotOffered, match=r"above USD 40\.00"):
        pay("card", *(given.invoice(customer) for _ in range(2)))
    with pytest.raises(NotPayable, match=r"at least USD 10\.00"):
        pay("card", large, amount=999)
    with pytest.raises(NotPayable, match="too little"):
        pay("us_bank_account", large, amount=5960)
    pay("card", large, amount=4000)

    assert [(order.method, order.amount) for order in gateway.heard] == [("card", 4000)]
