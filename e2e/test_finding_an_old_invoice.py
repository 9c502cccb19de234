"""Somebody looks for an invoice of long ago: by year, by a part of its number, or page by page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from e2e.world import World


def test_by_a_part_of_its_number_and_back_to_the_search(world: World, page: Page) -> None:
    customer, made = world.loyal
    old = made[20]["invoice_number"]
    page.goto(world.customer_url(customer))
    history = page.locator("#pf-history")
    expect(history.get_by_role("link", name=old, exact=True)).to_have_count(0)  # not on the first page

    history.get_by_label("Number").fill(old[-4:])
    history.get_by_label("Number").press("Enter")

    expect(history.get_by_role("link", name=old, exact=True)).to_be_visible()
    expect(history.get_by_label("Number")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("1 invoice shown")
    history.get_by_role("link", name=old, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(old)
    page.go_back()
    expect(history.get_by_label("Number")).to_have_value(old[-4:])
    expect(history.locator("tbody").get_by_role("row")).to_have_count(1)


def test_by_its_year(world: World, page: Page) -> None:
    customer, made = world.loyal
    year = made[-1]["invoice_date"][:4]
    page.goto(world.customer_url(customer))
    history = page.locator("#pf-history")

    history.get_by_label("Year").select_option(year)
    history.get_by_role("button", name="Find").click()

    wanted = [one["invoice_number"] for one in made if one["invoice_date"].startswith(year)]
    expect(history.locator("tbody").get_by_role("row")).to_have_count(min(len(wanted), 20))
    expect(history.get_by_role("link", name=wanted[0], exact=True)).to_be_visible()
    expect(history.get_by_role("button", name="Find")).to_be_focused()


def test_page_by_page_with_the_focus_on_the_way(world: World, page: Page) -> None:
    customer, made = world.loyal
    page.goto(world.customer_url(customer))
    history = page.locator("#pf-history")

    history.get_by_role("link", name="Older").press("Enter")
    expect(history.get_by_role("link", name=made[-1]["invoice_number"], exact=True)).to_be_visible()
    expect(history.get_by_text("These are the oldest")).to_be_focused()
    expect(history.get_by_role("heading", name="All invoices")).to_be_in_viewport()

    page.keyboard.press("Shift+Tab")
    expect(history.get_by_role("link", name="Newer")).to_be_focused()
    page.keyboard.press("Enter")
    expect(history.get_by_text("These are the newest")).to_be_focused()


def test_a_number_that_cannot_be_one_leaves_the_list_where_it_is(world: World, page: Page) -> None:
    customer, made = world.loyal
    url = world.customer_url(customer)
    page.goto(url)
    history = page.locator("#pf-history")

    history.get_by_label("Number").fill("50%")
    history.get_by_label("Number").press("Enter")

    expect(history.get_by_role("alert")).to_have_text("Number: an invoice number has letters, digits and hyphens.")
    expect(history.get_by_label("Number")).to_have_value("50%")
    expect(history.get_by_label("Number")).to_be_focused()
    expect(history.get_by_role("link", name=made[0]["invoice_number"], exact=True)).to_be_visible()
    assert page.url == url
    history.get_by_label("Number").fill("")
    history.get_by_label("Number").press("Enter")
    expect(history.get_by_role("alert")).to_be_hidden()


def test_all_that_is_to_be_paid_is_one_link_away(world: World, page: Page) -> None:
    customer, _ = world.loyal
    page.goto(world.customer_url(customer))

    page.get_by_role("link", name="15 more to pay").click()

    history = page.locator("#pf-history")
    expect(history.get_by_label("Status").locator("option:checked")).to_have_text("To pay")
    expect(history.get_by_role("heading", name="All invoices")).to_be_in_viewport()
    assert page.url.endswith("?status=unpaid")


@pytest.mark.parametrize("screen", [{"width": 1280, "height": 800}, {"width": 360, "height": 740}])
def test_what_was_found_stays_in_sight(world: World, page: Page, screen: ViewportSize) -> None:
    page.set_viewport_size(screen)
    customer, invoices = world.loyal
    page.goto(world.customer_url(customer))
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="All invoices").click()

    number = page.locator("#pf-history").get_by_label("Number")
    number.fill(invoices[-1]["invoice_number"])
    number.press("Enter")

    expect(page.locator("#pf-history tbody tr")).to_have_count(1)
    expect(number).to_be_in_viewport()
    expect(page.locator("#pf-history tbody tr")).to_be_in_viewport()


def test_a_status_is_asked_for_as_soon_as_it_is_chosen(world: World, page: Page) -> None:
    customer, _ = world.loyal
    page.goto(world.customer_url(customer))

    status = page.locator("#pf-history").get_by_label("Status")
    status.focus()
    status.select_option("Void")

    expect(page.locator("#pf-history").get_by_text("No invoice matches.")).to_be_visible()
    expect(status).to_be_focused()
