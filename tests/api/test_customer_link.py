"""The permanent link of a customer over the API: its state, another one, its end, and sessions only."""

from __future__ import annotations

import pytest

from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.link import Link
from tests.api.conftest import Call
from tests.conftest import Clock
from tests.given import Given


@pytest.fixture
def customer(acme: Account, given: Given) -> Customer:
    return given.customer(acme)


def test_a_permanent_link_never_expires(call: Call, customer: Customer) -> None:
    state = call("GET", f"/customers/{customer.id}/portal_link").json

    assert state["history"] == []
    assert (state["link"]["kind"], state["link"]["status"], state["link"]["expires_at"]) == ("customer", "live", None)
    assert state["link"]["url"] == call("GET", f"/customers/{customer.id}").json["portal_url"]
    assert state["link"]["url"].startswith("http://127.0.0.1:8000/c/")


def test_rotating_ends_the_earlier_link(call: Call, customer: Customer) -> None:
    before = call("GET", f"/customers/{customer.id}/portal_link").json["link"]

    answer = call("POST", f"/customers/{customer.id}/portal_link")

    assert answer.status_code == 201
    assert answer.json["link"]["url"] != before["url"]
    assert [(one["id"], one["ended_how"]) for one in answer.json["history"]] == [(before["id"], "rotated")]
    assert call("GET", f"/customers/{customer.id}").json["portal_url"] == answer.json["link"]["url"]


def test_revoking_leaves_none_until_another_is_asked_for(call: Call, customer: Customer) -> None:
    for _ in range(2):
        state = call("DELETE", f"/customers/{customer.id}/portal_link", {"reason": "Left the company"})
        assert state.status_code == 200
        assert state.json["link"] is None
        assert [one["reason"] for one in state.json["history"]] == ["Left the company"]
    assert call("GET", f"/customers/{customer.id}").json["portal_url"] is None

    assert call("POST", f"/customers/{customer.id}/portal_link").json["link"]["status"] == "live"


def test_sessions_do_not_touch_it(call: Call, customer: Customer) -> None:
    before = call("GET", f"/customers/{customer.id}/portal_link").json

    call("POST", f"/customers/{customer.id}/portal_sessions")
    call("DELETE", f"/customers/{customer.id}/portal_sessions")

    assert call("GET", f"/customers/{customer.id}/portal_link").json == before


def test_under_sessions_only_it_can_be_revoked_and_not_made(call: Call, customer: Customer) -> None:
    call("PATCH", "/account", {"customer_portal_sessions_only": True})
    newcomer = call("POST", "/customers", {"name": "New", "email": "new@customer.example"}).json

    rotated = call("POST", f"/customers/{customer.id}/portal_link")
    assert (rotated.status_code, rotated.json["detail"]) == (
        400,
        "This account is sessions only: a permanent link can be revoked, not made.",
    )
    assert call("POST", f"/customers/{newcomer['id']}/portal_link").status_code == 400
    assert newcomer["portal_url"] is None
    assert call("GET", f"/customers/{customer.id}").json["portal_url"] is None
    assert call("GET", f"/customers/{newcomer['id']}/portal_link").json == {"link": None, "history": []}
    assert call("GET", f"/customers/{customer.id}/portal_link").json["link"]["status"] == "live"  # it keeps opening
    assert call("DELETE", f"/customers/{customer.id}/portal_link").json["link"] is None
    assert call("POST", f"/customers/{customer.id}/portal_sessions").status_code == 201


def test_a_customer_may_be_kept_without_one(call: Call, customer: Customer) -> None:
    made = call("POST", "/customers", {"name": "N", "email": "n@customer.example", "permanent_portal_link": False}).json
    call("PUT", f"/customers/{customer.id}", {"permanent_portal_link": False})

    assert made["portal_url"] is None
    assert call("GET", f"/customers/{made['id']}/portal_link").json["link"] is None
    refused = call("POST", f"/customers/{customer.id}/portal_link")
    assert refused.status_code == 400
    assert refused.json["detail"].startswith("Permanent_portal_link is false")
    assert call("GET", f"/customers/{customer.id}/portal_link").json["link"]["status"] == "live"

    call("PUT", f"/customers/{made['id']}", {"permanent_portal_link": True})
    assert call("POST", f"/customers/{made['id']}/portal_link").status_code == 201


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_anothers_customer_does_not_exist(call: Call, bolt: Account, given: Given, method: str) -> None:
    theirs = given.customer(bolt)

    foreign = call(method, f"/customers/{theirs.id}/portal_link")
    unknown = call(method, "/customers/nosuchcustomer00/portal_link")

    assert (foreign.status_code, foreign.data) == (404, unknown.data)
    assert Link.of_customer(theirs.id)


def test_a_retried_rotation_makes_one_link(call: Call, customer: Customer, clock: Clock) -> None:
    headers = {"Idempotency-Key": "once"}

    first = call("POST", f"/customers/{customer.id}/portal_link", headers=headers)
    clock.advance(hours=47)
    second = call("POST", f"/customers/{customer.id}/portal_link", headers=headers)

    assert first.json == second.json
    assert len(Link.history("customer", customer.id)) == 1
