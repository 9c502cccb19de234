"""Events of a backfill count together once it is closed, in the place of others if it says so, until it is reverted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import problem
from tests.api.telling import CONSTRAINT, INVALID, NOT_FOUND, batch, event, refusals

OCTOBER = {"timeframe_start": "2026-10-01T00:00:00Z", "timeframe_end": "2026-11-01T00:00:00Z"}


@pytest.fixture
def begin(call):
    """`begin(replace_existing_events=True)`: the id of an open backfill of October."""

    def made(**fields: Any) -> str:
        answer = call("POST", "/events/backfills", {**OCTOBER, **fields})
        assert answer.status_code == 201, answer.json
        return answer.json["id"]

    return made


@pytest.fixture
def fill(call):
    def ingest(id: str, *events: dict[str, Any]) -> Any:
        return call("POST", f"/ingest?backfill_id={id}", batch(*events))

    return ingest


def october(key: str, size: int = 1, day: int = 5, **fields: Any) -> dict[str, Any]:
    return event(key, timestamp=f"2026-10-{day:02}T12:00:00Z", properties={"bytes": size}, **fields)


def test_events_of_a_backfill_count_once_it_is_closed(call, begin, fill, used):
    id = begin()
    assert fill(id, october("a", 1), october("b", 2)).status_code == 200
    assert (used(), call("GET", f"/events/backfills/{id}").json["events_ingested"]) == ({}, 2)

    closed = call("POST", f"/events/backfills/{id}/close").json

    assert (closed["status"], closed["close_time"]) == ("reflected", "2026-11-23T12:00:00+00:00")
    assert used() == {"2026-10-05": 3}
    problem(call("POST", f"/events/backfills/{id}/close"), 400, CONSTRAINT)
    assert "closed" in problem(fill(id, october("c")), 400, CONSTRAINT)


def test_a_backfill_has_its_whole_shape(call, customer):
    made = call("POST", "/events/backfills", {**OCTOBER, "external_customer_id": "crm-1"}).json

    assert made == {
        "id": made["id"],
        "status": "pending",
        "created_at": "2026-11-23T12:00:00+00:00",
        "timeframe_start": "2026-10-01T00:00:00+00:00",
        "timeframe_end": "2026-11-01T00:00:00+00:00",
        "close_time": "2026-11-24T12:00:00+00:00",
        "customer_id": customer.id,
        "events_ingested": 0,
        "replace_existing_events": False,
        "deprecation_filter": None,
        "reverted_at": None,
    }


def test_events_lie_within_the_timeframe_whatever_the_grace_period(begin, fill):
    failed = refusals(fill(begin(), october("a"), event("b"), event("c", timestamp="2026-11-01T00:00:00Z")))

    assert sorted(failed) == ["b", "c"]
    assert "timeframe" in failed["c"]


def test_a_backfill_that_replaces_stands_in_the_place_of_what_was_there(call, begin, fill, used):
    first = begin()
    fill(first, october("a", 1), october("b", 2, day=6))
    call("POST", f"/events/backfills/{first}/close")
    second = begin(replace_existing_events=True)
    fill(second, october("c", 10))

    call("POST", f"/events/backfills/{second}/close")

    assert used() == {"2026-10-05": 10}
    found = call("POST", "/events/search", {"event_ids": ["a", "c"], "timeframe_start": "2026-10-01"}).json["data"]
    assert {each["id"]: each["deprecated"] for each in found} == {"a": True, "c": False}
    reverted = call("POST", f"/events/backfills/{second}/revert").json
    assert (reverted["status"], reverted["reverted_at"]) == ("reverted", "2026-11-23T12:00:00+00:00")
    assert used() == {"2026-10-05": 1, "2026-10-06": 2}


def test_what_replaces_needs_keys_of_its_own(call, begin, fill, used):
    first = begin()
    fill(first, october("a", 1))
    call("POST", f"/events/backfills/{first}/close")
    second = begin(replace_existing_events=True)

    assert "another" in refusals(fill(second, october("a", 5)))["a"]
    assert fill(second, october("b", 5)).status_code == 200
    assert fill(second, october("b", 5)).status_code == 200


def test_a_filter_says_which_events_are_replaced(call, begin, fill, used):
    first = begin()
    fill(first, october("a", 1), october("b", 2, event_name="upload"), october("c", 4))
    call("POST", f"/events/backfills/{first}/close")

    second = begin(replace_existing_events=True, deprecation_filter="bytes > 1 AND event_name = 'download'")
    call("POST", f"/events/backfills/{second}/close")

    assert used() == {"2026-10-05": 1}
    call("POST", f"/events/backfills/{second}/revert")
    assert used() == {"2026-10-05": 5}


def test_a_backfill_of_one_customer_leaves_others_alone(call, given, acme, begin, fill, used):
    other = given.customer(acme, external_id="crm-2")
    first = begin()
    fill(first, october("a", 1))
    call("POST", f"/events/backfills/{first}/close")
    second = begin(customer_id=other.id, replace_existing_events=True)

    assert "another customer" in refusals(fill(second, october("b")))["b"]
    assert fill(second, october("c", external_customer_id="crm-2")).status_code == 200
    call("POST", f"/events/backfills/{second}/close")

    assert used() == {"2026-10-05": 1}


def test_what_was_reverted_can_be_told_anew_with_the_same_keys(call, begin, fill, used):
    first = begin()
    fill(first, october("a", 1))
    call("POST", f"/events/backfills/{first}/revert")
    assert used() == {}
    second = begin()

    assert fill(second, october("a", 7)).status_code == 200
    call("POST", f"/events/backfills/{second}/close")

    assert used() == {"2026-10-05": 7}
    problem(call("POST", f"/events/backfills/{first}/revert"), 400, CONSTRAINT)
    assert used() == {"2026-10-05": 7}


def test_two_open_backfills_of_the_same_time_would_be_in_each_others_way(call, given, acme, customer, begin):
    begin(customer_id=customer.id)

    for fields in ({"customer_id": customer.id}, {}):
        assert "open" in problem(call("POST", "/events/backfills", {**OCTOBER, **fields}), 400, CONSTRAINT)
    begin(customer_id=given.customer(acme).id)
    begin(timeframe_start="2026-11-01", timeframe_end="2026-11-02")


def test_after_its_close_time_a_backfill_takes_no_more_events(clock, begin, fill):
    id = begin(close_time="2026-11-23T13:00:00Z")
    clock.advance(hours=1)

    assert "closed" in problem(fill(id, october("a")), 400, CONSTRAINT)


def test_backfills_are_listed_newest_first_and_filtered(call, clock, given, acme, bolt_key):
    other = given.customer(acme)
    ids = []
    for fields in ({}, {"customer_id": other.id, "timeframe_start": "2026-09-01", "timeframe_end": "2026-09-02"}):
        ids.append(call("POST", "/events/backfills", {**OCTOBER, **fields}).json["id"])
        clock.advance(seconds=1)
    call("POST", f"/events/backfills/{ids[0]}/close")

    def listed(query: str = "") -> list[str]:
        return [each["id"] for each in call("GET", f"/events/backfills{query}").json["data"]]

    assert listed() == ids[::-1]
    assert listed("?status=reflected") == ids[:1]
    assert listed(f"?customer_id={other.id}") == ids[1:]
    assert call("GET", "/events/backfills", key=bolt_key).json["data"] == []
    problem(call("GET", f"/events/backfills/{ids[0]}", key=bolt_key), 404, NOT_FOUND)
    problem(call("POST", f"/events/backfills/{ids[1]}/close", key=bolt_key), 404, NOT_FOUND)


@pytest.mark.parametrize(
    "fields",
    [
        {"timeframe_end": "2026-10-01T00:00:00Z"},
        {"timeframe_start": "2024-10-01"},
        {"timeframe_start": "soon"},
        {"close_time": "2026-11-23T12:00:00Z"},
        {"customer_id": "a", "external_customer_id": "b"},
        {"deprecation_filter": "bytes > 1"},
        {"deprecation_filter": "bytes > (SELECT 1)", "replace_existing_events": True},
        {"deprecation_filter": "1; DROP TABLE event", "replace_existing_events": True},
        {"replace_existing_events": "yes"},
        {"more": 1},
    ],
)
def test_a_backfill_that_makes_no_sense_is_refused(call, fields):
    problem(call("POST", "/events/backfills", {**OCTOBER, **fields}), 400, INVALID)


def test_a_backfill_of_nobody_is_refused(call):
    problem(call("POST", "/events/backfills", {**OCTOBER, "customer_id": "nope"}), 404, NOT_FOUND)
