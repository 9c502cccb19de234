"""A customer's invoices by key: what she may see, in which order, and what the open ones ask for together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from portal.models import moments
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.history import Asked, History, Key
from portal.models.payment import Payment
from tests import attempts
from tests.conftest import Clock
from tests.given import Given

TODAY = date(2026, 11, 23)


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme, timezone="Europe/Berlin")


@pytest.fixture
def history(customer: Customer) -> Callable[..., History]:
    return lambda **terms: History(customer.id, customer.timezone, TODAY, **terms)


def test_pages_by_key_show_every_invoice_once_and_lead_back(given: Given, customer: Customer, history) -> None:
    for day in range(7):  # two a day at the same moment: the id decides between them
        for _ in range(2):
            given.invoice(customer, invoice_date=datetime(2026, 10, 1 + day, tzinfo=UTC))

    first = history().page(Asked(), 5)
    second = history().page(Asked(older_than=first.older), 5)
    third = history().page(Asked(older_than=second.older), 5)
    shown = [*first.entries, *second.entries, *third.entries]

    assert [len(page.entries) for page in (first, second, third)] == [5, 5, 4]
    assert len({entry.id for entry in shown}) == 14
    assert [entry.key for entry in shown] == sorted((entry.key for entry in shown), reverse=True)
    assert (first.newer, third.older) == (None, None)
    assert history().page(Asked(newer_than=third.newer), 5).entries == second.entries
    assert history().page(Asked(newer_than=second.newer), 5) == first


def test_drafts_and_hidden_void_invoices_are_left_out(given: Given, customer: Customer, history, clock: Clock) -> None:
    given.invoice(customer, issued=False)
    void = moments.void(given.invoice(customer), clock.now, "test")
    shown = given.invoice(customer)

    assert {entry.id for entry in history().page(Asked(), 9).entries} == {void.id, shown.id}
    assert [entry.id for entry in history(hides_void=True).page(Asked(), 9).entries] == [shown.id]
    assert history(hides_void=True).page(Asked(status="void"), 9).entries == []


def test_filters_narrow_the_history(given: Given, customer: Customer, history, clock: Clock) -> None:
    overdue = given.invoice(customer, due=date(2026, 11, 22))
    open_ = given.invoice(customer, due=TODAY)
    paid = given.invoice(customer)
    Payment.record(paid, clock.now, "test", received_on=TODAY)
    void = moments.void(given.invoice(customer), clock.now, "test")

    def ids(**terms) -> set[str]:
        return {entry.id for entry in history().page(Asked(**terms), 9).entries}

    assert ids(status="unpaid") == {overdue.id, open_.id}
    assert ids(status="overdue") == {overdue.id}
    assert ids(status="paid") == {paid.id}
    assert ids(status="void") == {void.id}
    assert ids(number=open_.number) == {open_.id}
    assert ids(number=open_.number.lower()) == {open_.id}
    assert ids(number=overdue.number[:6]) == {overdue.id, open_.id, paid.id, void.id}


def test_whatever_a_payment_makes_of_an_invoice_is_found_by_that_word(
    given: Given, customer: Customer, history, clock: Clock
) -> None:
    for stage in ("begun", "action", "processing", "canceled", "failed", "succeeded"):
        payment = attempts.begin(given.invoice(customer), now=clock.now)
        attempts.tell(attempts.of(payment, stage), clock.now)
    returned = attempts.paid(given.invoice(customer), now=clock.now)
    attempts.tell(attempts.dispute(returned, "lost", returned.amount, is_return=True), clock.now)
    untried = given.invoice(customer)
    everything = history().page(Asked(), 20).entries
    counts = {"payment_failed": 2, "processing": 2}  # begun is on its way as well

    for word, count in counts.items():
        found = history().page(Asked(status=word), 20).entries
        assert found == [entry for entry in everything if entry.status == word]
        assert len(found) == count
        assert untried.id not in {entry.id for entry in found}


def test_a_year_begins_at_midnight_where_the_customer_lives(given: Given, customer: Customer, history) -> None:
    new_year = datetime(2025, 12, 31, 23, 0, tzinfo=UTC)  # midnight in Berlin
    this = given.invoice(customer, invoice_date=new_year)
    last = given.invoice(customer, invoice_date=new_year - timedelta(seconds=1))
    given.invoice(customer, invoice_date=datetime(2023, 5, 1, tzinfo=UTC))

    assert [entry.id for entry in history().page(Asked(year=2026), 9).entries] == [this.id]
    assert [entry.id for entry in history().page(Asked(year=2025), 9).entries] == [last.id]
    assert history().years() == [2026, 2025, 2024, 2023]


def test_a_customer_without_invoices_has_no_years_and_owes_nothing(history) -> None:
    assert history().years() == []
    assert history().owing(9) == ([], [])
    assert history().page(Asked(), 9).entries == []


def test_what_is_owed_is_added_for_each_currency_by_itself(
    given: Given, customer: Customer, history, clock: Clock
) -> None:
    late = given.invoice(customer, due=date(2026, 11, 1))
    Payment.record(late, clock.now, "test", received_on=TODAY, amount=1000)
    given.invoice(customer, due=date(2026, 12, 1))
    given.invoice(customer, (("Support", "3", "400"),), currency="JPY")
    moments.void(given.invoice(customer), clock.now, "test")

    entries, owing = history().owing(2)

    assert [(entry.remaining, entry.due_date) for entry in entries] == [
        (3000, date(2026, 11, 1)),
        (4000, date(2026, 12, 1)),
    ]
    assert [(one.currency, one.count, one.remaining) for one in owing] == [("JPY", 1, 1200), ("USD", 2, 7000)]


def test_another_customers_invoices_are_not_in_the_history(given: Given, acme: Account, history) -> None:
    given.invoice(given.customer(acme))

    assert history().page(Asked(), 9).entries == []


def test_a_key_is_read_back_from_its_text() -> None:
    assert Key.read(str(Key(-5, "a" * 16))) == Key(-5, "a" * 16)
