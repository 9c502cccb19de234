"""Metric, period and cumulative are switched in place: the same numbers in the chart, in the table and in words."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from e2e.witness import Witness
from e2e.world import World


def numbers(cells: Locator) -> list[int]:
    return [int(text.replace(",", "")) for text in cells.all_inner_texts()]


def test_the_focus_stays_on_what_was_switched_and_nothing_else_is_asked(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/static/" not in request.url else None)

    for label, choice in (("Metric", "Storage"), ("Period", "Last 90 days"), ("Shown", "Cumulative")):
        page.get_by_label(label).focus()
        with page.expect_response("**/usage?*"):
            page.get_by_label(label).select_option(choice)
        expect(page.get_by_label(label)).to_be_focused()

    expect(page.get_by_role("img", name="Storage, added up")).to_be_visible()
    assert len(asked) == 3
    expect(page.get_by_role("status")).to_contain_text("GB-hours in all")


def test_chart_table_and_words_have_the_same_numbers(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured) + "?period=30d")
    usage = page.locator("#pf-usage")
    bars = usage.locator(".chart > svg rect title").all_text_contents()

    usage.get_by_text("The same as a table").press("Enter")
    rows = usage.locator("tbody").get_by_role("row")
    used = numbers(rows.locator("td:nth-of-type(1)"))
    before = numbers(rows.locator("td:last-of-type"))

    assert len(bars) == len(used) == 30
    assert [int(re.sub(r".*: ([\d,]+).*", r"\1", title).replace(",", "")) for title in bars] == used
    total, was = sum(used), sum(before)
    expect(usage.locator(".sum")).to_have_text(f"{total:,} calls")
    more = "more" if total > was else "less"
    if total != was:
        expect(usage.locator(".change")).to_contain_text(f"{abs(total - was):,} {more}")
    assert numbers(rows.last.locator("td:nth-of-type(2)")) == [total]


def test_today_is_drawn_as_not_over(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured) + "?period=7d")
    bars = page.locator("#pf-usage .chart > svg rect")

    expect(bars).to_have_count(7)
    assert bars.last.get_attribute("class") == "bar running"
    assert bars.last.evaluate("one => getComputedStyle(one).strokeDasharray") != "none"
    expect(page.locator("#pf-usage").get_by_text("Today, so far")).to_be_visible()


def test_without_an_answer_it_says_so_and_keeps_what_was_there(world: World, page: Page, witness: Witness) -> None:
    witness.excused += ["htmx:error", "Failed to fetch", "net::ERR"]
    page.goto(world.customer_url(world.measured))
    page.context.set_offline(True)

    page.get_by_label("Metric").select_option("Storage")

    expect(page.get_by_role("alert").get_by_role("heading", name="No answer came")).to_be_in_viewport()
    expect(page.get_by_role("img", name="API calls, day by day")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("img", name="Storage, day by day")).to_be_visible()
    expect(page.get_by_role("heading", name="No answer came")).to_be_hidden()


def test_a_table_that_was_opened_stays_open(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))
    usage = page.locator("#pf-usage")
    usage.get_by_text("The same as a table").press("Enter")
    expect(usage.get_by_role("table", name="API calls, day by day")).to_be_visible()

    page.get_by_label("Metric").select_option("Storage")

    expect(usage.get_by_role("table", name="Storage, day by day")).to_be_visible()
    usage.get_by_text("The same as a table").press("Enter")
    page.get_by_label("Metric").select_option("API calls")
    expect(usage.get_by_role("img", name="API calls, day by day")).to_be_visible()
    expect(usage.get_by_role("table")).to_be_hidden()
