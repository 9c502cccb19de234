"""Events are found by their keys, told again, and taken back; the days that are kept follow."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models.event import EventBefore
from portal.models.usage import UsageDay
from tests.api.conftest import problem
from tests.api.telling import CONSTRAINT, INVALID, NOT_FOUND, batch, event


def again(**fields: Any) -> dict[str, Any]:
    return event(..., **fields)


def test_events_are_found_by_their_keys_newest_first(call, customer):
    call("POST", "/ingest", batch(event("a"), event("b", timestamp="2026-11-23T11:30:00.25Z"), event("c")))

    found = call("POST", "/events/search", {"event_ids": ["a", "b", "nope"]}).json

    assert [each["id"] for each in found["data"]] == ["b", "a"]
    assert found["data"][0] == {
        "id": "b",
        "customer_id": customer.id,
        "external_customer_id": "crm-1",
        "event_name": "download",
        "timestamp": "2026-11-23T11:30:00.250000+00:00",
        "properties": {"bytes": 3, "region": "eu"},
        "deprecated": False,
    }


def test_a_search_looks_at_the_last_week_unless_told_otherwise(call, clock):
    call("POST", "/ingest", batch(event("a")))
    clock.advance(days=8)
    search = {"event_ids": ["a"]}

    assert call("POST", "/events/search", search).json["data"] == []
    assert call("POST", "/events/search", {**search, "timeframe_start": "2026-11-23"}).json["data"]
    start, end = {"timeframe_start": "2026-11-23T11:00:00Z"}, {"timeframe_end": "2026-11-23T11:00:00Z"}
    assert call("POST", "/events/search", {**search, **start}).json["data"]
    assert call("POST", "/events/search", {**search, "timeframe_start": "2026-11-01", **end}).json["data"] == []


def test_a_search_names_at_least_one_key(call):
    for ids in ([], ["a"] * 501, "a", [1]):
        assert "event_ids" in problem(call("POST", "/events/search", {"event_ids": ids}), 400, INVALID)


def test_an_amended_event_gives_back_what_it_gave_and_gives_anew(call, acme, used):
    call("POST", "/ingest", batch(event("a"), event("b")))

    answer = call("PUT", "/events/a", again(properties={"bytes": 40}))

    assert (answer.status_code, answer.json) == (200, {"amended": "a"})
    assert used() == {"2026-11-23": 43}
    call("PUT", "/events/a", again(event_name="upload"))
    assert used() == {"2026-11-23": 3}
    assert EventBefore.select().where(EventBefore.account == acme, EventBefore.key == "a").count() == 2


def test_an_amended_event_keeps_its_instant_and_its_customer(call, given, acme, customer, used):
    other = given.customer(acme, external_id="crm-2")
    call("POST", "/ingest", batch(event("a")))

    for fields in (
        {"timestamp": "2026-11-23T11:00:00.000001Z"},
        {"external_customer_id": "crm-2"},
        {"external_customer_id": ..., "customer_id": other.id},
    ):
        problem(call("PUT", "/events/a", again(**fields)), 400, CONSTRAINT)
    assert call("PUT", "/events/a", again(external_customer_id=..., customer_id=customer.id)).status_code == 200


def test_an_event_of_nobody_yet_cannot_be_amended(call):
    call("POST", "/ingest", batch(event("a", external_customer_id="new")))

    assert "no customer" in problem(call("PUT", "/events/a", again(external_customer_id="new")), 400, CONSTRAINT)


@pytest.mark.parametrize(
    "fields",
    [
        {"properties": {"a": {}}},
        {"event_name": ""},
        {"timestamp": "now"},
        {"customer_id": "x"},
        {"external_customer_id": ["crm-1"]},
        {"external_customer_id": ..., "customer_id": {}},
        {"more": 1},
    ],
)
def test_an_amendment_is_read_as_strictly_as_an_event(call, used, fields):
    call("POST", "/ingest", batch(event("a")))

    problem(call("PUT", "/events/a", again(**fields)), 400, INVALID)
    assert used() == {"2026-11-23": 3}


def test_a_deprecated_event_counts_no_more_and_cannot_come_again(call, used):
    call("POST", "/ingest", batch(event("a"), event("b")))

    assert call("PUT", "/events/a/deprecate").json == {"deprecated": "a"}
    assert call("PUT", "/events/a/deprecate").json == {"deprecated": "a"}

    assert used() == {"2026-11-23": 3}
    assert call("POST", "/events/search", {"event_ids": ["a"]}).json["data"][0]["deprecated"] is True
    assert "deprecated" in problem(call("PUT", "/events/a", again()), 400, CONSTRAINT)
    refused = call("POST", "/ingest", batch(event("a"), event("c")))
    assert [each["idempotency_key"] for each in refused.json["validation_failed"]] == ["a"]
    assert used() == {"2026-11-23": 6}


def test_a_day_without_events_is_kept_no_more(call, customer, used):
    call("POST", "/ingest", batch(event("a")))
    call("PUT", "/events/a/deprecate")

    assert not UsageDay.select().where(UsageDay.customer == customer).count()


def test_a_key_may_hold_a_slash(call, used):
    call("POST", "/ingest", batch(event("2026/11/a b%")))

    assert call("PUT", "/events/2026%2F11%2Fa%20b%25", again(properties={"bytes": 1})).json == {
        "amended": "2026/11/a b%"
    }
    assert call("PUT", "/events/2026/11/a%20b%25/deprecate").json == {"deprecated": "2026/11/a b%"}


def test_an_event_that_is_not_there_cannot_be_changed(call, bolt_key):
    call("POST", "/ingest", batch(event("a")))

    problem(call("PUT", "/events/nope", again()), 404, NOT_FOUND)
    problem(call("PUT", "/events/nope/deprecate"), 404, NOT_FOUND)
    problem(call("PUT", "/events/a/deprecate", key=bolt_key), 404, NOT_FOUND)


def test_volume_counts_what_came_of_each_hour(call):
    call(
        "POST",
        "/ingest",
        batch(event("a"), event("b", timestamp="2026-11-23T11:59:59Z"), event("c", timestamp="2026-11-23T09:00:00Z")),
    )
    call("POST", "/ingest", batch(event("a"), event("d")))
    call("PUT", "/events/a/deprecate")

    answer = call("GET", "/events/volume?timeframe_start=2026-11-23T09:30:00Z").json

    assert [each["count"] for each in answer["data"]] == [1, 0, 3]
    assert answer["data"][0]["timeframe_start"] == "2026-11-23T09:00:00+00:00"
    assert answer["data"][-1]["timeframe_end"] == "2026-11-23T12:00:00+00:00"
    assert answer["pagination_metadata"] == {"has_more": False, "next_cursor": None}


def test_volume_comes_in_pages(call):
    path = "/events/volume?timeframe_start=2026-11-01&timeframe_end=2026-11-02&limit=10"
    first = call("GET", path).json
    second = call("GET", f"{path}&cursor={first['pagination_metadata']['next_cursor']}").json
    third = call("GET", f"{path}&cursor={second['pagination_metadata']['next_cursor']}").json

    hours = [each["timeframe_start"] for page in (first, second, third) for each in page["data"]]

    assert len(hours) == len(set(hours)) == 24
    assert third["pagination_metadata"]["next_cursor"] is None
    assert "timeframe_start" in problem(call("GET", "/events/volume"), 400, INVALID)
    assert "cursor" in problem(call("GET", f"{path}&cursor=x"), 400, INVALID)
    assert call("GET", "/events/volume?timeframe_start=2026-11-23&timeframe_end=2026-11-01").json["data"] == []
