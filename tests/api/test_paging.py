"""A list is read from the newest to the oldest, without a gap or a repetition, even while it grows."""

from __future__ import annotations

import pytest

from portal.models.account import Account
from tests.api.conftest import Call, problem
from tests.conftest import Clock
from tests.given import Given


def walk(call: Call, path: str, limit: int) -> list[list[str]]:
    """The ids of each page, to the last."""
    pages, cursor = [], ""
    while True:
        answer = call("GET", f"{path}?limit={limit}{cursor}").get_json()
        pages.append([row["id"] for row in answer["data"]])
        more = answer["pagination_metadata"]
        assert more["has_more"] == (more["next_cursor"] is not None)
        if not more["has_more"]:
            return pages
        cursor = f"&cursor={more['next_cursor']}"


def test_an_empty_list_is_one_page_without_a_cursor(call: Call) -> None:
    empty = {"data": [], "pagination_metadata": {"has_more": False, "next_cursor": None}}

    assert call("GET", "/customers").get_json() == empty
    assert call("GET", "/items").get_json() == empty


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
def test_the_pages_hold_everything_once_newest_first(
    call: Call, acme: Account, given: Given, clock: Clock, limit: int
) -> None:
    made = []
    for n in range(7):
        made.append(given.customer(acme))
        if n % 3 == 0:  # the others share their instant
            clock.advance(seconds=1)

    pages = walk(call, "/customers", limit)

    seen = [id for page in pages for id in page]
    newest_first = sorted(made, key=lambda row: (row.created_at, row.id), reverse=True)
    assert seen == [row.id for row in newest_first]
    assert {len(page) for page in pages[:-1]} <= {limit}
    assert pages[-1]


def test_a_page_has_20_unless_told_otherwise(call: Call, acme: Account, given: Given) -> None:
    for n in range(21):
        given.item(acme, f"Item {n}")

    assert len(call("GET", "/items").get_json()["data"]) == 20
    assert [len(page) for page in walk(call, "/items", 20)] == [20, 1]


def test_what_arrives_in_between_moves_nothing(call: Call, acme: Account, given: Given, clock: Clock) -> None:
    old = [given.item(acme, f"Item {n}").id for n in range(4)]
    first = call("GET", "/items?limit=2").get_json()
    clock.advance(seconds=1)
    given.item(acme, "New")

    second = call("GET", f"/items?limit=2&cursor={first['pagination_metadata']['next_cursor']}").get_json()

    assert sorted(row["id"] for row in first["data"] + second["data"]) == sorted(old)


def test_a_cursor_that_was_changed_is_refused(call: Call, acme: Account, given: Given) -> None:
    for _ in range(2):
        given.item(acme)
    cursor = call("GET", "/items?limit=1").get_json()["pagination_metadata"]["next_cursor"]

    for wrong in (cursor + "=", cursor + "A", cursor[:-3] + "!!!", cursor + "\n", " " + cursor):
        response = call("GET", "/items", query_string={"limit": 1, "cursor": wrong})

        assert "cursor" in problem(response, 400, "400-request-validation-errors")


def test_a_cursor_of_another_account_opens_nothing_of_theirs(
    call: Call, acme: Account, bolt: Account, bolt_key: str, given: Given, clock: Clock
) -> None:
    mine = given.item(acme)
    clock.advance(seconds=1)
    for _ in range(2):
        given.item(bolt)
    theirs = call("GET", "/items?limit=1", key=bolt_key).get_json()["pagination_metadata"]["next_cursor"]

    assert [row["id"] for row in call("GET", f"/items?cursor={theirs}").get_json()["data"]] == [mine.id]
