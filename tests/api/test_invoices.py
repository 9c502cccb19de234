"""One-off invoices over the API: what is taken, what is refused, and what each verb changes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest

from portal.models import moments
from portal.models.account import Account
from portal.models.customer import BalanceTransaction, Customer
from portal.models.invoice import Invoice
from portal.models.outbox import Letter
from portal.models.record import Record
from tests.api.conftest import Call
from tests.conftest import Clock
from tests.given import Given

VALIDATION = "https://docs.withorb.com/reference/error-responses#400-request-validation-errors"
CONSTRAINT = "https://docs.withorb.com/reference/error-responses#400-constraint-violation"


def line(item_id: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "Onboarding",
        "item_id": item_id,
        "model_type": "unit",
        "quantity": 2,
        "unit_config": {"unit_amount": "15.25"},
        "start_date": "2026-11-01",
        "end_date": "2026-12-01",
        **more,
    }


@pytest.fixture
def customer(acme: Account, given: Given) -> Customer:
    return given.customer(acme, external_id="globex")


@pytest.fixture
def wanted(acme: Account, given: Given, customer: Customer) -> dict[str, Any]:
    """A body that is taken."""
    lines = [line(given.item(acme).id)]
    return {"customer_id": customer.id, "currency": "USD", "invoice_date": "2026-11-23", "line_items": lines}


def made(call: Call, wanted: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = call("POST", "/invoices", {**wanted, **more})
    assert response.status_code == 201, response.get_data(as_text=True)
    return orjson.loads(response.data)


def refused(call: Call, wanted: dict[str, Any], **more: Any) -> str:
    """The sentence that an invoice was refused with; nothing was left behind."""
    before = Invoice.select().count()
    response = call("POST", "/invoices", {**wanted, **more})
    assert response.status_code == 400, response.get_data(as_text=True)
    assert Invoice.select().count() == before
    return str(response.json["detail"])


# Creating.


def test_every_key_is_there_and_null_where_there_is_nothing(call: Call, wanted: dict[str, Any]) -> None:
    invoice = made(call, wanted)

    absent = """due_date hosted_invoice_url invoice_pdf issue_failed_at issued_at maximum maximum_amount memo minimum
        minimum_amount paid_at payment_failed_at payment_received_at payment_started_at scheduled_issue_at subscription
        shipping_address billing_address customer_tax_id sync_failed_at voided_at discount payment_methods"""
    assert {name: invoice[name] for name in absent.split()} == dict.fromkeys(absent.split())
    assert invoice["invoice_number"] == ""
    assert invoice["status"] == "draft"
    assert invoice["amount_due"] == "30.50"
    assert invoice["amount_remaining"] == "0.00"
    assert invoice["customer"] == {"id": wanted["customer_id"], "external_customer_id": "globex"}
    assert invoice["eligible_to_issue_at"] == "2026-11-23T12:00:00+00:00"
    assert invoice["auto_collection"] == {
        "enabled": False,
        "next_attempt_at": None,
        "num_attempts": None,
        "previously_attempted_at": None,
    }


def test_the_customer_is_named_by_one_of_two_ids(call: Call, wanted: dict[str, Any]) -> None:
    by_external_id = {name: value for name, value in wanted.items() if name != "customer_id"}

    assert made(call, by_external_id, external_customer_id="globex")["customer"]["id"] == wanted["customer_id"]
    assert "one of customer_id and external_customer_id" in refused(call, wanted, external_customer_id="globex")
    assert "one of customer_id and external_customer_id" in refused(call, by_external_id)


def test_another_accounts_customer_and_item_do_not_exist(
    call: Call, wanted: dict[str, Any], bolt: Account, given: Given
) -> None:
    foreign, item = given.customer(bolt, external_id="theirs"), given.item(bolt)

    answers = [call("POST", "/invoices", {**wanted, "customer_id": id}) for id in (foreign.id, "nosuchcustomer00")] + [
        call("POST", "/invoices", {**wanted, "line_items": [line(id)]}) for id in (item.id, "nosuchitem000000")
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert answers[0].data == answers[1].data
    assert answers[2].data == answers[3].data


def test_the_currency_is_the_customers_or_becomes_it(
    call: Call, wanted: dict[str, Any], acme: Account, given: Given
) -> None:
    assert "currency must be USD" in refused(call, wanted, currency="EUR")
    free = given.customer(acme, currency=None)

    made(call, wanted, customer_id=free.id, currency="JPY")

    assert Customer.get_by_id(free.id).currency == "JPY"
    assert "currency must be JPY" in refused(call, wanted, customer_id=free.id)


def test_dates_are_days_where_the_customer_is(call: Call, wanted: dict[str, Any], acme: Account, given: Given) -> None:
    there = given.customer(acme, timezone="America/New_York")

    invoice = made(call, wanted, customer_id=there.id, due_date="2026-12-23", will_auto_issue=True)

    assert invoice["invoice_date"] == "2026-11-23T05:00:00+00:00"
    assert invoice["due_date"] == "2026-12-23T05:00:00+00:00"
    assert invoice["line_items"][0]["start_date"] == "2026-11-01T04:00:00+00:00"  # still summer time
    assert invoice["line_items"][0]["end_date"] == "2026-12-01T05:00:00+00:00"


def test_a_due_date_as_it_was_read_is_the_same_day(
    call: Call, wanted: dict[str, Any], acme: Account, given: Given
) -> None:
    there = given.customer(acme, timezone="America/New_York")

    invoice = made(call, wanted, customer_id=there.id, due_date="2026-12-23T05:00:00+00:00")

    assert invoice["due_date"] == "2026-12-23T05:00:00+00:00"


def test_an_invoice_date_is_at_most_a_year_ahead(call: Call, wanted: dict[str, Any]) -> None:
    assert made(call, wanted, invoice_date="2027-11-23")["invoice_date"] == "2027-11-23T00:00:00+00:00"
    assert "one year" in refused(call, wanted, invoice_date="2027-11-26")


@pytest.mark.parametrize(
    ("date", "issued"),
    [("2026-11-22", True), ("2026-11-23", True), ("2026-11-23T20:00:00Z", True), ("2026-11-24", False)],
)
def test_it_issues_itself_once_its_date_has_come(call: Call, wanted: dict[str, Any], date: str, issued: bool) -> None:
    invoice = made(call, wanted, invoice_date=date, will_auto_issue=True)

    assert (invoice["status"] == "issued") is issued
    assert (invoice["scheduled_issue_at"] is None) is issued
    if not issued:
        assert invoice["will_auto_issue"] is True
        assert invoice["scheduled_issue_at"] == invoice["eligible_to_issue_at"] == "2026-11-24T00:00:00+00:00"


def test_one_thing_says_when_it_is_due(call: Call, wanted: dict[str, Any]) -> None:
    assert "cannot both be given" in refused(call, wanted, net_terms=1, due_date="2026-12-01")
    assert made(call, wanted, net_terms=0, will_auto_issue=True)["due_date"] == "2026-11-23T00:00:00+00:00"
    assert made(call, wanted, net_terms=None, due_date="2026-01-01")["due_date"] == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("discount", "total"),
    [
        ({"discount_type": "percentage", "percentage_discount": Decimal("0.1")}, "27.45"),
        ({"discount_type": "percentage", "percentage_discount": 1}, "0.00"),
        ({"discount_type": "amount", "amount_discount": "0.55", "filters": [], "applies_to_price_ids": None}, "29.95"),
        ({"discount_type": "amount", "amount_discount": "999"}, "0.00"),
    ],
)
def test_a_discount_comes_off(call: Call, wanted: dict[str, Any], discount: dict[str, Any], total: str) -> None:
    body = {**wanted, "discount": {**discount, "reason": "Loyal"}}
    sent = orjson.dumps(body, default=lambda value: orjson.Fragment(str(value)))

    response = call("POST", "/invoices", data=sent)

    assert response.status_code == 201, response.data
    assert response.json["total"] == total
    assert response.json["subtotal"] == "30.50"
    assert response.json["discount"] == response.json["discounts"][0]
    assert response.json["discount"]["reason"] == "Loyal"
    assert response.json["discount"]["discount_type"] == discount["discount_type"]


@pytest.mark.parametrize(
    ("discount", "sentence"),
    [
        ({"discount_type": "usage", "usage_discount": 3}, "must be percentage or amount"),
        ({"discount_type": "trial", "trial_amount_discount": "3"}, "must be percentage or amount"),
        ({"discount_type": "tiered_percentage", "tiers": []}, "must be percentage or amount"),
        ({"discount_type": "percentage"}, "discount.percentage_discount is required"),
        ({"discount_type": "percentage", "percentage_discount": 2}, "between 0 and 1"),
        ({"discount_type": "percentage", "percentage_discount": "0.1"}, "must be a number"),
        ({"discount_type": "amount", "amount_discount": 5}, "amount as text"),
        ({"discount_type": "amount", "amount_discount": "-5"}, "must not be negative"),
        ({"discount_type": "amount", "amount_discount": "5", "filters": [{}]}, "covers the whole invoice"),
        ({"discount_type": "amount", "amount_discount": "5", "color": 1}, "discount.color is not known here"),
    ],
)
def test_other_discounts_are_refused_in_a_sentence(
    call: Call, wanted: dict[str, Any], discount: dict[str, Any], sentence: str
) -> None:
    assert sentence in refused(call, wanted, discount=discount)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"quantity": "2"}, "line_items.0.quantity must be a number"),
        ({"quantity": True}, "line_items.0.quantity must be a number"),
        ({"unit_config": {"unit_amount": 15.25}}, "amount as text"),
        ({"unit_config": {"unit_amount": "1e3"}}, "is not a number"),
        ({"unit_config": {}}, "line_items.0.unit_config.unit_amount is required"),
        ({"model_type": "tiered"}, "line_items.0.model_type must be 'unit'"),
        ({"start_date": "2026-12-02"}, "line_items.0.end_date is exclusive"),
        ({"start_date": "2026-02-30"}, "a day and a time that exist"),
        ({"start_date": "9999-12-31", "end_date": "9999-12-31"}, "must lie between"),
        ({"name": ""}, "line_items.0.name must not be empty"),
        ({"name": None}, "line_items.0.name must be text"),
        ({"tax": 1}, "line_items.0.tax is not known here"),
        ({"quantity": 10**23}, "may be at most"),
    ],
)
def test_a_line_is_refused_by_name(call: Call, wanted: dict[str, Any], change: dict[str, Any], sentence: str) -> None:
    lines = [{**wanted["line_items"][0], **change}]

    assert sentence in refused(call, wanted, line_items=lines)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"line_items": []}, "line_items must have at least 1"),
        ({"line_items": "x"}, "line_items must be a list"),
        ({"currency": "usd"}, "is not an ISO 4217 currency"),
        ({"currency": None}, "currency must be text"),
        ({"invoice_date": 5}, "invoice_date must be a date"),
        ({"net_terms": -1}, "net_terms must be 0 or more"),
        ({"net_terms": 30.0}, "net_terms must be a whole number"),
        ({"net_terms": 10**9}, "net_terms must be 3650 or less"),
        ({"payment_methods": ["cash"]}, "payment_methods must be a list of some of"),
        ({"payment_methods": []}, "payment_methods must have at least 1"),
        ({"will_auto_issue": "yes"}, "will_auto_issue must be true or false"),
        ({"metadata": {"a": 1}}, "metadata.a must be text"),
        ({"account_id": "x"}, "account_id is not known here"),
        ({"document": {}}, "document is not known here"),
        ({"number": "1"}, "number is not known here"),
    ],
)
def test_a_field_is_refused_by_name(call: Call, wanted: dict[str, Any], change: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(call, wanted, **change)


def test_what_orb_has_and_we_do_not_decide_has_no_effect(call: Call, wanted: dict[str, Any]) -> None:
    invoice = made(call, wanted, status="paid", total="0.00", amount_due="0", invoice_number="X-1", id="mine")

    assert (invoice["status"], invoice["total"], invoice["invoice_number"]) == ("draft", "30.50", "")
    assert invoice["id"] != "mine"


def test_amounts_may_be_negative_or_nothing(call: Call, wanted: dict[str, Any]) -> None:
    item_id = wanted["line_items"][0]["item_id"]
    back = line(item_id, unit_config={"unit_amount": "-20"}, quantity=1)
    free = line(item_id, quantity=0)

    invoice = made(call, wanted, line_items=[*wanted["line_items"], back, free])

    assert [one["amount"] for one in invoice["line_items"]] == ["30.50", "-20.00", "0.00"]
    assert invoice["total"] == "10.50"


def test_numbers_go_out_as_exactly_as_they_came_in(call: Call, wanted: dict[str, Any]) -> None:
    sent = orjson.dumps({**wanted, "line_items": [{**wanted["line_items"][0], "quantity": "Q"}]})

    response = call("POST", "/invoices", data=sent.replace(b'"Q"', b"1234567890.123456789012345"))

    assert b'"quantity":1234567890.123456789012345,' in response.data
    assert b'"fixed_price_quantity":1234567890.123456789012345,' in response.data
    assert response.json["total"] == "18827160324.38"


def test_yen_and_dinars_have_their_own_decimals(
    call: Call, wanted: dict[str, Any], acme: Account, given: Given
) -> None:
    yen, dinar = given.customer(acme, currency="JPY"), given.customer(acme, currency="KWD")

    assert made(call, wanted, customer_id=yen.id, currency="JPY")["total"] == "31"
    assert made(call, wanted, customer_id=dinar.id, currency="KWD")["total"] == "30.500"


def test_idle_lines_may_be_left_out_and_still_count(call: Call, wanted: dict[str, Any]) -> None:
    item_id = wanted["line_items"][0]["item_id"]
    id = made(call, wanted, line_items=[*wanted["line_items"], line(item_id, quantity=0)])["id"]

    whole = call("GET", f"/invoices/{id}").json
    short = call("GET", f"/invoices/{id}?include_zero_quantity_line_items=false").json

    assert (len(whole["line_items"]), whole["hidden_line_item_count"]) == (2, 0)
    assert (len(short["line_items"]), short["hidden_line_item_count"]) == (1, 1)
    assert short["total"] == whole["total"]


# Issuing.


def test_only_a_draft_whose_time_has_come_is_issued_by_hand(call: Call, wanted: dict[str, Any], clock: Clock) -> None:
    later = made(call, wanted, invoice_date="2026-11-25")["id"]
    by_itself = made(call, wanted, invoice_date="2026-11-25", will_auto_issue=True)["id"]

    assert "cannot be issued before 2026-11-25T00:00" in call("POST", f"/invoices/{later}/issue").json["detail"]
    clock.advance(days=2)
    assert "issues itself" in call("POST", f"/invoices/{by_itself}/issue").json["detail"]
    assert call("POST", f"/invoices/{later}/issue").json["status"] == "issued"
    again = call("POST", f"/invoices/{later}/issue")
    assert (again.status_code, again.json["type"]) == (400, CONSTRAINT)
    assert again.json["detail"] == "Only a draft can be issued; this invoice is issued."


def test_issuing_takes_an_empty_body_and_nothing_unknown(call: Call, wanted: dict[str, Any]) -> None:
    first, second = made(call, wanted)["id"], made(call, wanted)["id"]

    assert call("POST", f"/invoices/{first}/issue", headers={"Content-Type": "application/json"}).status_code == 200
    assert call("POST", f"/invoices/summary/{second}/issue", {"synchronous": False}).status_code == 200
    assert call("POST", f"/invoices/{first}/issue", {"now": True}).json["detail"] == "now is not known here."


def test_credit_is_applied_at_issue_and_shown(
    call: Call, wanted: dict[str, Any], customer: Customer, clock: Clock
) -> None:
    BalanceTransaction.move(customer, 1000, "manual_adjustment", clock.now)

    invoice = made(call, wanted, will_auto_issue=True)

    assert (invoice["total"], invoice["amount_due"], invoice["amount_remaining"]) == ("30.50", "20.50", "20.50")
    moves = invoice["customer_balance_transactions"]
    assert [(one["action"], one["type"], one["amount"]) for one in moves] == [
        ("applied_to_invoice", "decrement", "10.00")
    ]
    assert (moves[0]["starting_balance"], moves[0]["ending_balance"]) == ("10.00", "0.00")
    assert moves[0]["invoice"] == {"id": invoice["id"]}


def test_an_issued_invoice_keeps_the_address_it_was_issued_with(
    call: Call, wanted: dict[str, Any], customer: Customer
) -> None:
    address = {"line1": "Old Rd 1", "city": "Ur", "country": "IQ"}
    call("PUT", f"/customers/{customer.id}", {"billing_address": address})
    issued, draft = made(call, wanted, will_auto_issue=True), made(call, wanted)

    call("PUT", f"/customers/{customer.id}", {"billing_address": {**address, "line1": "New Rd 2"}})

    assert call("GET", f"/invoices/{issued['id']}").json["billing_address"]["line1"] == "Old Rd 1"
    assert call("GET", f"/invoices/{draft['id']}").json["billing_address"]["line1"] == "New Rd 2"


# Changing.


def test_terms_and_a_due_date_take_each_others_place(call: Call, wanted: dict[str, Any]) -> None:
    id = made(call, wanted, due_date="2026-12-01")["id"]

    assert call("PUT", f"/invoices/{id}", {"net_terms": 10}).json["due_date"] is None
    assert call("PUT", f"/invoices/{id}", {"due_date": "2026-12-24"}).json["due_date"][:10] == "2026-12-24"
    assert call("POST", f"/invoices/{id}/issue").json["due_date"][:10] == "2026-12-24"


def test_an_issued_invoice_takes_metadata_and_methods_only(call: Call, wanted: dict[str, Any]) -> None:
    id = made(call, wanted, will_auto_issue=True, metadata={"a": "1"})["id"]

    for body in (
        {"net_terms": 5},
        {"due_date": "2026-12-01"},
        {"invoice_date": "2026-11-01"},
        {"auto_collection": True},
    ):
        answer = call("PUT", f"/invoices/{id}", body)
        assert (answer.status_code, answer.json["type"]) == (400, CONSTRAINT)
        assert answer.json["detail"] == f"Only on a draft can {next(iter(body))} be changed; this invoice is issued."

    changed = call("PUT", f"/invoices/{id}", {"metadata": {"b": "2"}, "payment_methods": ["bank_transfer"]}).json
    assert changed["metadata"] == {"a": "1", "b": "2"}
    assert changed["payment_methods"] == ["bank_transfer"]


def test_an_invoice_is_narrowed_when_it_is_made_and_widened_again(call: Call, wanted: dict[str, Any]) -> None:
    invoice = made(call, wanted, payment_methods=["us_bank_account", "card"])

    assert invoice["payment_methods"] == ["us_bank_account", "card"]
    assert call("PUT", f"/invoices/{invoice['id']}", {"payment_methods": None}).json["payment_methods"] is None


def test_methods_stay_once_nothing_may_be_paid(call: Call, wanted: dict[str, Any]) -> None:
    paid, void = (made(call, wanted, will_auto_issue=True)["id"] for _ in range(2))
    call("POST", f"/invoices/{paid}/mark_paid", {"payment_received_date": "2026-11-23"})
    call("POST", f"/invoices/{void}/void")

    for id in (paid, void):
        assert call("PUT", f"/invoices/{id}", {"payment_methods": ["card"]}).status_code == 400
        assert call("PUT", f"/invoices/{id}", {"metadata": {"k": "v"}}).json["metadata"] == {"k": "v"}


def test_a_draft_moved_to_another_date_may_be_issued_then(call: Call, wanted: dict[str, Any]) -> None:
    id = made(call, wanted)["id"]

    moved = call("PUT", f"/invoices/{id}", {"invoice_date": "2026-11-30"}).json

    assert moved["eligible_to_issue_at"] == "2026-11-30T00:00:00+00:00"
    assert call("POST", f"/invoices/{id}/issue").status_code == 400
    assert call("PUT", f"/invoices/{id}", {"invoice_date": "2028-11-30"}).status_code == 400


# Paying by hand and voiding.


@pytest.mark.parametrize("day", ["2026-11-20", "2026-11-20T23:30:00-05:00", "2026-11-21T04:30:00Z"])
def test_money_that_came_is_written_down(
    call: Call, wanted: dict[str, Any], acme: Account, given: Given, day: str
) -> None:
    there = given.customer(acme, timezone="America/New_York")
    id = made(call, wanted, customer_id=there.id, will_auto_issue=True)["id"]

    paid = call("POST", f"/invoices/{id}/mark_paid", {"payment_received_date": day, "external_id": "w", "notes": "n"})

    assert paid.json["status"] == "paid"
    assert paid.json["payment_received_at"] == "2026-11-20T05:00:00+00:00"
    assert paid.json["paid_at"] == "2026-11-23T12:00:00+00:00"
    assert (paid.json["amount_due"], paid.json["amount_remaining"]) == ("30.50", "0.00")
    again = call("POST", f"/invoices/{id}/mark_paid", {"payment_received_date": day})
    assert again.json["detail"] == "Only an issued invoice can be paid; this one is paid."


def test_paying_needs_a_day_and_an_issued_invoice(call: Call, wanted: dict[str, Any]) -> None:
    draft = made(call, wanted)["id"]

    assert "payment_received_date is required" in call("POST", f"/invoices/{draft}/mark_paid").json["detail"]
    assert call("POST", f"/invoices/{draft}/mark_paid", {"payment_received_date": "2026-11-20"}).status_code == 400


def test_voiding_gives_the_credit_back(call: Call, wanted: dict[str, Any], customer: Customer, clock: Clock) -> None:
    BalanceTransaction.move(customer, 1000, "manual_adjustment", clock.now)
    id = made(call, wanted, will_auto_issue=True)["id"]
    clock.advance(seconds=1)

    void = call("POST", f"/invoices/{id}/void").json

    assert (void["status"], void["amount_remaining"]) == ("void", "0.00")
    assert [one["action"] for one in void["customer_balance_transactions"]] == [
        "applied_to_invoice",
        "return_from_voiding",
    ]
    assert Customer.get_by_id(customer.id).balance == 1000
    assert call("POST", f"/invoices/{id}/void").status_code == 400
    assert call("POST", f"/invoices/{made(call, wanted)['id']}/void").status_code == 400


# Sending.


def test_a_letter_is_queued_each_time_it_is_asked_for(call: Call, wanted: dict[str, Any]) -> None:
    id = made(call, wanted, will_auto_issue=True)["id"]

    first, second = (call("POST", f"/invoices/{id}/send") for _ in range(2))

    assert first.status_code == second.status_code == 202
    assert first.json["status"] == "queued"
    assert first.json["id"] != second.json["id"]
    letters = Letter.select().where(Letter.invoice_id == id)
    assert {letter.kind for letter in letters} == {"invoice"}
    assert {first.json["id"], second.json["id"]} < {letter.id for letter in letters}


def test_drafts_and_void_invoices_are_not_sent(call: Call, wanted: dict[str, Any]) -> None:
    draft, void = made(call, wanted)["id"], made(call, wanted, will_auto_issue=True)["id"]
    call("POST", f"/invoices/{void}/void")

    assert call("POST", f"/invoices/{draft}/send").status_code == 400
    assert call("POST", f"/invoices/{void}/send").status_code == 400


# Everywhere.


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"metadata": {"a": "1"}}),
        ("POST", "/issue", None),
        ("POST", "/void", None),
        ("POST", "/mark_paid", {"payment_received_date": "2026-11-23"}),
        ("POST", "/send", None),
    ],
)
def test_anothers_invoice_does_not_exist(
    call: Call, bolt: Account, given: Given, method: str, tail: str, body: Any
) -> None:
    theirs = given.invoice(given.customer(bolt), issued=tail != "/issue")

    foreign = call(method, f"/invoices/{theirs.id}{tail}", body)
    unknown = call(method, f"/invoices/nosuchinvoice000{tail}", body)

    assert (foreign.status_code, foreign.data) == (404, unknown.data)
    assert Invoice.get_by_id(theirs.id).status == theirs.status


def test_each_deed_says_who_did_it(call: Call, wanted: dict[str, Any]) -> None:
    id = made(call, wanted, will_auto_issue=True)["id"]
    call("POST", f"/invoices/{id}/mark_paid", {"payment_received_date": "2026-11-23"})

    records = list(Record.select().where(Record.subject == id).order_by(Record.at, Record.deed))

    assert sorted(record.deed for record in records) == ["invoice.created", "invoice.issued", "payment.recorded"]
    assert all(record.actor.startswith("api:") for record in records)


def test_a_retried_creation_makes_one_invoice_and_tells_its_link_again(call: Call, wanted: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "once"}
    body = {**wanted, "will_auto_issue": True}

    first, second = (call("POST", "/invoices", body, headers=headers) for _ in range(2))

    assert second.headers["Idempotent-Replayed"] == "true"
    assert orjson.loads(first.data) == orjson.loads(second.data)
    assert first.json["hosted_invoice_url"].startswith("http://127.0.0.1:8000/i/")


def test_an_issued_number_follows_the_one_before(call: Call, wanted: dict[str, Any], acme: Account) -> None:
    numbers = [made(call, wanted, will_auto_issue=True)["invoice_number"] for _ in range(3)]

    assert numbers == [f"{acme.number_prefix}-0000{n}" for n in (1, 2, 3)]


def test_a_due_date_before_the_invoice_date_is_taken(call: Call, wanted: dict[str, Any]) -> None:
    invoice = made(call, wanted, due_date=str(date(2025, 1, 1)), will_auto_issue=True)

    link = call("GET", f"/invoices/{invoice['id']}/portal_link").json["link"]
    assert link["expires_at"] == "2027-01-22T12:00:00+00:00"  # never born dead: 60 days from now


def test_what_a_visitor_may_not_know_is_still_on_the_wire(
    call: Call, acme: Account, given: Given, clock: Clock
) -> None:
    row = given.invoice(given.customer(acme), due=date(2026, 12, 1))
    moments.void(row, clock.now, "test")

    assert call("GET", f"/invoices/{row.id}").json["status"] == "void"
    assert call("GET", f"/invoices/{row.id}").json["hosted_invoice_url"]
