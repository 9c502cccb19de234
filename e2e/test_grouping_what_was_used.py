"""What was used is told apart by a property: pictures on one scale, a table, and an address that says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e.world import World


def grouped(page: Page) -> None:
    usage = page.locator("#pf-usage")
    expect(usage.get_by_role("heading", name="By region")).to_be_visible()
    expect(usage.locator(".groups svg")).to_have_count(7)
    expect(usage.locator(".groups p").last).to_contain_text("3 others: ")


def test_the_select_is_there_where_there_is_something_to_group_by(world: World, page: Page) -> None:
    url = world.customer_url(world.grouped)
    page.goto(url)
    expect(page.locator("#pf-usage").get_by_label("Group by")).to_be_hidden()

    page.get_by_label("Metric").select_option("Requests")
    page.get_by_label("Group by").focus()
    page.get_by_label("Group by").select_option("region")

    grouped(page)
    expect(page.get_by_label("Group by")).to_be_focused()
    assert page.url.startswith(url + "?")
    assert "group_by=region" in page.url
    page.reload()
    grouped(page)
    page.get_by_label("Metric").select_option("Memory")
    expect(page.locator(".groups")).to_be_hidden()
    page.go_back()
    grouped(page)


def test_without_script_it_is_a_form_like_any_other(world: World, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(world.customer_url(world.grouped))
    page.get_by_label("Metric").select_option("Requests")
    page.get_by_role("button", name="Show").click()
    page.get_by_label("Group by").select_option("region")
    page.get_by_role("button", name="Show").click()

    grouped(page)
    page.get_by_text("The groups as a table").click()
    expect(page.get_by_role("table", name="Requests by region")).to_be_visible()


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"forced_colors": "active"}], ids=str)
def test_bars_of_groups_stand_out_in_any_colours(
    world: World, new_context: Callable[..., BrowserContext], options: Any
) -> None:
    page = new_context(**options).new_page()
    page.goto(world.customer_url(world.grouped))
    page.get_by_label("Metric").select_option("Requests")
    page.get_by_label("Group by").select_option("region")
    grouped(page)

    bar = page.locator(".groups svg rect.bar").first
    ground = page.evaluate("getComputedStyle(document.querySelector('#pf-usage')).backgroundColor")
    assert bar.evaluate("one => getComputedStyle(one).fill") != ground


def test_on_a_small_screen_only_the_tables_are_wider_and_keys_reach_all_of_them(world: World, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(world.customer_url(world.grouped) + "usage")
    page.get_by_label("Metric").select_option("Requests")
    page.get_by_label("Group by").select_option("region")
    page.get_by_text("The groups as a table").click()

    region = page.get_by_role("region", name="Requests by region, day by day")
    region.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")

    expect(region).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.wait_for_function("one => one.scrollLeft > 0", arg=region.element_handle())


def test_a_bill_says_what_is_paid_ahead_and_what_credits_take(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.grouped))
    upcoming = page.locator("#pf-upcoming")

    expect(upcoming.get_by_text("Paid ahead, for")).to_be_visible()
    expect(upcoming.get_by_text("Prepaid credits")).to_be_visible()
    expect(upcoming.get_by_text("The bill is issued 12 hours after its last day")).to_be_visible()
    expect(page.locator("#pf-plan").get_by_text("Usage is billed as soon as it comes to $100,000.00")).to_be_visible()
