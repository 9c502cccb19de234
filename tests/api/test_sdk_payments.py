"""The official SDK, strict, against a real server and a real sandbox: methods brought in, charged, returned."""

from __future__ import annotations

from typing import Any

import orb as sdk
import pytest
from flask import Flask
from orb import Orb

from portal.cashier import hearing
from portal.config import Settings
from portal.gateways import Payer as GatewayPayer
from portal.models.customer import Customer
from portal.models.saved_method import Payer
from tests import attempts
from tests.conftest import Clock
from tests.given import Given
from tests.sandbox import Sandbox


@pytest.fixture
def settings(settings: Settings, sandbox: Sandbox) -> Settings:
    return settings.model_copy(update={"gateway": "sandbox", "sandbox_url": sandbox.url})


@pytest.fixture
def save(sandbox: Sandbox, customer: Customer) -> Any:
    """Has the sandbox keep a method for the customer, which ends as `outcome` says."""
    ref = sandbox.gateway.payer(GatewayPayer(customer.id, None, customer.name, customer.email))
    Payer.keep(customer.id, "sandbox", ref)

    def keep(method: str, outcome: str) -> str:
        return str(sandbox.keep(ref, method, outcome)["ref"])

    return keep


def test_a_method_is_brought_in_and_charged(
    orb: Orb, save: Any, sandbox: Sandbox, given: Given, customer: Customer
) -> None:
    assert orb.customers.fetch(customer.id).default_payment_method is None
    ref = save("card", "4242")

    orb.customers.sync_payment_methods_from_gateway(customer.id)
    orb.customers.sync_payment_methods_from_gateway_by_external_customer_id("crm-1")
    paid = orb.invoices.pay(given.invoice(customer).id)

    default = orb.customers.fetch(customer.id).default_payment_method
    assert default
    assert (default.external_payment_method_id, default.payment_method_type, default.default) == (ref, "card", True)
    assert (paid.status, paid.payment_attempts[0].succeeded) == ("paid", True)
    assert paid.paid_at
    assert [one["amount"] for one in sandbox.payments(paid.payment_attempts[0].id)] == [4000]


def test_a_declined_card_is_an_attempt_that_failed(orb: Orb, save: Any, given: Given, customer: Customer) -> None:
    save("card", "0002")
    orb.customers.sync_payment_methods_from_gateway(customer.id)

    declined = orb.invoices.pay(given.invoice(customer).id)

    assert (declined.status, declined.payment_attempts[0].succeeded) == ("issued", False)
    assert declined.payment_failed_at


def test_a_debit_settles_days_later_and_is_returned_after_that(
    app: Flask, orb: Orb, save: Any, sandbox: Sandbox, given: Given, customer: Customer, clock: Clock
) -> None:
    save("us_bank_account", "returned")
    orb.customers.sync_payment_methods_from_gateway(customer.id)
    invoice = orb.invoices.pay(given.invoice(customer).id)
    (attempt,) = invoice.payment_attempts
    assert attempt.payment_provider_id

    with pytest.raises(sdk.ConstraintViolation, match="on its way"):
        orb.invoices.pay(invoice.id)
    with pytest.raises(sdk.ConstraintViolation, match="on its way"):
        orb.invoices.void(invoice.id)
    with pytest.raises(sdk.ConstraintViolation, match="on its way"):
        orb.invoices.mark_paid(invoice.id, payment_received_date="2026-11-23")
    statuses = [(invoice.status, invoice.paid_at is None, attempt.succeeded)]
    for _ in range(2):
        sandbox.settle(attempt.payment_provider_id)
        for told in sandbox.gateway.since(clock.now.replace(year=2020)):
            hearing.told(sandbox.gateway, told, clock.now)
        now = orb.invoices.fetch(invoice.id)
        statuses.append((now.status, now.paid_at is None, now.payment_attempts[0].succeeded))

    assert statuses == [("issued", True, False), ("paid", False, True), ("issued", True, False)]
    assert orb.invoices.fetch(invoice.id).payment_failed_at


def test_another_default_and_none(orb: Orb, save: Any, customer: Customer) -> None:
    save("card", "4242")
    save("us_bank_account", "settles")
    orb.customers.sync_payment_methods_from_gateway(customer.id)
    methods = orb.get(f"/customers/{customer.id}/payment_methods", cast_to=dict[str, Any])["data"]
    other = next(one["id"] for one in methods if not one["default"])

    changed = orb.customers.update(customer.id, default_payment_method_id=other)
    cleared = orb.customers.update(customer.id, default_payment_method_id=None)

    assert changed.default_payment_method
    assert changed.default_payment_method.id == other
    assert cleared.default_payment_method is None


def test_without_a_method_the_client_is_told_what_to_do(orb: Orb, given: Given, customer: Customer) -> None:
    with pytest.raises(sdk.ConstraintViolation, match="no default payment method"):
        orb.invoices.pay(given.invoice(customer).id)
    with pytest.raises(sdk.ConstraintViolation, match="leave shared_payment_token_id out"):
        orb.invoices.pay(given.invoice(customer).id, shared_payment_token_id="spt_1")


def test_an_attempt_that_stripe_was_asked_for_names_it(
    orb: Orb, given: Given, customer: Customer, clock: Clock
) -> None:
    invoice = given.invoice(customer)
    attempts.begin(invoice, now=clock.now, gateway="stripe")

    (attempt,) = orb.invoices.fetch(invoice.id).payment_attempts

    assert (attempt.payment_provider, attempt.payment_provider_id, attempt.succeeded) == ("stripe", None, False)
