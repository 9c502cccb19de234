"""The address says what the page shows: back, forward, reload and a copied address bring it all back."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from e2e.world import World

STORED = "sessionStorage.length + localStorage.length"


def switch(page: Page, label: str, choice: str) -> None:
    before = page.url
    page.get_by_label(label).select_option(choice)
    expect(page).not_to_have_url(before)


def press_down(page: Page) -> None:
    """On to the next choice of the list in focus, until its answer stands in the address."""
    before = page.url
    page.keyboard.press("ArrowDown")
    expect(page).not_to_have_url(before)


def shows(page: Page, metric: str, period: str, way: str) -> None:
    """The chart, and the form above it."""
    usage = page.locator("#pf-usage")
    expect(usage.get_by_role("img", name=f"{metric}, {way}")).to_be_visible()
    expect(usage.get_by_label("Metric").locator("option:checked")).to_have_text(metric)
    expect(usage.get_by_label("Period").locator("option:checked")).to_have_text(period)


def test_each_step_is_undone_by_back_and_done_again_by_forward(world: World, page: Page) -> None:
    url = world.customer_url(world.measured)
    page.goto(url)
    switch(page, "Metric", "Storage")
    shows(page, "Storage", "This period", "day by day")
    switch(page, "Period", "Last 30 days")
    shows(page, "Storage", "Last 30 days", "day by day")
    switch(page, "Shown", "Cumulative")
    shows(page, "Storage", "Last 30 days", "added up")

    page.go_back()
    shows(page, "Storage", "Last 30 days", "day by day")
    page.go_back()
    shows(page, "Storage", "This period", "day by day")
    page.go_back()
    shows(page, "API calls", "This period", "day by day")
    assert page.url == url
    page.go_forward()
    shows(page, "Storage", "This period", "day by day")
    page.go_forward()
    shows(page, "Storage", "Last 30 days", "day by day")

    assert page.url.startswith(url + "?")
    assert page.evaluate(STORED) == 0


def test_arrow_keys_pass_through_a_list_in_one_step(world: World, page: Page) -> None:
    url = world.customer_url(world.measured)
    page.goto(url)
    page.get_by_label("Period").focus()
    for period in ("Last period", "Last 7 days", "Last 30 days"):
        press_down(page)
        shows(page, "API calls", period, "day by day")
        expect(page.get_by_label("Period")).to_be_focused()
    page.get_by_label("Shown").focus()
    press_down(page)
    shows(page, "API calls", "Last 30 days", "added up")

    page.go_back()
    shows(page, "API calls", "Last 30 days", "day by day")
    page.go_back()
    shows(page, "API calls", "This period", "day by day")
    assert page.url == url


def test_both_sections_keep_each_others_state(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))
    history = page.locator("#pf-history")

    switch(page, "Metric", "Storage")
    shows(page, "Storage", "This period", "day by day")
    history.get_by_label("Status").select_option("Paid")
    history.get_by_role("button", name="Find").click()
    expect(history.get_by_text("No invoice matches.")).to_be_visible()
    switch(page, "Period", "Last 7 days")
    shows(page, "Storage", "Last 7 days", "day by day")

    for again in (lambda: page.reload(), lambda: page.goto(page.url)):
        again()
        shows(page, "Storage", "Last 7 days", "day by day")
        expect(history.get_by_label("Status").locator("option:checked")).to_have_text("Paid")
        expect(history.get_by_text("No invoice matches.")).to_be_visible()


def test_pages_of_invoices_and_a_visit_to_one_are_steps_as_well(world: World, page: Page) -> None:
    customer, made = world.loyal
    page.goto(world.customer_url(customer))
    history = page.locator("#pf-history")

    def listed(invoice: Any) -> None:
        expect(history.get_by_role("link", name=invoice["invoice_number"], exact=True)).to_be_visible()

    history.get_by_role("link", name="Older").click()
    listed(made[-1])
    history.get_by_role("link", name=made[-1]["invoice_number"], exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(made[-1]["invoice_number"])

    page.go_back()
    listed(made[-1])
    page.go_back()
    listed(made[0])
    page.go_forward()
    listed(made[-1])


def test_the_same_question_twice_is_one_step(world: World, page: Page) -> None:
    url = world.customer_url(world.measured)
    page.goto(url)
    switch(page, "Metric", "Storage")
    shows(page, "Storage", "This period", "day by day")
    for _ in range(2):
        with page.expect_response("**/usage?*"):
            page.get_by_role("button", name="Show").click()

    page.go_back()

    shows(page, "API calls", "This period", "day by day")
    assert page.url == url


def test_a_section_in_a_frame_of_its_own_stays_there(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured) + "usage")
    switch(page, "Metric", "Storage")
    shows(page, "Storage", "This period", "day by day")

    page.reload()

    shows(page, "Storage", "This period", "day by day")
    expect(page.locator("#pf-history")).to_have_count(0)
