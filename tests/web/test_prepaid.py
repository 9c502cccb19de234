"""Prepaid credits on the account page: what is left in each currency, how long it lasts, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import web
from portal.models import correction, moments
from portal.models.account import Account
from portal.models.base import db
from portal.models.credit import CreditBlock
from portal.models.customer import Customer
from tests.conftest import Clock
from tests.given import Given
from tests.web.test_customer_page import home, part

Give = Callable[..., CreditBlock]


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme, locale="en-US")


@pytest.fixture
def give(customer: Customer, clock: Clock) -> Give:
    def give(amount: str, unit: str = "USD", **fields: Any) -> CreditBlock:
        with db.atomic():
            return CreditBlock.give(customer.held(), Decimal(amount), unit, clock.now, **fields).block

    return give


@pytest.fixture
def shown(client: FlaskClient, given: Given, customer: Customer) -> Callable[[], str]:
    return lambda: part(client, home(given, customer) + "prepaid")


def midnight(month: int, day: int, year: int = 2026) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def test_what_is_left_is_said_in_each_currency_with_its_blocks_in_the_order_of_their_use(
    give: Give, customer: Customer, clock: Clock, shown: Callable[[], str]
) -> None:
    give("100")
    give("50", expires_at=midnight(12, 5))
    give("1000", "credits", expires_at=midnight(11, 24))
    give("20.5", "USD", effective_at=midnight(12, 1))
    CreditBlock.take(customer, Decimal("12.25"), "USD", clock.now)

    text = shown()

    assert "$137.75 left; it is used for your next invoices in USD" in text
    blocks = text.split("From Expires Left Of")[1]
    assert (
        "Nov 23, 2026 In 12 days, Dec 5, 2026 $37.75 $50.00 Nov 23, 2026 Never $100.00 $100.00 "
        "Dec 1, 2026 usable in 8 days Never $20.50 $20.50"
    ) in blocks
    assert "1,000 credits left" in text
    assert "Nov 23, 2026 At the end of today 1,000 1,000" in text


def test_what_became_of_it_is_told_newest_first(
    given: Given, give: Give, customer: Customer, clock: Clock, shown: Callable[[], str]
) -> None:
    invoice = given.invoice(customer)
    block = give("100")
    CreditBlock.spend(customer, 1000, "USD", invoice.id, clock.now)
    correction.void(CreditBlock.get_by_id(block.id), Decimal(5), None, clock.now)

    assert (
        "Nov 23, 2026 Taken back -$5.00 $85.00 "
        f"Nov 23, 2026 Used for {invoice.number} -$10.00 $90.00 "
        "Nov 23, 2026 Added $100.00 $100.00"
    ) in shown()


def test_an_invoice_that_she_may_not_see_is_not_named(
    given: Given, acme: Account, give: Give, customer: Customer, clock: Clock, shown: Callable[[], str]
) -> None:
    Account.update(hide_voided_invoices=True).where(Account.id == acme.id).execute()
    invoice = given.invoice(customer)
    give("100")
    CreditBlock.spend(customer, 1000, "USD", invoice.id, clock.now)
    moments.void(invoice, clock.now, "test")

    text = shown()

    assert "Returned $10.00 $100.00" in text
    assert str(invoice.number) not in text


def test_expired_credits_do_not_count_even_before_the_worker_comes(
    give: Give, clock: Clock, shown: Callable[[], str]
) -> None:
    give("100", expires_at=midnight(11, 25))
    clock.now = midnight(11, 25)

    assert "No prepaid credits are left." in shown()


def test_more_than_there_was_is_said_to_be(
    give: Give, customer: Customer, clock: Clock, shown: Callable[[], str]
) -> None:
    CreditBlock.take(customer, Decimal(3), "credits", clock.now)

    assert "-3 credits more was used than you had" in shown()


def test_who_never_had_credits_is_shown_nothing(
    client: FlaskClient, given: Given, customer: Customer, shown: Callable[[], str]
) -> None:
    assert "pf-prepaid" not in client.get(home(given, customer)).text
    assert "You have no prepaid credits." in shown()


def test_a_name_of_a_unit_is_text_and_nothing_else(
    give: Give, client: FlaskClient, given: Given, customer: Customer
) -> None:
    give("1", "<b>x</b>")

    text = client.get(home(given, customer)).text

    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<b>x</b>" not in text


def test_a_kept_page_is_made_again_when_credits_change_or_end(
    app: Flask, client: FlaskClient, given: Given, give: Give, customer: Customer, clock: Clock
) -> None:
    give("100", expires_at=midnight(11, 25))
    address = home(given, customer)

    def kept() -> str:
        web.publish(app, "customer", customer.id, clock.now)
        return client.get(address).text

    assert "$100.00" in kept()
    give("7")
    assert "$107.00" in client.get(address).text
    assert "$107.00" in kept()
    clock.advance(days=2)
    assert "$107.00" not in client.get(address).text.split("Latest movements of prepaid")[0]


def test_many_blocks_are_cut_short(give: Give, shown: Callable[[], str], clock: Clock) -> None:
    for n in range(23):
        give("1", expires_at=clock.now + timedelta(days=30 + n))

    assert "and 3 more" in shown()
