"""The company that growth is measured in is a real one: every guard and index in its place, every sum the right one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from benchmarks import _company, growth
from portal.models import base, guards
from portal.models.invoice import Invoice
from portal.models.owing import Owing
from portal.models.payment import Payment
from portal.models.usage import UsageDay

SIZE = 1000


@pytest.fixture(scope="module")
def company(migrated: str, database_kind: str) -> Iterator[_company.Company]:
    bound = base.db.obj
    made = _company.made(database_kind, SIZE)
    yield made
    made.bind()
    base.db.close()
    base.db.initialize(bound)


@pytest.fixture(scope="module")
def usual(migrated: str) -> set[str]:
    """The triggers and indexes of any database."""
    with base.connection():
        return guards.present()


def test_it_has_what_years_of_business_leave_behind(company: _company.Company) -> None:
    company.bind()
    statuses = Counter(status for (status,) in Invoice.select(Invoice.status).tuples())

    assert sum(statuses.values()) == SIZE + 2  # those that the others were copied from
    assert set(statuses) == {"paid", "issued", "void", "draft"}
    assert Invoice.select().where(Invoice.customer == company.large).count() == SIZE / 10
    assert UsageDay.select().count() == SIZE * _company.USAGE_DAYS_AN_INVOICE + 1


def test_its_guards_and_indexes_are_in_place_and_its_sums_are_right(usual: set[str], company: _company.Company) -> None:
    company.bind()
    assert guards.present() == usual
    live: Counter[str] = Counter()
    for invoice in Invoice.select(Invoice.id, Invoice.customer, Invoice.status, Invoice.amount_due):
        live[invoice.customer_id] += invoice.remaining()

    assert {row.customer_id: row.remaining for row in Owing.select()} == {id: left for id, left in live.items() if left}

    before = Owing.of(company.large)[0].remaining
    with base.db.atomic() as transaction:
        held = Invoice.get_by_id(company.open_invoice)
        Payment.record(held, _company.NOW, "test", received_on=_company.NOW.date(), amount=1)
        assert Owing.of(company.large)[0].remaining == before - 1
        transaction.rollback()


def test_all_that_is_measured_can_be_done(company: _company.Company) -> None:
    company.bind()

    for work in growth.WORKS:
        work.do(company, 0)
        work.do(company, 1)
