"""An invoice is collected on its due date and three times after it, by the default method alone, and never twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from portal.cashier import catching_up, collecting
from portal.gateways import Payer as Known
from portal.gateways import Unreachable
from portal.models import moments
from portal.models.account import Account
from portal.models.base import db
from portal.models.collection import LEASE, Collection
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.outbox import Letter
from portal.models.payment import Allocation, Payment
from portal.models.saved_method import Payer, SavedMethod
from tests.attempts import begin, dispute, left, of, paid, tell
from tests.cashier.conftest import NOWHERE, Line
from tests.given import Given
from tests.sandbox import Sandbox

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DUE = datetime(2026, 12, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def nothing_else_is_due(app: None) -> None:
    """Other tests leave invoices behind; here only those of this test are collected."""
    Collection.update(next_at=None).execute()
    Payment.update(ask_at=None).where(Payment.gateway == "sandbox").execute()


def customer_with(
    given: Given, account: Account, sandbox: Sandbox, outcome: str | None, method: str = "card", **fields: Any
) -> Customer:
    """One whose default ends as `outcome` says whenever it is charged."""
    customer = given.customer(account, **fields)
    if outcome:
        keep(customer, sandbox, outcome, method)
    return customer


def keep(customer: Customer, sandbox: Sandbox, outcome: str, method: str = "card") -> SavedMethod:
    payer = sandbox.gateway.payer(Known(customer.id, None, customer.name, customer.email))
    Payer.keep(customer.id, "sandbox", payer)
    kept = sandbox.keep(payer, method, outcome)
    with db.atomic():
        described = {"method": method, "label": kept["label"], "expires": kept.get("expires")}
        return SavedMethod.keep(customer.held(), "sandbox", kept["ref"], NOW, "test", **described)


def due(given: Given, customer: Customer, **fields: Any) -> Invoice:
    return given.invoice(customer, due=DUE.date(), auto_collection=True, **fields)


def collect(gateway: Any, now: datetime) -> list[str]:
    return list(collecting.collect(gateway, NOWHERE, now))


def tries(invoice: Invoice) -> int:
    return int(Collection.get_by_id(invoice.id).tries)


def next_at(invoice: Invoice) -> datetime | None:
    row: Collection = Collection.get_by_id(invoice.id)
    return row.next_at


def test_it_is_charged_on_its_due_date_not_before(given: Given, acme: Account, line: Line, sandbox: Sandbox) -> None:
    invoice = due(given, customer_with(given, acme, sandbox, "4242", timezone="Asia/Tokyo"))
    midnight = DUE - 9 * HOUR  # in Tokyo

    assert collect(line, midnight - timedelta(seconds=1)) == []
    assert collect(line, midnight) == [f"collected invoice {invoice.number}: succeeded"]

    (payment,) = Payment.of(invoice.id)
    assert (left(invoice), payment.automatic, payment.created_by) == (("paid", 0), True, "system")
    assert next_at(invoice) is None
    assert collect(line, DUE + 30 * DAY) == []


@pytest.mark.parametrize("how", ["no auto collection", "no date", "past"])
def test_without_a_date_it_is_charged_at_once_and_never_where_nobody_agreed(
    given: Given, acme: Account, line: Line, sandbox: Sandbox, how: str
) -> None:
    customer = customer_with(given, acme, sandbox, "4242")
    day = {"no auto collection": NOW.date(), "no date": None, "past": date(2026, 1, 1)}[how]
    invoice = given.invoice(customer, due=day, auto_collection=how != "no auto collection")

    collect(line, NOW)

    assert left(invoice)[0] == ("issued" if how == "no auto collection" else "paid")


def test_after_a_failure_it_is_tried_on_the_first_fourth_and_ninth_day_and_then_no_more(
    given: Given, acme: Account, line: Line, sandbox: Sandbox
) -> None:
    invoice = due(given, customer_with(given, acme, sandbox, "0002"))

    tried = [hours for hours in range(0, 24 * 15, 6) if collect(line, DUE + hours * HOUR)]

    assert [hours / 24 for hours in tried] == [0, 1, 4, 9]
    assert (tries(invoice), next_at(invoice), left(invoice)) == (4, None, ("issued", 4000))
    payments = [one.payment_id for one in Allocation.select().where(Allocation.invoice == invoice.id)]
    letters = Letter.select().where(Letter.payment_id.in_(payments))
    assert [row.kind for row in letters] == ["payment_failed"] * 4


def test_days_are_counted_from_the_failure_where_money_was_on_its_way(
    given: Given, acme: Account, line: Line, sandbox: Sandbox
) -> None:
    invoice = due(given, customer_with(given, acme, sandbox, "fails", "us_bank_account"))
    assert collect(line, DUE) == [f"collected invoice {invoice.number}: processing"]

    assert collect(line, DUE + 2 * DAY) == []  # it may still come
    ref = str(Payment.get(Payment.customer == invoice.customer_id).gateway_ref)
    sandbox.settle(ref)
    list(catching_up.resolve(line, NOWHERE, DUE + 3 * DAY))
    tried = [hours for hours in range(0, 48, 6) if collect(line, DUE + 3 * DAY + hours * HOUR)]

    assert (tried, tries(invoice)) == ([24], 2)


def test_without_a_default_it_waits_and_no_try_counts(
    given: Given, acme: Account, line: Line, sandbox: Sandbox
) -> None:
    customer = customer_with(given, acme, sandbox, None)
    invoice = due(given, customer)

    assert [collect(line, DUE + days * DAY) for days in range(5)] == [[]] * 5
    assert (tries(invoice), next_at(invoice)) == (0, DUE + 5 * DAY)
    keep(customer, sandbox, "4242")
    collect(line, DUE + 5 * DAY)

    assert left(invoice) == ("paid", 0)


def test_a_default_that_may_not_pay_this_invoice_is_not_charged(
    given: Given, acme: Account, line: Line, sandbox: Sandbox
) -> None:
    customer = customer_with(given, acme, sandbox, "4242")
    invoice = due(given, customer, payment_methods=["us_bank_account"])

    collect(line, DUE)

    assert (line.asked, tries(invoice), next_at(invoice)) == ([], 0, DUE + DAY)


def test_while_somebody_is_paying_it_waits(given: Given, acme: Account, line: Line, sandbox: Sandbox) -> None:
    invoice = due(given, customer_with(given, acme, sandbox, "4242"))
    payment = begin(invoice, now=NOW, method="us_bank_account")

    collect(line, DUE)
    assert (line.asked, next_at(invoice)) == ([], DUE + HOUR)
    tell(of(payment, "failed"), DUE)
    collect(line, DUE + HOUR)

    assert left(invoice) == ("paid", 0)


def test_what_is_left_after_a_part_was_paid_is_collected(
    given: Given, acme: Account, line: Line, sandbox: Sandbox
) -> None:
    invoice = due(given, customer_with(given, acme, sandbox, "4242"))
    paid(invoice, amounts=(1500,), now=NOW)

    collect(line, DUE)

    assert sorted(payment.amount for payment in Payment.of(invoice.id)) == [1500, 2500]


@pytest.mark.parametrize("why", ["paid", "by hand", "void", "returned"])
def test_it_stops_where_nothing_is_to_be_charged(
    given: Given, acme: Account, line: Line, sandbox: Sandbox, why: str
) -> None:
    invoice = due(given, customer_with(given, acme, sandbox, "4242"))
    if why == "by hand":
        Payment.record(invoice, NOW, "test", received_on=NOW.date())
    elif why == "void":
        moments.void(invoice, NOW, "test")
    else:
        payment = paid(invoice, now=NOW)
        if why == "returned":
            tell(dispute(payment, "lost", 4000), NOW)

    assert collect(line, DUE) == []
    assert (line.asked, next_at(invoice)) == ([], None)


def test_nothing_is_charged_for_a_closed_account(given: Given, acme: Account, line: Line, sandbox: Sandbox) -> None:
    invoice = due(given, customer_with(given, acme, sandbox, "4242"))
    Account.update(closed_at=NOW).where(Account.id == acme.id).execute()

    collect(line, DUE)

    assert (line.asked, left(invoice)) == ([], ("issued", 4000))


def test_play_money_pays_nothing_real(given: Given, app: None, line: Line, sandbox: Sandbox) -> None:
    live = Account.open("Live", NOW, mode="live", by="test")
    invoice = due(given, customer_with(given, live, sandbox, "4242"))

    collect(line, DUE)

    assert (line.asked, left(invoice)) == ([], ("issued", 4000))


def test_what_a_worker_took_and_did_not_finish_is_taken_again(given: Given, acme: Account) -> None:
    invoice = due(given, given.customer(acme))

    with db.atomic():
        first = Collection.take(DUE, 9)
    with db.atomic():
        second = Collection.take(DUE, 9)
    with db.atomic():
        again = Collection.take(DUE + LEASE, 9)

    assert ([row.invoice_id for row in first], second) == ([invoice.id], [])
    assert [row.invoice_id for row in again] == [invoice.id]


def test_a_charge_whose_answer_is_lost_is_one_try_and_one_charge(
    given: Given, acme: Account, line: Line, sandbox: Sandbox
) -> None:
    invoice = due(given, customer_with(given, acme, sandbox, "4242"))
    line.loses = {"start"}
    with pytest.raises(Unreachable):
        collect(line, DUE)
    line.loses = set()

    assert [collect(line, DUE + days * DAY) for days in (0, 1)] == [[], []]
    list(catching_up.resolve(line, NOWHERE, DUE + HOUR))
    (payment,) = Payment.of(invoice.id)

    assert (tries(invoice), left(invoice)) == (1, ("paid", 0))
    assert len(sandbox.payments(payment.id)) == 1
