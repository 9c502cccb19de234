"""The link of an invoice over the API: its state, a fresh one, its end."""

from __future__ import annotations

from base64 import b64encode
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.models import moments
from portal.models.account import Account
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from portal.models.record import Record
from portal.tokens import Keyring, new_secret
from tests.api.conftest import Call
from tests.conftest import Clock
from tests.given import Given


@pytest.fixture
def invoice(acme: Account, given: Given) -> Invoice:
    return given.invoice(given.customer(acme, timezone="America/New_York"), due=date(2026, 12, 23))


def test_the_state_of_a_live_link(call: Call, invoice: Invoice) -> None:
    state = call("GET", f"/invoices/{invoice.id}/portal_link")

    assert state.status_code == 200
    assert set(state.json) == {"link", "history"}
    assert state.json["history"] == []
    link = state.json["link"]
    assert set(link) == {"id", "kind", "status", "url", "created_at", "created_by", "expires_at"}
    assert (link["kind"], link["status"], link["created_by"]) == ("invoice", "live", "test")
    assert link["expires_at"] == "2027-01-23T04:59:59+00:00"  # 22 January, 23:59:59 in New York
    assert link["url"] == call("GET", f"/invoices/{invoice.id}").json["hosted_invoice_url"]
    assert link["id"] not in link["url"]


def test_a_draft_has_none_and_gets_none(call: Call, acme: Account, given: Given) -> None:
    draft = given.invoice(given.customer(acme), issued=False)

    assert call("GET", f"/invoices/{draft.id}/portal_link").json == {"link": None, "history": []}
    refused = call("POST", f"/invoices/{draft.id}/portal_link")
    assert (refused.status_code, refused.json["detail"]) == (
        400,
        "Only an issued invoice has a link; this one is draft.",
    )
    assert call("DELETE", f"/invoices/{draft.id}/portal_link").json == {"link": None, "history": []}


def test_a_refresh_ends_the_earlier_link_and_lasts_60_days(call: Call, invoice: Invoice, clock: Clock) -> None:
    before = call("GET", f"/invoices/{invoice.id}/portal_link").json["link"]
    clock.advance(days=10)

    answer = call("POST", f"/invoices/{invoice.id}/portal_link")

    assert answer.status_code == 201
    after = answer.json["link"]
    assert after["url"] != before["url"]
    assert after["status"] == "live"
    assert after["created_by"].startswith("api:")
    assert after["expires_at"] == "2027-02-01T12:00:00+00:00"  # 60 × 24 h, later than 30 days after the due date
    (ended,) = answer.json["history"]
    assert set(ended) == {"id", "created_at", "created_by", "ended_at", "ended_by", "ended_how", "reason"}
    assert (ended["id"], ended["ended_how"], ended["reason"]) == (before["id"], "refreshed", None)
    assert ended["ended_at"] == "2026-12-03T12:00:00+00:00"


def test_a_far_due_date_outlasts_the_60_days(call: Call, acme: Account, given: Given) -> None:
    invoice = given.invoice(given.customer(acme), due=date(2027, 6, 1))

    assert call("POST", f"/invoices/{invoice.id}/portal_link").json["link"]["expires_at"] == "2027-07-01T23:59:59+00:00"


def test_the_accounts_own_days_count(call: Call, invoice: Invoice) -> None:
    call("PATCH", "/account", {"refreshed_link_days": 90, "invoice_link_days_after_due": 1})

    link = call("POST", f"/invoices/{invoice.id}/portal_link").json["link"]

    assert link["expires_at"] == "2027-02-21T12:00:00+00:00"


def test_a_revoked_link_is_history_with_who_when_and_why(call: Call, invoice: Invoice, clock: Clock) -> None:
    link = call("GET", f"/invoices/{invoice.id}/portal_link").json["link"]

    state = call("DELETE", f"/invoices/{invoice.id}/portal_link", {"reason": "Sent to the wrong person"})

    assert state.status_code == 200
    assert state.json["link"] is None
    (ended,) = state.json["history"]
    assert (ended["id"], ended["ended_how"], ended["reason"]) == (link["id"], "revoked", "Sent to the wrong person")
    assert ended["ended_by"].startswith("api:")
    assert call("GET", f"/invoices/{invoice.id}").json["hosted_invoice_url"] is None
    record = Record.get(Record.subject == link["id"], Record.deed == "link.revoked")
    assert (record.at, record.detail) == (clock.now, {"reason": "Sent to the wrong person"})


def test_revoking_again_changes_nothing(call: Call, invoice: Invoice, clock: Clock) -> None:
    first = call("DELETE", f"/invoices/{invoice.id}/portal_link", {"reason": "First"})
    clock.advance(hours=1)

    again = call("DELETE", f"/invoices/{invoice.id}/portal_link", {"reason": "Second"})

    assert (again.status_code, again.json) == (200, first.json)


