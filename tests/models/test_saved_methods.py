"""What a gateway keeps for a customer: one default at most, and nothing that she took away is ever charged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.cashier import hearing
from portal.gateways import MethodNews, Saved
from portal.models import erasing, paying
from portal.models.account import Account
from portal.models.base import db, new_id
from portal.models.customer import Customer
from portal.models.payment import Payment
from portal.models.record import Record
from portal.models.saved_method import Payer, SavedMethod
from tests.attempts import GATEWAY, begin, of, tell
from tests.given import Given
from tests.models.conftest import Outside

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def keep(customer: Customer, ref: str = "", **more: Any) -> SavedMethod:
    described = {"method": "card", "label": "Visa ending in 4242", "expires": "2030-01", **more}
    with db.atomic():
        return SavedMethod.keep(customer.held(), "sandbox", ref or new_id(), NOW, "test", **described)


def defaults(customer: Customer) -> list[str]:
    return [one.id for one in SavedMethod.of(customer.id, "sandbox") if one.is_default]


def test_her_first_is_the_default_until_she_makes_another_so(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    first, second = keep(customer), keep(customer)
    assert defaults(customer) == [first.id]

    second.make_default(NOW, "test")

    assert defaults(customer) == [second.id]
    assert [one.id for one in SavedMethod.of(customer.id, "sandbox")] == [second.id, first.id]


def test_the_same_is_kept_once_and_as_it_is_described_last(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    ref = new_id()

    rows = [keep(customer, ref), keep(customer, ref, label="Visa ending in 1881", expires="2032-05")]

    assert rows[0].id == rows[1].id
    (row,) = SavedMethod.of(customer.id, "sandbox")
    assert (row.label, row.expires) == ("Visa ending in 1881", "2032-05")


def test_what_was_removed_stays_removed_whatever_the_gateway_says(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    row = keep(customer, ref := new_id())

    row.remove(NOW, "test")
    row.remove(NOW, "test")
    keep(customer, ref)

    assert SavedMethod.of(customer.id, "sandbox") == []
    assert Record.select().where(Record.subject == row.id, Record.deed == "payment_method.removed").count() == 1


def test_with_the_default_gone_the_newest_that_is_left_is_it(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    first, _, third = keep(customer), keep(customer), keep(customer)
    SavedMethod.update(created_at=NOW + timedelta(days=1)).where(SavedMethod.id == third.id).execute()

    first.remove(NOW, "test")

    assert defaults(customer) == [third.id]


def test_where_nothing_is_to_be_charged_by_itself_nothing_becomes_the_default(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    keep(customer)
    second = keep(customer)
    with db.atomic():
        SavedMethod.have_no_default(customer.held(), "sandbox", NOW, "test")

    keep(customer)
    second.remove(NOW, "test")

    assert defaults(customer) == []


def test_one_that_is_gone_is_made_no_default(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    first, second = keep(customer), keep(customer)
    second.remove(NOW, "test")

    second.make_default(NOW, "test")

    assert defaults(customer) == [first.id]


def test_the_database_knows_one_default_a_customer(given: Given, acme: Account, outside: Outside) -> None:
    customer = given.customer(acme)
    keep(customer)
    second = keep(customer)

    assert outside.refused((f"UPDATE saved_method SET is_default = TRUE WHERE id = '{second.id}'", ()))


@pytest.mark.parametrize("why", ["removed", "of another", "of another gateway"])
def test_only_what_is_hers_and_there_can_be_charged(given: Given, acme: Account, why: str) -> None:
    customer = given.customer(acme)
    invoice = given.invoice(customer)
    row = keep(given.customer(acme) if why == "of another" else customer)
    if why == "removed":
        row.remove(NOW, "test")

    with pytest.raises(paying.Stale, match="no longer there"):
        begin(invoice, now=NOW, saved=row, gateway="stripe" if why == "of another gateway" else "sandbox")

    assert not Payment.select().where(Payment.customer == customer.id).exists()


def test_news_of_methods_is_heard(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    ref, payer = new_id(), f"payer {customer.id}"
    Payer.keep(customer.id, "sandbox", payer)
    saved = Saved(ref, "card", "Visa ending in 4242", "2030-01")

    tell(MethodNews(ref, payer, False, saved), NOW)
    assert [one.gateway_ref for one in SavedMethod.of(customer.id, "sandbox")] == [ref]
    tell(MethodNews(ref, payer, False, None), NOW)
    assert SavedMethod.of(customer.id, "sandbox") == []
    assert hearing.apply(GATEWAY.name, MethodNews("unknown", None, False, None), NOW, "test")


def test_of_a_customer_who_is_deleted_nothing_is_kept(given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    keep(customer)
    Payer.keep(customer.id, "sandbox", f"payer {customer.id}")

    erasing.erase(customer, NOW, "test")

    for row in (SavedMethod, Payer):
        assert not row.select().where(row.customer == customer.id).exists()


def test_an_order_with_her_name_is_forgotten_once_the_payment_has_ended(given: Given, acme: Account) -> None:
    for stage in ("failed", "canceled", "succeeded"):
        payment = begin(given.invoice(given.customer(acme, name="Harbor")), now=NOW)
        assert payment.order["payer"]["name"] == "Harbor"

        tell(of(payment, stage), NOW)

        assert Payment.get_by_id(payment.id).order is None
