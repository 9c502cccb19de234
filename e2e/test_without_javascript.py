"""No page needs JavaScript: what is a fragment with it is a page of its own without."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e.world import World


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    return new_context(java_script_enabled=False).new_page()


def test_a_line_is_a_link_to_its_days_and_back(world: World, page: Page) -> None:
    url = world.invoice_url(world.measured_invoice)
    page.goto(url)

    page.get_by_role("listitem").filter(has_text="API calls").locator("summary").click()
    page.get_by_role("link", name="Link to this line and its days").first.click()

    rows = page.get_by_role("table", name="Day by day").locator("tbody").get_by_role("row")
    expect(rows).to_have_count(world.seeded["measured"]["days"])
    page.get_by_role("link", name="Back to invoice").click()
    expect(page).to_have_url(url)


def test_a_line_of_the_upcoming_bill_is_a_link_to_its_days(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))

    line = page.locator("#pf-upcoming").get_by_role("listitem").filter(has_text="API calls")
    line.locator("summary").click()
    line.get_by_role("link", name="Open this line by itself").click()

    expect(page.get_by_role("table", name="Day by day")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("API calls so far")
    page.get_by_role("link", name="Back to the account").click()
    expect(page.locator("#pf-upcoming")).to_be_visible()


def test_usage_is_a_form_that_is_sent(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))
    usage = page.locator("#pf-usage")
    usage.get_by_label("Metric").select_option("Storage")
    usage.get_by_label("Period").select_option("Last 30 days")
    usage.get_by_label("Shown").select_option("Cumulative")

    usage.get_by_role("button").click()

    expect(usage.get_by_role("img", name="Storage, added up")).to_be_visible()
    usage.get_by_text("The same as a table").click()
    expect(usage.get_by_role("table").locator("tbody").get_by_role("row")).to_have_count(30)
    expect(usage).to_be_in_viewport()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Umbrella Labs")


def test_usage_and_history_keep_each_others_state(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))
    usage, history = page.locator("#pf-usage"), page.locator("#pf-history")

    usage.get_by_label("Metric").select_option("Storage")
    usage.get_by_role("button").click()
    history.get_by_label("Status").select_option("To pay")
    history.get_by_role("button", name="Find").click()

    expect(usage.get_by_role("img", name="Storage, day by day")).to_be_visible()
    expect(history.get_by_label("Status").locator("option:checked")).to_have_text("To pay")
    page.go_back()
    expect(history.get_by_label("Status").locator("option:checked")).to_have_text("Any status")


def test_a_section_in_a_frame_of_its_own_stays_there(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured) + "usage")
    page.get_by_label("Metric").select_option("Storage")

    page.get_by_role("button").click()

    expect(page.get_by_role("img", name="Storage, day by day")).to_be_visible()
    expect(page.locator("#pf-history")).to_have_count(0)
    page.get_by_role("link", name="Back to the whole page").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Umbrella Labs")


def test_history_is_searched_and_paged(world: World, page: Page) -> None:
    customer, made = world.loyal
    history = page.locator("#pf-history")
    page.goto(world.customer_url(customer))

    history.get_by_role("link", name="Older").click()
    expect(history.get_by_role("link", name=made[-1]["invoice_number"], exact=True)).to_be_visible()
    history.get_by_role("link", name="Newer").click()
    expect(history.get_by_role("link", name=made[0]["invoice_number"], exact=True)).to_be_visible()

    history.get_by_label("Number").fill(made[7]["invoice_number"])
    history.get_by_role("button", name="Find").click()
    expect(history.locator("tbody").get_by_role("row")).to_have_count(1)

    history.get_by_role("link", name=made[7]["invoice_number"], exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(made[7]["invoice_number"])
    page.get_by_role("link", name="Back to the account").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Loyal & Daughters")


def test_a_search_that_makes_no_sense_is_told_so(world: World, page: Page) -> None:
    customer = world.customer()
    world.invoice(customer)
    page.goto(world.customer_url(customer))
    history = page.locator("#pf-history")

    history.get_by_label("Number").fill("%%%")
    history.get_by_role("button", name="Find").click()

    expect(history.get_by_role("alert")).to_be_visible()


def test_the_button_of_a_closed_link_works(world: World, page: Page) -> None:
    page.goto(world.url(world.seeded["expired"]["invoice"]))

    with page.expect_response(lambda answer: answer.request.method == "POST") as asked:
        page.get_by_role("button", name="Mail me a fresh link").click()

    assert asked.value.status == 202
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_formats_are_plain_links(world: World, page: Page) -> None:
    page.goto(world.invoice_url(world.invoice(world.customer())))

    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()

    assert taken.value.suggested_filename.endswith(".csv")