def test_a_revoked_link_can_be_followed_by_a_fresh_one(call: Call, invoice: Invoice, clock: Clock) -> None:
    call("DELETE", f"/invoices/{invoice.id}/portal_link")
    clock.advance(seconds=1)
    call("POST", f"/invoices/{invoice.id}/portal_link")
    clock.advance(seconds=1)

    state = call("POST", f"/invoices/{invoice.id}/portal_link").json

    assert state["link"]["status"] == "live"
    assert [one["ended_how"] for one in state["history"]] == ["refreshed", "revoked"]  # newest first


def test_paid_invoices_are_refreshed_and_void_ones_are_not(
    call: Call, acme: Account, given: Given, clock: Clock
) -> None:
    paid, void = (given.invoice(given.customer(acme)) for _ in range(2))
    Payment.record(paid, clock.now, "test", received_on=clock.now.date())
    moments.void(void, clock.now, "test")

    assert call("POST", f"/invoices/{paid.id}/portal_link").status_code == 201
    assert call("POST", f"/invoices/{void.id}/portal_link").status_code == 400
    assert call("GET", f"/invoices/{void.id}/portal_link").json["link"]["status"] == "live"


def test_an_expired_link_says_so_and_has_no_url(call: Call, invoice: Invoice, clock: Clock) -> None:
    clock.now = Link.of_invoice(invoice.id).expires_at - timedelta(seconds=1)
    assert call("GET", f"/invoices/{invoice.id}/portal_link").json["link"]["status"] == "live"
    clock.advance(seconds=1)

    link = call("GET", f"/invoices/{invoice.id}/portal_link").json["link"]

    assert (link["status"], link["url"]) == ("expired", None)
    assert call("GET", f"/invoices/{invoice.id}").json["hosted_invoice_url"] is None
    ended = call("DELETE", f"/invoices/{invoice.id}/portal_link").json["history"][0]
    assert ended["ended_how"] == "revoked"


def test_a_link_opens_until_it_is_refreshed_or_revoked(call: Call, client: FlaskClient, invoice: Invoice) -> None:
    def opens(state: TestResponse) -> int:
        return client.get(urlsplit(state.json["link"]["url"]).path).status_code

    first = call("GET", f"/invoices/{invoice.id}/portal_link")
    assert opens(first) == 200

    second = call("POST", f"/invoices/{invoice.id}/portal_link")
    assert (opens(first), opens(second)) == (410, 200)

    call("DELETE", f"/invoices/{invoice.id}/portal_link")
    assert (opens(first), opens(second)) == (410, 410)


@pytest.mark.parametrize("state", ["recover", None])
def test_a_link_whose_key_is_gone_is_unavailable(
    call: Call, app: Flask, invoice: Invoice, monkeypatch: pytest.MonkeyPatch, state: str | None
) -> None:
    ring = app.extensions["portal"].keyring().dump().replace(":active", f":{state}")
    keys = [f"k9:{b64encode(new_secret()).decode()}:active", *([ring] if state else [])]
    monkeypatch.setattr(app.extensions["portal"], "keyring", lambda: Keyring.parse(",".join(keys)))

    link = call("GET", f"/invoices/{invoice.id}/portal_link").json["link"]

    assert (link["status"], link["url"]) == ("unavailable", None)
    assert call("GET", f"/invoices/{invoice.id}").json["hosted_invoice_url"] is None
    assert call("POST", f"/invoices/{invoice.id}/portal_link").json["link"]["status"] == "live"


@pytest.mark.parametrize(
    ("method", "body"),
    [("DELETE", {"reason": 5}), ("DELETE", {"why": "x"}), ("DELETE", {"reason": "x" * 5001}), ("POST", {"days": 1})],
)
def test_a_wrong_body_changes_nothing(call: Call, invoice: Invoice, method: str, body: dict[str, object]) -> None:
    before = call("GET", f"/invoices/{invoice.id}/portal_link").json

    assert call(method, f"/invoices/{invoice.id}/portal_link", body).status_code == 400
    assert call("GET", f"/invoices/{invoice.id}/portal_link").json == before


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_anothers_invoice_does_not_exist(call: Call, bolt: Account, given: Given, method: str) -> None:
    theirs = given.invoice(given.customer(bolt))

    foreign = call(method, f"/invoices/{theirs.id}/portal_link")
    unknown = call(method, "/invoices/nosuchinvoice000/portal_link")

    assert (foreign.status_code, foreign.data) == (404, unknown.data)
    assert Link.of_invoice(theirs.id)


def test_a_retried_refresh_makes_one_link_and_tells_its_url_while_it_opens(call: Call, invoice: Invoice) -> None:
    headers = {"Idempotency-Key": "once"}

    first, second = (call("POST", f"/invoices/{invoice.id}/portal_link", headers=headers) for _ in range(2))
    call("DELETE", f"/invoices/{invoice.id}/portal_link")
    third = call("POST", f"/invoices/{invoice.id}/portal_link", headers=headers)

    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert third.json == {**first.json, "link": {**first.json["link"], "url": None}}
