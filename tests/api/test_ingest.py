"""Of a batch, what is valid is kept and the rest named by its key; every key counts once."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from portal.models.event import Event
from portal.models.usage import UsageDay
from tests.api.conftest import problem
from tests.api.telling import INVALID, batch, event, refusals


def kept(account) -> set[str]:
    return {row.key for row in Event.select(Event.key).where(Event.account == account)}


def test_events_are_kept_and_counted_on_the_customers_day(call, acme, used):
    late = event("k2", timestamp="2026-11-23T04:59:59.999Z", properties={"bytes": 0.5})

    answer = call("POST", "/ingest", batch(event(), late))

    assert (answer.status_code, answer.json) == (200, {"validation_failed": []})
    assert kept(acme) == {"k1", "k2"}
    assert used() == {"2026-11-22": Decimal("0.5"), "2026-11-23": 3}


def test_an_event_that_comes_twice_counts_once(call, used):
    first = call("POST", "/ingest?debug=true", batch(event(), event("k2"))).json
    again = call("POST", "/ingest?debug=true", batch(event(), event("k3"), event("k3"))).json

    assert first == {"validation_failed": [], "debug": {"duplicate": [], "ingested": ["k1", "k2"]}}
    assert again == {"validation_failed": [], "debug": {"duplicate": ["k1"], "ingested": ["k3"]}}
    assert used() == {"2026-11-23": 9}


def test_of_a_key_that_comes_again_with_another_body_the_first_stands(call, used):
    call("POST", "/ingest", batch(event()))

    assert call("POST", "/ingest", batch(event(properties={"bytes": 100}))).status_code == 200
    assert used() == {"2026-11-23": 3}


@pytest.mark.parametrize(
    "other", [{"properties": {"bytes": 4}}, {"event_name": "upload"}, {"properties": {"bytes": "3"}}]
)
def test_a_key_with_two_bodies_refuses_the_batch(call, acme, other):
    answer = call("POST", "/ingest", batch(event(), event(**other), event("k2")))

    assert "different events" in refusals(answer)["k1"]
    assert kept(acme) == set()


def test_true_is_another_body_than_one(call):
    one, true = event(properties={"bytes": 1}), event(properties={"bytes": True})

    assert "k1" in refusals(call("POST", "/ingest", batch(one, true)))


def test_what_is_valid_is_kept_beside_what_is_not_and_all_of_it_can_be_sent_again(call, acme, used):
    wrong = event("k2", timestamp="yesterday")

    answer = call("POST", "/ingest", batch(event(), wrong))

    assert list(refusals(answer)) == ["k2"]
    assert "1 of 2 events" in answer.json["detail"]
    assert "The others were kept" in answer.json["detail"]
    assert "ISO 8601" in " ".join(answer.json["validation_errors"])
    assert (kept(acme), used()) == ({"k1"}, {"2026-11-23": 3})
    assert call("POST", "/ingest", batch(event(), event("k2"))).status_code == 200
    assert used() == {"2026-11-23": 6}


def test_the_same_request_may_be_sent_again_once_an_event_of_it_is_no_longer_ahead(call, acme, clock):
    ahead = batch(event(), event("k2", timestamp="2026-11-23T12:10:00Z"))
    headers = {"Idempotency-Key": "batch-7"}

    assert list(refusals(call("POST", "/ingest", ahead, headers=headers))) == ["k2"]
    clock.advance(minutes=6)
    assert call("POST", "/ingest", ahead, headers=headers).status_code == 200
    assert kept(acme) == {"k1", "k2"}


def test_a_key_of_which_one_body_is_invalid_refuses_the_batch(call, acme):
    answer = call("POST", "/ingest", batch(event(), event(timestamp="yesterday"), event("k2")))

    assert "different events" in refusals(answer)["k1"]
    assert "Nothing of the batch was kept" in answer.json["detail"]
    assert kept(acme) == set()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"customer_id": "x"}, "Exactly one"),
        ({"external_customer_id": ...}, "Exactly one"),
        ({"external_customer_id": None}, "Exactly one"),
        ({"external_customer_id": ..., "customer_id": "x"}, "no customer"),
        ({"external_customer_id": 5}, "must be text"),
        ({"event_name": ...}, "event_name is required"),
        ({"event_name": " "}, "blank"),
        ({"event_name": "a" * 501}, "500 characters"),
        ({"event_name": "a\nb"}, "one line"),
        ({"idempotency_key": "k1/deprecate"}, "path of this API"),
        ({"timestamp": ...}, "timestamp is required"),
        ({"timestamp": 5}, "ISO 8601"),
        ({"timestamp": "2026-02-30T00:00:00Z"}, "exist"),
        ({"timestamp": "2026-11-23T12:05:00.000001Z"}, "5 minutes ahead"),
        ({"timestamp": "2026-11-22T23:59:59.999999Z"}, "older than 12 hours"),
        ({"properties": ...}, "must be an object"),
        ({"properties": []}, "must be an object"),
        ({"properties": {"a": {"b": 1}}}, "properties.a must be text"),
        ({"properties": {"a": [1]}}, "not nested"),
        ({"properties": {"a": 10**18}}, "18 digits"),
        ({"properties": {"a": "x" * 5001}}, "5000 characters"),
        ({"properties": {"": 1}}, "name of a property"),
        ({"properties": {str(n): n for n in range(201)}}, "200 names"),
        ({"quantity": 3}, "quantity is not known here"),
    ],
)
def test_what_is_wrong_with_an_event_is_said_by_its_key(call, acme, fields, sentence):
    told = event(**fields)

    failed = refusals(call("POST", "/ingest", batch(told)))

    assert sentence in failed[told["idempotency_key"]]
    assert kept(acme) == set()


@pytest.mark.parametrize("key", [..., None, "", 7, "k" * 256])
def test_an_event_without_a_key_is_named_by_its_place(call, key):
    failed = refusals(call("POST", "/ingest", batch(event("k1"), event(key))))

    assert [name for name in failed if name != "k1"] == ["events.1"]
    assert "idempotency_key" in failed["events.1"]


@pytest.mark.parametrize("timestamp", ["2026-11-23T12:05:00Z", "2026-11-23T00:00:00", "2026-11-23 01:00:00+01:00"])
def test_the_grace_period_and_five_minutes_ahead_are_included(call, timestamp):
    assert call("POST", "/ingest", batch(event(timestamp=timestamp))).status_code == 200


def test_null_properties_are_as_good_as_none(call, used):
    call("POST", "/ingest", batch(event(properties={"bytes": 2, "region": None})))

    found = call("POST", "/events/search", {"event_ids": ["k1"]}).json["data"][0]
    assert found["properties"] == {"bytes": 2}


def test_numbers_stay_as_exact_as_they_came(call, used):
    text = json.dumps(batch(event(properties={"bytes": "N"}))).replace('"N"', "0.100000000000000000000001")

    call("POST", "/ingest", data=text)

    assert used() == {"2026-11-23": Decimal("0.100000000000000000000001")}
    assert b"0.100000000000000000000001" in call("POST", "/events/search", {"event_ids": ["k1"]}).data


def test_a_batch_has_at_most_500_events(call, acme):
    told = batch(*(event(f"k{n}") for n in range(501)))

    assert "at most 500" in problem(call("POST", "/ingest", told), 400, INVALID)
    assert "at most 500" in problem(call("POST", "/ingest", batch(*told["events"] * 10)), 400, INVALID)
    assert "at least 1" in problem(call("POST", "/ingest", batch()), 400, INVALID)
    assert kept(acme) == set()
    assert call("POST", "/ingest", batch(*told["events"][:500])).status_code == 200
    assert len(kept(acme)) == 500


def test_500_events_of_eight_kilobytes_fit_and_nothing_else_that_large(call, acme):
    large = [event(f"k{n}", properties={"note": "x" * 5000, "more": "y" * 2500}) for n in range(500)]

    assert call("POST", "/ingest", batch(*large)).status_code == 200
    assert "4 MB of events" in problem(call("POST", "/ingest", data=b"[" * 4_200_000), 413, "413-request-too-large")
    problem(call("POST", "/items", data=b"[" * 300_000), 413, "413-request-too-large")


@pytest.mark.parametrize(
    "data",
    [
        b'{"events": [{"properties": {"a": NaN}}]}',
        b'{"events": [{"properties": {"a": 1, "a": 2}}]}',
        b'{"events": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"events": [{"properties": {"a": 1e999999999}}]}',
        b'{"events": [{"properties": {"a": "\\ud800"}}]}',
        b'{"events": {}}',
        b"[]",
        b'{"events": [], "more": 1}',
    ],
)
def test_what_is_no_batch_is_refused_and_names_no_event(call, data):
    answer = call("POST", "/ingest", data=data)

    problem(answer, 400, INVALID)
    assert answer.get_json(force=True)["validation_failed"] == []


def test_an_event_of_nobody_yet_is_attributed_when_she_comes(call, acme, metric):
    told = [event(external_customer_id="new"), event("k2", external_customer_id="new", properties={"bytes": 0.25})]
    assert call("POST", "/ingest", batch(*told)).status_code == 200

    made = call("POST", "/customers", {"name": "N", "email": "n@new.example", "external_customer_id": "new"}).json

    days = UsageDay.select().where(UsageDay.customer == made["id"], UsageDay.metric == metric)
    assert [(row.quantity, row.count) for row in days] == [("3.25", 2)]
    assert call("POST", "/events/search", {"event_ids": ["k1"]}).json["data"][0]["customer_id"] == made["id"]


def test_an_external_id_that_is_set_later_brings_what_came_under_it(call, acme, given, metric):
    customer = given.customer(acme)
    call("POST", "/ingest", batch(event(external_customer_id="new")))

    call("PUT", f"/customers/{customer.id}", {"external_customer_id": "new"})
    call("PUT", f"/customers/{customer.id}", {"external_customer_id": "new"})

    assert [row.quantity for row in UsageDay.select().where(UsageDay.customer == customer)] == ["3"]


def test_another_accounts_customer_is_nobody_here(call, bolt, bolt_key, given):
    hers = given.customer(bolt, external_id="crm-1")

    assert (
        "no customer"
        in refusals(call("POST", "/ingest", batch(event(external_customer_id=..., customer_id=hers.id))))["k1"]
    )
    call("POST", "/ingest", batch(event()))
    assert call("POST", "/events/search", {"event_ids": ["k1"]}).json["data"][0]["customer_id"] is None
    assert call("POST", "/events/search", {"event_ids": ["k1"]}, key=bolt_key).json["data"] == []
    assert call("POST", "/ingest?debug=true", batch(event()), key=bolt_key).json["debug"]["ingested"] == ["k1"]


def test_a_metric_that_comes_after_its_events_counts_them(call, given, acme, customer):
    call("POST", "/ingest", batch(event(), event("k2", properties={"bytes": 4, "region": "us"})))
    item = given.item(acme)
    sql = "SELECT SUM(bytes) FROM events"

    made = call("POST", "/metrics", {"name": "B", "item_id": item.id, "sql": sql, "description": None}).json
    call("POST", "/ingest", batch(event("k3", properties={"bytes": 5, "region": "us"})))
    call("PUT", f"/metrics/{made['id']}", {"dimensions": ["region"]})

    days = {row.cell: row.quantity for row in UsageDay.select().where(UsageDay.metric == made["id"])}
    assert days == {'["eu"]': "3", '["us"]': "9"}


def test_an_unknown_query_is_refused(call):
    assert "debug" in problem(call("POST", "/ingest?debug=maybe", batch(event())), 400, INVALID)
    assert "fast" in problem(call("POST", "/ingest?fast=1", batch(event())), 400, INVALID)
    problem(call("POST", "/ingest?backfill_id=nope", batch(event())), 404, "404-resource-not-found")
