"""A request with a key happens once, however often and however concurrently it is sent."""

from __future__ import annotations

import threading

import httpx
import pytest

from portal.api import items
from portal.models.account import Account
from portal.models.catalog import Item
from portal.models.customer import Customer
from portal.models.idempotency import Idempotency
from portal.models.link import Link
from tests.api.conftest import Call, problem
from tests.conftest import Clock

ALICE = {"name": "Alice", "email": "alice@customer.example"}


def keyed(key: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Idempotency-Key": key}}


def test_a_repeated_request_gets_the_same_answer_and_does_nothing(call: Call, acme: Account) -> None:
    first = call("POST", "/customers", ALICE, **keyed("k-1"))
    second = call("POST", "/customers", ALICE, **keyed("k-1"))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.data == second.data
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] == "k-1"
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Customer.select().where(Customer.account == acme).count() == 1


def test_the_same_key_with_another_request_is_refused_for_good(call: Call) -> None:
    call("POST", "/customers", ALICE, **keyed("k-1"))

    for path, body in (("/customers", {**ALICE, "name": "Bob"}), ("/items", ALICE), ("/customers?x=1", ALICE)):
        response = call("POST", path, body, **keyed("k-1"))

        problem(response, 409, "409-resource-conflict")
        assert response.headers["x-should-retry"] == "false"


def test_two_accounts_may_use_the_same_key(call: Call, bolt_key: str) -> None:
    mine = call("POST", "/customers", ALICE, **keyed("k-1")).get_json()
    theirs = call("POST", "/customers", ALICE, key=bolt_key, **keyed("k-1")).get_json()

    assert mine["id"] != theirs["id"]


def test_a_refused_request_sets_its_key_free(call: Call) -> None:
    refused = call("POST", "/customers", {"name": "Alice"}, **keyed("k-1"))

    assert refused.status_code == 400
    assert refused.headers["Idempotency-Key"] == "k-1"
    assert call("POST", "/customers", ALICE, **keyed("k-1")).status_code == 201


def test_a_failed_request_leaves_nothing_and_sets_its_key_free(
    call: Call, acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(items, "shape", lambda _: 1 / 0)
        assert call("POST", "/items", {"name": "I"}, **keyed("k-1")).status_code == 500
        assert call("POST", "/items", {"name": "I"}).status_code == 500

    assert Item.select().where(Item.account == acme).count() == 0
    assert call("POST", "/items", {"name": "I"}, **keyed("k-1")).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "x" * 65, "clé", " x", "a\tb"])
def test_a_key_must_be_short_and_printable(call: Call, key: str) -> None:
    problem(call("POST", "/items", {"name": "I"}, **keyed(key)), 400, "400-request-validation-errors")


def test_a_key_of_64_characters_is_taken(call: Call) -> None:
    assert call("POST", "/items", {"name": "I"}, **keyed("x" * 64)).status_code == 201


def test_a_key_is_forgotten_after_48_hours(call: Call, clock: Clock) -> None:
    first = call("POST", "/items", {"name": "I"}, **keyed("k-1")).get_json()["id"]
    clock.advance(hours=47, minutes=59)
    assert call("POST", "/items", {"name": "I"}, **keyed("k-1")).get_json()["id"] == first

    clock.advance(minutes=2)

    assert call("POST", "/items", {"name": "J"}, **keyed("k-1")).get_json()["id"] != first


def test_a_request_in_flight_holds_its_key_for_a_minute(call: Call, acme: Account, clock: Clock) -> None:
    done = call("POST", "/items", {"name": "I"}, **keyed("k-1")).get_json()["id"]
    Idempotency.update(status=None, body=None).where(Idempotency.account == acme).execute()  # as if it were going on

    busy = call("POST", "/items", {"name": "I"}, **keyed("k-1"))
    clock.advance(seconds=61)
    taken_over = call("POST", "/items", {"name": "I"}, **keyed("k-1"))

    problem(busy, 409, "409-resource-conflict")
    assert "x-should-retry" not in busy.headers
    assert taken_over.status_code == 201
    assert taken_over.get_json()["id"] != done


def test_who_comes_back_after_being_given_up_changes_nothing(
    call: Call, acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = items.shape

    def slow(item: Item) -> object:
        # Meanwhile a later request takes the key over.
        Idempotency.update(locked_at=Idempotency.locked_at + 1).where(Idempotency.account == acme).execute()
        return shape(item)

    monkeypatch.setattr(items, "shape", slow)

    response = call("POST", "/items", {"name": "I"}, **keyed("k-1"))

    problem(response, 409, "409-resource-conflict")
    assert Item.select().where(Item.account == acme).count() == 0


def test_of_twenty_at_once_one_acts_and_all_hear_of_it(call: Call, live: str, acme: Account, acme_key: str) -> None:
    answers: list[httpx.Response] = []
    start = threading.Barrier(20)

    def ask() -> None:
        start.wait()
        headers = {"Authorization": f"Bearer {acme_key}", "Idempotency-Key": "k-1"}
        answers.append(httpx.post(f"{live}/v1/customers", json=ALICE, headers=headers, timeout=30))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert Customer.select().where(Customer.account == acme).count() == 1


def test_a_key_counts_for_posts_only(call: Call) -> None:
    id = call("POST", "/customers", ALICE).get_json()["id"]

    for name in ("Bob", "Carol"):
        response = call("PUT", f"/customers/{id}", {"name": name}, **keyed("k-1"))

        assert response.get_json()["name"] == name
        assert "Idempotency-Key" not in response.headers


def test_kept_answers_hold_no_url_and_a_replay_has_it_again(call: Call, acme: Account) -> None:
    first = call("POST", "/customers", ALICE, **keyed("k-1")).get_json()

    replayed = call("POST", "/customers", ALICE, **keyed("k-1")).get_json()

    token = first["portal_url"].split("/")[-2]
    row = Idempotency.get(Idempotency.account == acme)
    assert token not in row.body
    assert "/c/" not in row.body
    assert replayed["portal_url"] == first["portal_url"]


def test_a_replay_does_not_show_a_link_that_has_ended(call: Call, acme: Account, clock: Clock) -> None:
    first = call("POST", "/customers", ALICE, **keyed("k-1")).get_json()
    link = Link.of_customer(first["id"])
    assert link

    link.revoke(clock.now, by="test")

    assert call("POST", "/customers", ALICE, **keyed("k-1")).get_json() == {**first, "portal_url": None}


def test_nothing_a_caller_writes_is_taken_for_a_link(call: Call, acme: Account) -> None:
    first = call("POST", "/customers", ALICE).get_json()
    link = Link.of_customer(first["id"])
    assert link
    texts = [f"link:{link.id}", f"\\u001flink:{link.id}", f'"\\u001flink:{link.id}"', link.id]
    body = {"name": "I", "metadata": {"$link": link.id, **{str(n): text for n, text in enumerate(texts)}}}

    made = call("POST", "/items", body, **keyed("k-2"))
    replayed = call("POST", "/items", body, **keyed("k-2"))

    assert replayed.headers["Idempotent-Replayed"] == "true"
    assert replayed.get_json()["metadata"] == made.get_json()["metadata"] == body["metadata"]
