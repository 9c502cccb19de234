"""A session ends while somebody reads: what is on the screen stays, and nothing more comes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from e2e.world import World

GONE = "This link is no longer active"


def test_the_next_fragment_says_so_inside_the_page_and_a_reload_is_gone(world: World, page: Page) -> None:
    session = world.session(world.measured, invalidate_existing=False)
    page.goto(session["url"])
    line = page.locator("#pf-upcoming").get_by_role("listitem").filter(has_text="Storage")
    before = page.locator("#pf-due").inner_text()

    world.end(session)
    line.locator("summary").click()

    expect(line.get_by_role("heading", name=GONE)).to_be_visible()
    expect(page.get_by_role("heading", name="Umbrella Labs")).to_be_visible()
    assert page.locator("#pf-due").inner_text() == before

    answer = page.reload()

    assert answer
    assert answer.status == 410
    expect(page.get_by_role("heading", name=GONE)).to_be_visible()
    expect(page.get_by_text("Umbrella Labs")).to_have_count(0)


@pytest.mark.parametrize("section", ["pf-usage", "pf-history"])
def test_a_form_that_asks_too_late_is_answered_in_its_own_place(world: World, page: Page, section: str) -> None:
    session = world.session(world.measured, invalidate_existing=False)
    page.goto(session["url"])

    world.end(session)
    page.locator(f"#{section}").get_by_role("button").click()

    expect(page.get_by_role("heading", name=GONE)).to_be_visible()
    for other in {"pf-due", "pf-upcoming", "pf-usage", "pf-history", "pf-details"} - {section}:
        expect(page.locator(f"#{other}")).to_have_count(1)
    assert page.url == session["url"]


def test_the_button_in_such_a_notice_posts_to_an_address_that_answers(world: World, page: Page) -> None:
    customer = world.customer()
    invoice = world.invoice(customer)
    session = world.session(customer)
    page.goto(session["url"])
    page.get_by_role("link", name=invoice["invoice_number"]).first.click()

    world.session(customer)  # ends the one before
    page.get_by_role("listitem").filter(has_text="Onboarding").locator("summary").click()
    expect(page.get_by_role("heading", name=GONE)).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST") as asked:
        page.get_by_role("button", name="Mail me a fresh link").click()

    assert asked.value.status == 202


def test_a_session_that_another_replaced_stops_and_the_permanent_link_does_not(world: World, page: Page) -> None:
    customer = world.customer(name="Stark")
    first, second = world.session(customer), world.session(customer)

    for url, status in ((first["url"], 410), (second["url"], 200), (world.customer_url(customer), 200)):
        answer = page.goto(url)
        assert answer
        assert answer.status == status
