"""The official SDK, unmodified and strict, on lines that are put on a draft by hand and taken off again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import orb as sdk
import pytest
from orb import Orb

from portal.delivery import worker
from portal.models import drafting
from portal.models.account import Account
from portal.models.catalog import Metric
from portal.models.invoice import Invoice
from tests.conftest import Clock
from tests.given import Given


@pytest.fixture
def draft(acme: Account, given: Given) -> str:
    """One of 40.00, less ten in a hundred."""
    terms = {"discounts": [{"type": "percentage_discount", "value": "0.1", "reason": None}]}
    invoice = given.invoice(given.customer(acme, timezone="America/New_York"), issued=False, terms=terms)
    return invoice.id


def add(orb: Orb, invoice_id: str, **more: Any) -> Any:
    line = {
        "amount": "12.00",
        "quantity": 3,
        "start_date": "2026-11-01",
        "end_date": date(2026, 12, 1),
        "name": "Travel",
    }
    return orb.invoice_line_items.create(invoice_id=invoice_id, **{**line, **more})


def test_a_line_is_added_to_a_draft_on_its_terms(orb: Orb, draft: str) -> None:
    line = add(orb, draft)

    assert (line.name, line.quantity, line.subtotal, line.amount) == ("Travel", 3, "12.00", "10.80")
    assert line.price.unit_config.unit_amount == "4.00"
    assert (line.start_date, line.end_date) == (
        datetime(2026, 11, 1, 4, tzinfo=UTC),
        datetime(2026, 12, 1, 5, tzinfo=UTC),
    )
    invoice = orb.invoices.fetch(draft)
    assert (invoice.subtotal, invoice.total, invoice.amount_due) == ("52.00", "46.80", "46.80")
    assert [one.name for one in invoice.line_items] == ["Onboarding", "Extra", "Travel"]
    assert invoice.line_items[-1].to_dict() == line.to_dict()


def test_an_amount_that_does_not_divide_is_kept_to_the_cent(orb: Orb, draft: str) -> None:
    line = add(orb, draft, amount="10.00", quantity=7)

    assert (line.subtotal, line.quantity) == ("10.00", 7)
    assert line.price.unit_config.unit_amount == "1.429"


def test_a_line_may_give_money_back(orb: Orb, draft: str) -> None:
    assert add(orb, draft, amount="-5.00", quantity=1).subtotal == "-5.00"


def test_a_line_is_of_the_item_with_that_id_or_name_or_of_a_new_one(orb: Orb, draft: str) -> None:
    item = orb.items.create(name="Travel")

    by_name, by_id = add(orb, draft), add(orb, draft, name=sdk.omit, item_id=item.id)
    both, new = add(orb, draft, name="Train", item_id=item.id), add(orb, draft, name="Hotel")

    assert [line.price.item.id for line in (by_name, by_id, both)] == [item.id] * 3
    assert [line.name for line in (by_name, by_id, both, new)] == ["Travel", "Travel", "Train", "Hotel"]
    assert {"Hotel", "Travel"} <= {one.name for one in orb.items.list()}


def test_a_line_is_deleted_from_a_draft(orb: Orb, draft: str) -> None:
    line = add(orb, draft)

    assert orb.invoices.delete_line_item(line.id, invoice_id=draft) is None

    invoice = orb.invoices.fetch(draft)
    assert (invoice.total, len(invoice.line_items)) == ("36.00", 2)
    with pytest.raises(sdk.ResourceNotFound):
        orb.invoices.delete_line_item(line.id, invoice_id=draft)


def test_a_draft_may_lose_all_its_lines_and_get_another(orb: Orb, draft: str) -> None:
    for line in orb.invoices.fetch(draft).line_items:
        orb.invoices.delete_line_item(line.id, invoice_id=draft)
    assert orb.invoices.fetch(draft).total == "0.00"

    add(orb, draft)

    assert orb.invoices.issue(draft).total == "10.80"


def test_the_lines_of_an_issued_invoice_stay(orb: Orb, draft: str) -> None:
    invoice = orb.invoices.issue(draft)

    with pytest.raises(sdk.ConstraintViolation, match="draft"):
        add(orb, draft)
    with pytest.raises(sdk.ConstraintViolation, match="draft"):
        orb.invoices.delete_line_item(invoice.line_items[0].id, invoice_id=draft)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": sdk.omit}, "by item_id"),
        ({"quantity": 0}, "quantity must be more than 0"),
        ({"amount": "1.001"}, "too fine"),
        ({"end_date": "2026-10-01"}, "end_date is exclusive"),
    ],
)
def test_a_wrong_line_is_refused_with_a_sentence(orb: Orb, draft: str, wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(sdk.RequestValidationError, match=sentence):
        add(orb, draft, **wrong)


def test_another_accounts_draft_takes_no_line(orb: Orb, bolt: Account, given: Given) -> None:
    theirs = given.invoice(given.customer(bolt), issued=False)

    with pytest.raises(sdk.ResourceNotFound):
        add(orb, theirs.id)


@pytest.fixture
def of_subscription(given: Given, acme: Account, clock: Clock) -> str:
    """A subscription's draft of 20.00 for use that goes on being counted."""
    clock.now = datetime(2026, 10, 20, tzinfo=UTC)
    metric = given.metric(acme)
    customer = given.customer(acme)
    start = date(2026, 10, 20)
    subscription = given.subscription(customer, given.price(metric, "2"), start_date=start, anchor=start)
    given.usage(customer, metric, {start: "10"})
    clock.now = datetime(2026, 11, 20, 1, tzinfo=UTC)
    drafting.schedule(subscription, customer.timezone, clock.now)
    draft = drafting.draft_next(subscription, clock.now, "test")
    assert draft
    return draft.id


def test_a_line_on_a_subscriptions_draft_stays_while_the_rest_is_worked_out_again(
    orb: Orb, of_subscription: str, given: Given
) -> None:
    line = add(orb, of_subscription)
    assert (line.name, line.amount) == ("Travel", "12.00")
    draft = Invoice.get_by_id(of_subscription)
    assert draft.total == 3200  # so that lists tell it too

    metric = Metric.get(Metric.account == draft.account_id)
    given.usage(draft.customer, metric, {date(2026, 10, 21): "5"})

    found = orb.invoices.fetch(of_subscription)
    assert (found.total, [one.name for one in found.line_items]) == ("42.00", ["API calls", "Travel"])
    assert found.line_items[-1].id == line.id


def test_only_a_line_that_was_put_on_a_subscriptions_draft_can_be_deleted(orb: Orb, of_subscription: str) -> None:
    line = add(orb, of_subscription)
    billed = orb.invoices.fetch(of_subscription).line_items[0]

    with pytest.raises(sdk.ConstraintViolation, match="by hand"):
        orb.invoices.delete_line_item(billed.id, invoice_id=of_subscription)
    orb.invoices.delete_line_item(line.id, invoice_id=of_subscription)

    assert orb.invoices.fetch(of_subscription).total == "20.00"


def test_a_line_by_hand_is_issued_with_the_rest(
    orb: Orb, of_subscription: str, clock: Clock, kid: str, acme: Account
) -> None:
    add(orb, of_subscription)
    clock.advance(hours=12)

    list(worker.deeds(clock.now, kid))

    issued = orb.invoices.fetch(of_subscription)
    assert (issued.status, issued.total) == ("issued", "32.00")
    note = orb.credit_notes.create(
        line_items=[{"invoice_line_item_id": issued.line_items[1].id, "amount": "12.00"}], reason="order_change"
    )
    assert note.line_items[0].name == "Travel"
