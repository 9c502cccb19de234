"""Where the periods of a subscription meet, its invoice is drafted once, waits for late events, and is issued."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from peewee import IntegrityError

from portal.delivery import worker
from portal.models import backfill, drafting, moments
from portal.models.account import Account
from portal.models.base import db
from portal.models.bill import Running
from portal.models.catalog import Metric, Price
from portal.models.credit import CreditBlock, CreditEntry
from portal.models.credit_note import CreditNote, Wanted
from portal.models.customer import Customer
from portal.models.drafting import CannotBill
from portal.models.invoice import Invoice, LineDays
from portal.models.subscription import Subscription
from tests.conftest import Clock
from tests.given import Given

START = date(2026, 10, 20)
MEET = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def at_the_start(clock: Clock) -> None:
    clock.now = datetime(2026, 10, 20, 9, tzinfo=UTC)


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme)


def fee(given: Given, account: Account, amount: str, **wire: Any) -> Price:
    named = {"model_type": "unit", "unit_config": {"unit_amount": amount}, "fixed_price_quantity": 1, **wire}
    return Price.add(given.item(account, "Fee"), given.now(), name="Fee", currency="USD", wire=named)


def subscribed(given: Given, customer: Customer, *prices: Price, **fields: Any) -> Subscription:
    found = given.subscription(customer, *prices, **{"start_date": START, "anchor": START, **fields})
    drafting.schedule(found, customer.timezone, given.now())
    return found


def invoices(subscription: Subscription) -> list[Invoice]:
    return list(Invoice.select().where(Invoice.subscription == subscription).order_by(Invoice.billing_date))


def test_a_period_with_usage_is_drafted_at_its_end_and_issued_after_the_grace(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    metric = given.metric(acme)
    subscription = subscribed(given, customer, given.price(metric, "0.5"))
    given.usage(customer, metric, {date(2026, 11, 19): "10", MEET: "99"})

    clock.now = datetime(2026, 11, 19, 23, 59, tzinfo=UTC)
    list(worker.deeds(clock.now, kid))
    assert invoices(subscription) == []

    clock.now = datetime(2026, 11, 20, 0, 1, tzinfo=UTC)
    list(worker.deeds(clock.now, kid))
    (draft,) = invoices(subscription)
    assert (draft.status, draft.total, draft.billing_date) == ("draft", 500, MEET)
    assert draft.eligible_to_issue_at == datetime(2026, 11, 20, 12, tzinfo=UTC)

    given.usage(customer, metric, {date(2026, 11, 19): "12"})  # a late event
    clock.now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    list(worker.deeds(clock.now, kid))
    (issued,) = invoices(subscription)
    assert (issued.status, issued.total, issued.due_date) == ("issued", 600, date(2026, 12, 20))
    (line,) = issued.document["lines"]
    days = LineDays.of(issued.id, line["id"])
    assert days is not None
    assert [day["amount"] for day in days if day["amount"] != "0"] == ["6"]


def test_fees_alone_wait_for_nobody(given: Given, acme: Account, customer: Customer, clock: Clock, kid: str) -> None:
    subscription = subscribed(given, customer, fee(given, acme, "20", billing_mode="in_advance"))

    list(worker.deeds(clock.now, kid))

    (invoice,) = invoices(subscription)
    assert (invoice.status, invoice.total, invoice.billing_date) == ("issued", 2000, START)
    assert subscription.bill_at is not None
    held = Subscription.get_by_id(subscription.id)
    assert (held.billed_to, held.bill_at) == (START, datetime(2026, 11, 20, tzinfo=UTC))


def test_a_worker_that_slept_drafts_all_that_it_missed_in_order(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    subscription = subscribed(given, customer, fee(given, acme, "20"))

    clock.now = datetime(2027, 1, 25, tzinfo=UTC)
    list(worker.deeds(clock.now, kid))

    found = invoices(subscription)
    assert [one.billing_date for one in found] == [MEET, date(2026, 12, 20), date(2027, 1, 20)]
    assert {one.status for one in found} == {"issued"}


def test_the_database_takes_no_second_invoice_of_a_period(
    given: Given, acme: Account, customer: Customer, clock: Clock
) -> None:
    subscription = subscribed(given, customer, fee(given, acme, "20"))
    clock.now = datetime(2026, 11, 21, tzinfo=UTC)
    assert drafting.draft_next(subscription, clock.now, "test")
    assert drafting.draft_next(subscription, clock.now, "test") is None

    Subscription.update(billed_to=None, bill_at=clock.now).where(Subscription.id == subscription.id).execute()
    assert drafting.draft_next(subscription, clock.now, "test") is None

    (draft,) = invoices(subscription)
    with pytest.raises(IntegrityError), db.atomic():
        Invoice.draft(
            customer,
            clock.now,
            "test",
            document=draft.document,
            days={},
            source="subscription",
            subscription=subscription,
            billing_date=draft.billing_date,
            invoice_date=clock.now,
        )


def test_a_draft_is_worked_out_again_whenever_it_is_read_and_issued_as_it_then_is(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    metric = given.metric(acme)
    subscription = subscribed(given, customer, given.price(metric, "1"))
    clock.now = datetime(2026, 11, 20, 1, tzinfo=UTC)
    draft = drafting.draft_next(subscription, clock.now, "test")
    assert draft is not None
    assert draft.total == 0
    lines = [line["id"] for line in draft.document["lines"]]

    given.usage(customer, metric, {START: "7"})
    drafting.work_out_again(draft, clock.now)
    assert (draft.total, [line["id"] for line in draft.document["lines"]]) == (700, lines)
    assert Invoice.get_by_id(draft.id).total == 0  # nothing was written

    issued = moments.issue(draft, clock.now, kid, "test")
    given.usage(customer, metric, {START: "9"})
    assert drafting.work_out_again(issued, clock.now) is None
    assert Invoice.get_by_id(draft.id).total == 700


def test_issuing_takes_prepaid_credits_and_voiding_gives_them_back(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    metric = given.metric(acme)
    subscription = subscribed(given, customer, given.price(metric, "1"))
    from decimal import Decimal

    CreditBlock.give(customer.held(), Decimal(5), "USD", clock.now)
    given.usage(customer, metric, {START: "7"})
    clock.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    list(worker.deeds(clock.now, kid))

    (invoice,) = invoices(subscription)
    assert (invoice.document["credits"], invoice.total, invoice.status) == (500, 200, "issued")
    assert CreditBlock.at_hand(customer.id, "USD", clock.now) == 0
    assert [
        one.invoice_id
        for one in CreditEntry.select().where(CreditEntry.type == "decrement", CreditEntry.customer == customer)
    ] == [invoice.id]

    moments.void(invoice, clock.now, "test")
    assert CreditBlock.at_hand(customer.id, "USD", clock.now) == 500


def test_one_that_is_cancelled_at_once_is_billed_for_the_days_it_ran(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    metric = given.metric(acme)
    subscription = subscribed(given, customer, given.price(metric, "1"))
    given.usage(customer, metric, {START: "7", date(2026, 10, 30): "1", date(2026, 11, 2): "50"})
    clock.now = datetime(2026, 11, 1, 15, tzinfo=UTC)
    changes = {"end_date": date(2026, 11, 2), "ends_at": clock.now}
    Subscription.update(**changes).where(Subscription.id == subscription.id).execute()
    held = Subscription.get_by_id(subscription.id)

    drafting.schedule(held, customer.timezone, clock.now)
    list(worker.deeds(clock.now, kid))

    (invoice,) = invoices(subscription)
    assert (invoice.total, invoice.billing_date) == (800, date(2026, 11, 2))
    assert Subscription.get_by_id(subscription.id).bill_at is None


def test_unused_days_of_a_fee_paid_ahead_become_the_customers_credit(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    subscription = subscribed(given, customer, fee(given, acme, "31", billing_mode="in_advance"))
    list(worker.deeds(clock.now, kid))

    with db.atomic():
        back = drafting.give_back_unused(subscription, customer.held(), date(2026, 11, 10), clock.now)

    assert back == 1000  # 10 of 31 days
    assert Customer.get_by_id(customer.id).balance == 1000


def test_what_cannot_be_worked_out_is_put_off_and_said(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    metric = given.metric(acme)
    price = given.price(metric, model_type="package", package_config={"package_amount": "1", "package_size": 10})
    subscription = subscribed(given, customer, price)
    Price.update(wire={**price.wire, "package_config": {}}).where(Price.id == price.id).execute()
    clock.now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    with pytest.raises(CannotBill):
        drafting.draft_next(subscription, clock.now, "test")
    assert Subscription.get_by_id(subscription.id).bill_at == clock.now + timedelta(hours=1)

    Price.update(wire=price.wire).where(Price.id == price.id).execute()
    clock.now += timedelta(hours=1)
    said = list(worker.deeds(clock.now, kid))
    assert any("drafted an invoice" in line for line in said)


def test_days_are_cut_where_the_customer_lives(given: Given, acme: Account, clock: Clock, kid: str) -> None:
    tokyo = given.customer(acme, timezone="Asia/Tokyo")
    subscription = subscribed(given, tokyo, fee(given, acme, "20"))

    assert subscription.bill_at == datetime(2026, 11, 19, 15, tzinfo=UTC)
    (running,) = Running.of(tokyo.id, START)
    assert running.period.end == MEET


def test_a_draft_that_cannot_be_issued_is_said_and_looked_at_later(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    subscription = subscribed(given, customer, fee(given, acme, "20"))
    clock.now = datetime(2026, 11, 20, 1, tzinfo=UTC)
    draft = drafting.draft_next(subscription, clock.now, "test")
    assert draft is not None
    # As if credits had gone that the bill, which cannot be worked out again, has counted on.
    Invoice.update(billing_date=None, document={**draft.document, "credits": 100}).where(
        Invoice.id == draft.id
    ).execute()

    said = list(worker.deeds(clock.now, kid))

    assert any(line.startswith(f"could not issue invoice {draft.id}") for line in said)
    held = Invoice.get_by_id(draft.id)
    assert (held.status, held.eligible_to_issue_at) == ("draft", clock.now + timedelta(hours=1))


def told_of_late(given: Given, customer: Customer, metric: Metric, clock: Clock, **fields: Any) -> Invoice:
    """The draft of a subscription that begins in the past, told of three days after its period ended."""
    clock.now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    subscription = subscribed(given, customer, given.price(metric, "0.5"), **fields)
    draft = drafting.draft_next(subscription, clock.now, "test")
    assert draft is not None
    return draft


def test_a_subscription_told_of_late_waits_for_its_usage(
    given: Given, acme: Account, customer: Customer, clock: Clock
) -> None:
    draft = told_of_late(given, customer, given.metric(acme), clock)

    assert draft.eligible_to_issue_at == clock.now + timedelta(hours=12)


def test_a_subscription_told_of_after_its_usage_waits_no_longer_than_others(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    metric = given.metric(acme)
    given.usage(customer, metric, {date(2026, 11, 19): "10"})

    draft = told_of_late(given, customer, metric, clock)

    assert draft.eligible_to_issue_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    list(worker.deeds(clock.now, kid))
    issued = Invoice.get_by_id(draft.id)
    assert (issued.status, issued.total) == ("issued", 500)


def test_an_open_backfill_may_bring_more(given: Given, acme: Account, customer: Customer, clock: Clock) -> None:
    metric = given.metric(acme)
    given.usage(customer, metric, {date(2026, 11, 19): "10"})
    of_november = {"start": datetime(2026, 11, 1, tzinfo=UTC), "end": datetime(2026, 11, 20, tzinfo=UTC)}
    more: dict[str, Any] = {"customer": None, "close_at": None, "replaces": False, "deprecation_filter": None}
    backfill.begin(acme, clock.now, "test", **of_november, **more)

    draft = told_of_late(given, customer, metric, clock)

    assert draft.eligible_to_issue_at == clock.now + timedelta(hours=12)


def test_whoever_issues_by_hand_need_not_wait_for_usage_of_the_past(
    given: Given, acme: Account, customer: Customer, clock: Clock
) -> None:
    draft = told_of_late(given, customer, given.metric(acme), clock, auto_issuance=False)

    assert draft.eligible_to_issue_at == datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_nobody_is_billed_for_a_company_that_is_closed(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    subscription = subscribed(given, customer, fee(given, acme, "20"))
    Account.update(closed_at=clock.now).where(Account.id == acme.id).execute()
    clock.now = datetime(2026, 11, 21, tzinfo=UTC)

    list(worker.deeds(clock.now, kid))

    assert invoices(subscription) == []


def test_a_years_fee_that_was_paid_ahead_is_given_back_in_the_middle_of_a_month_too(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    yearly = fee(given, acme, "365", billing_mode="in_advance", cadence="annual")
    subscription = subscribed(given, customer, yearly, given.price(given.metric(acme)))
    list(worker.deeds(clock.now, kid))

    with db.atomic():
        assert drafting.give_back_unused(subscription, customer.held(), date(2027, 10, 10), clock.now) == 1000


def test_what_was_credited_already_is_not_given_back_again(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    subscription = subscribed(given, customer, fee(given, acme, "31", billing_mode="in_advance"))
    list(worker.deeds(clock.now, kid))
    (invoice,) = invoices(subscription)
    line = invoice.document["lines"][0]["id"]
    CreditNote.issue(invoice, [Wanted(line, 2800, None, None)], clock.now, "test", reason="order_change", memo=None)

    with db.atomic():
        assert drafting.give_back_unused(subscription, customer.held(), date(2026, 11, 10), clock.now) == 300


def test_a_minimum_is_asked_for_once_a_period_by_the_bill_that_closes_it(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    prices = fee(given, acme, "20", billing_mode="in_advance"), given.price(given.metric(acme))
    subscription = subscribed(given, customer, *prices, terms={"minimum": 10_000})

    clock.now = datetime(2026, 12, 21, tzinfo=UTC)
    list(worker.deeds(clock.now, kid))

    assert [one.total for one in invoices(subscription)] == [2000, 10_000, 10_000]


def test_a_plan_of_fees_ahead_asks_for_its_minimum_with_each_of_them(
    given: Given, acme: Account, customer: Customer, clock: Clock, kid: str
) -> None:
    subscription = subscribed(
        given, customer, fee(given, acme, "20", billing_mode="in_advance"), terms={"minimum": 10_000}
    )

    list(worker.deeds(clock.now, kid))

    assert [one.total for one in invoices(subscription)] == [10_000]
