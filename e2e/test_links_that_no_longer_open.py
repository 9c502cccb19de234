"""Expired, refreshed, revoked, rotated, forged: what a visitor is told, and what she can do about it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from e2e.world import World

GONE = "This link is no longer active"
NOTHING = "Nothing can be found here"
BUTTON = "Mail me a fresh link"


@pytest.mark.parametrize("kind", ["invoice", "session"])
def test_an_expired_link_offers_a_fresh_one_and_says_nothing_else(world: World, page: Page, kind: str) -> None:
    assert opened(page, world.url(world.seeded["expired"][kind])) == 410
    expect(page.get_by_role("heading", name=GONE)).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Acme")
    expect(page.get_by_role("link", name="help@acme.example")).to_be_visible()
    expect(page.get_by_text("Vintage")).to_have_count(0)

    with page.expect_response(lambda answer: answer.request.method == "POST") as asked:
        page.get_by_role("button", name=BUTTON).click()

    assert asked.value.status == 202
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_refreshed_link_stops_and_the_new_one_opens(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    old = world.invoice_url(invoice)
    assert opened(page, old) == 200

    new = world.refreshed(invoice)

    assert opened(page, old) == 410
    expect(page.get_by_role("button", name=BUTTON)).to_be_visible()
    assert opened(page, new) == 200
    expect(page.get_by_role("heading", level=1)).to_contain_text(invoice["invoice_number"])


def test_the_button_never_ends_the_live_link_and_answers_the_same_every_time(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    old, new = world.invoice_url(invoice), world.refreshed(invoice)
    answers = []

    for _ in range(5):  # more often than letters are sent for
        opened(page, old)
        with page.expect_response(lambda answer: answer.request.method == "POST") as asked:
            page.get_by_role("button", name=BUTTON).click()
        answers.append((asked.value.status, asked.value.text()))

    assert len(set(answers)) == 1
    assert answers[0][0] == 202
    assert opened(page, new) == 200


def test_a_link_revoked_on_purpose_has_no_button(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    url = world.invoice_url(invoice)

    world.revoke(invoice)

    assert opened(page, url) == 410
    expect(page.get_by_role("heading", name=GONE)).to_be_visible()
    expect(page.get_by_role("link", name="help@acme.example")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


def test_a_rotated_customer_link_stops_and_the_new_one_opens(world: World, page: Page) -> None:
    customer = world.customer(name="Soylent")
    old = world.customer_url(customer)

    new = world.call("POST", f"/customers/{customer['id']}/portal_link")["link"]["url"]

    assert opened(page, old) == 410
    assert opened(page, new) == 200
    expect(page.get_by_role("heading", level=1)).to_contain_text("Soylent")


def test_a_forged_or_cut_link_finds_nothing_and_does_not_say_whose_it_would_be(world: World, page: Page) -> None:
    url = world.invoice_url(world.invoice(world.customer()))
    token = url.rstrip("/").rsplit("/", 1)[1]
    forged = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    pages = set()

    for path in (
        f"/i/{forged}/",
        f"/i/{token[:-9]}/",
        f"/c/{token}/",
        f"/s/{token}/",
        "/i/hello/",
        f"/i/{token}/nowhere",
    ):
        assert opened(page, world.url(path)) == 404, path
        expect(page.get_by_role("heading", name=NOTHING)).to_be_visible()
        expect(page.get_by_text("Acme")).to_have_count(0)
        pages.add(page.content())

    assert len(pages) == 1


def opened(page: Page, url: str) -> int:
    answer = page.goto(url)
    assert answer
    return answer.status
