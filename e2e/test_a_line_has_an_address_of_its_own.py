"""A line can be forwarded: its own address shows it with the invoice it is of, and leads there, script or not."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e.test_reading_with_any_eyes import ALL_VIEWS, faults
from e2e.world import World


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def page(request: pytest.FixtureRequest, new_context: Callable[..., BrowserContext]) -> Page:
    return new_context(java_script_enabled=request.param).new_page()


def test_an_opened_line_shows_the_address_under_which_it_stands_alone(world: World, page: Page) -> None:
    url = world.invoice_url(world.measured_invoice)
    page.goto(url)
    number = page.get_by_role("heading", level=1).inner_text().removeprefix("Invoice ")
    line = page.get_by_role("main").get_by_role("listitem").filter(has_text="API calls")

    line.locator("summary").click()
    line.get_by_role("link", name="Link to this line and its days").click()

    expect(page).to_have_url(urljoin(url, f"lines/{world.seeded['measured']['line']}"))
    expect(page.get_by_role("heading", level=1)).to_have_text("API calls, Jan 1, 2026 – Jan 31, 2026")
    expect(page.get_by_role("main")).to_contain_text(f"A line of invoice {number} of ")
    expect(page.get_by_role("main")).to_contain_text("to Umbrella Labs")
    expect(page.get_by_role("img", name="API calls, quantity of each day")).to_be_visible()
    rows = page.get_by_role("table", name="Day by day").locator("tbody").get_by_role("row")
    expect(rows).to_have_count(world.seeded["measured"]["days"])
    expect(page.get_by_role("listitem").filter(has_text="✓")).to_have_count(4)
    expect(page).to_have_title(re.compile(rf"^API calls · Invoice {number} · "))
    expect(page.get_by_role("main")).to_contain_text("Whoever has this address can also open the whole invoice.")

    page.get_by_role("link", name=f"Back to invoice {number}").click()
    expect(page).to_have_url(url)


def test_it_is_of_the_account_that_it_was_opened_from(world: World, page: Page) -> None:
    below = f"{world.customer_url(world.measured)}invoices/{world.measured_invoice['id']}/"
    page.goto(f"{below}lines/{world.seeded['measured']['line']}")

    page.get_by_role("link", name="Back to invoice").click()

    expect(page).to_have_url(below)


def test_a_line_alone_can_be_read_by_everyone(world: World, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context().new_page()
    page.goto(f"{world.invoice_url(world.measured_invoice)}lines/{world.seeded['measured']['line']}")

    assert not list(faults(page, ALL_VIEWS))
