"""Portal sessions over the API: short-lived links, one at a time unless told otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.link import Link
from portal.models.record import Record
from tests.api.conftest import Call
from tests.conftest import Clock
from tests.given import Given


@pytest.fixture
def customer(acme: Account, given: Given) -> Customer:
    return given.customer(acme, external_id="a/b c?")


def start(call: Call, customer: Customer, **body: Any) -> dict[str, Any]:
    answer = call("POST", f"/customers/{customer.id}/portal_sessions", body)
    assert answer.status_code == 201, answer.data
    session: dict[str, Any] = answer.json
    return session


def live(call: Call, customer: Customer) -> list[str]:
    return [session["id"] for session in call("GET", f"/customers/{customer.id}/portal_sessions").json["data"]]


def test_a_session_lasts_an_hour_unless_told_otherwise(call: Call, customer: Customer) -> None:
    session = start(call, customer)

    assert set(session) == {"id", "customer_id", "created_at", "expires_at", "url"}
    assert session["customer_id"] == customer.id
    assert session["created_at"] == "2026-11-23T12:00:00+00:00"
    assert session["expires_at"] == "2026-11-23T13:00:00+00:00"
    assert session["url"].startswith("http://127.0.0.1:8000/s/")
    assert start(call, customer, expires_in_minutes=1)["expires_at"] == "2026-11-23T12:01:00+00:00"
    assert start(call, customer, expires_in_minutes=180)["expires_at"] == "2026-11-23T15:00:00+00:00"


@pytest.mark.parametrize(
    "minutes", ["0", "181", "-1", "60.0", '"60"', "true", "null", "6e1", "1e400", "[60]", "1" * 40]
)
def test_other_durations_are_refused(call: Call, customer: Customer, minutes: str) -> None:
    body = f'{{"expires_in_minutes": {minutes}}}'

    answer = call("POST", f"/customers/{customer.id}/portal_sessions", data=body, content_type="application/json")

    assert answer.status_code == 400
    assert live(call, customer) == []


@pytest.mark.parametrize(
    "body", ['{"invalidate_existing": 1}', '{"invalidate_existing": "no"}', '{"minutes": 5}', "[]"]
)
def test_other_bodies_are_refused(call: Call, customer: Customer, body: str) -> None:
    assert call("POST", f"/customers/{customer.id}/portal_sessions", data=body).status_code == 400


@pytest.mark.parametrize("data", [b"", b"{}"])
def test_the_body_may_be_empty(call: Call, customer: Customer, data: bytes) -> None:
    answer = call("POST", f"/customers/{customer.id}/portal_sessions", data=data, content_type="application/json")

    assert answer.status_code == 201


def test_a_session_starts_by_external_id(call: Call, customer: Customer) -> None:
    answer = call("POST", "/customers/external_customer_id/a%2Fb%20c%3F/portal_sessions", {"expires_in_minutes": 5})

    assert (answer.status_code, answer.json["customer_id"]) == (201, customer.id)
    assert call("POST", "/customers/external_customer_id/a%2Fb/portal_sessions").status_code == 404


def test_a_new_session_ends_the_others_unless_they_are_kept(
    call: Call, customer: Customer, acme: Account, given: Given
) -> None:
    neighbour = start(call, given.customer(acme))
    first = start(call, customer)["id"]
    second = start(call, customer)["id"]
    assert live(call, customer) == [second]

    third = start(call, customer, invalidate_existing=False)["id"]

    assert set(live(call, customer)) == {second, third}
    assert Link.get_by_id(first).ended_how == "replaced"
    assert Link.get_by_id(neighbour["id"]).ended_at is None


def test_live_sessions_are_listed_without_their_urls(call: Call, customer: Customer, clock: Clock) -> None:
    ids = []
    for minutes in (5, 60, 60):
        ids.append(start(call, customer, invalidate_existing=False, expires_in_minutes=minutes)["id"])
        clock.advance(minutes=1)
    clock.advance(minutes=2)

    page = call("GET", f"/customers/{customer.id}/portal_sessions?limit=1").json

    assert live(call, customer) == [ids[2], ids[1]]
    assert page["data"][0]["url"] is None
    assert page["pagination_metadata"]["has_more"] is True
    rest = call(
        "GET", f"/customers/{customer.id}/portal_sessions?cursor={page['pagination_metadata']['next_cursor']}"
    ).json
    assert [session["id"] for session in rest["data"]] == [ids[1]]


def test_one_session_or_all_are_ended(call: Call, customer: Customer) -> None:
    first, second, third = (start(call, customer, invalidate_existing=False)["id"] for _ in range(3))

    one = call("DELETE", f"/customers/{customer.id}/portal_sessions/{first}", {"reason": "Shared a screen"})
    assert (one.status_code, one.json) == (200, {"ended": 1})
    assert set(live(call, customer)) == {second, third}
    assert call("DELETE", f"/customers/{customer.id}/portal_sessions/{first}").json == {"ended": 0}
    assert call("DELETE", f"/customers/{customer.id}/portal_sessions").json == {"ended": 2}
    assert call("DELETE", f"/customers/{customer.id}/portal_sessions").json == {"ended": 0}
    assert live(call, customer) == []
    record = Record.get(Record.subject == first, Record.deed == "link.revoked")
    assert record.detail == {"reason": "Shared a screen"}


def test_only_her_own_sessions_are_ended(call: Call, customer: Customer, acme: Account, given: Given) -> None:
    other = start(call, given.customer(acme))["id"]
    permanent = Link.of_customer(customer.id).id

    answers = [
        call("DELETE", f"/customers/{customer.id}/portal_sessions/{id}")
        for id in (other, permanent, "nosuchsession000")
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1
    assert Link.get_by_id(other).ended_at is None
    assert Link.get_by_id(permanent).ended_at is None


@pytest.mark.parametrize(
    ("method", "tail"), [("GET", ""), ("POST", ""), ("DELETE", ""), ("DELETE", "/nosuchsession000")]
)
def test_anothers_customer_does_not_exist(
    call: Call, bolt: Account, given: Given, bolt_key: str, method: str, tail: str
) -> None:
    theirs = given.customer(bolt)
    call("POST", f"/customers/{theirs.id}/portal_sessions", key=bolt_key)

    foreign = call(method, f"/customers/{theirs.id}/portal_sessions{tail}")
    unknown = call(method, f"/customers/nosuchcustomer00/portal_sessions{tail}")

    assert (foreign.status_code, foreign.data) == (404, unknown.data)
    assert len(list(Link.live_sessions(theirs.id, given.now()))) == 1


def test_a_retried_start_starts_one_session(call: Call, customer: Customer, clock: Clock) -> None:
    headers, path = {"Idempotency-Key": "once"}, f"/customers/{customer.id}/portal_sessions"

    first, second = (call("POST", path, {"invalidate_existing": False}, headers=headers) for _ in range(2))

    assert first.json == second.json
    assert live(call, customer) == [first.json["id"]]
    clock.advance(hours=1)
    late = call("POST", path, {"invalidate_existing": False}, headers=headers)
    assert late.json == {**first.json, "url": None}  # it no longer opens
