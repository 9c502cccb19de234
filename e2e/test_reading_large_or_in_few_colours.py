"""At 200 % zoom, in forced colours, without motion, and on paper: all is there, and all can be told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e import walk
from e2e.test_reading_with_any_eyes import WIDER, violations
from e2e.world import World

# What runs out of its own box, or is hidden behind its edge.
CUT = """() => [...document.querySelectorAll("main :is(h1, h2, h3, p, td, th, dd, dt, label, a, button)")]
  .filter((one) => one.offsetParent && !one.closest(".unseen") && one.scrollWidth > one.clientWidth + 1
    && getComputedStyle(one).display !== "inline")
  .map((one) => one.outerHTML.slice(0, 120))"""
PAINT = "one => { const s = getComputedStyle(one); return [s.fill, s.stroke, s.strokeDasharray].join(' ') }"


@pytest.mark.parametrize(("width", "height"), [(640, 400), (320, 256)], ids=["200 %", "400 %"])
def test_zoomed_nothing_is_cut_off_or_needs_scrolling_sideways(
    world: World, page: Page, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})  # of a screen of 1280 × 800, or 1024

    for name, url in walk.open_pages(world).items():
        page.goto(url)
        for table in page.get_by_text("The same as a table").all():
            table.click()
        assert page.evaluate(WIDER) <= 0, name
        assert page.evaluate(CUT) == [], name


@pytest.fixture
def forced(new_context: Callable[..., BrowserContext]) -> Page:
    return new_context(forced_colors="active", reduced_motion="reduce").new_page()


def test_in_forced_colours_bars_today_and_the_period_before_differ(world: World, forced: Page) -> None:
    forced.goto(world.customer_url(world.measured) + "?period=7d")
    chart = forced.locator("#pf-usage .chart > svg")

    paints = [chart.locator(part).first.evaluate(PAINT) for part in (".bar", ".running", ".before")]

    assert len(set(paints)) == 3, paints
    ground = forced.evaluate("getComputedStyle(document.querySelector('#pf-usage')).backgroundColor")
    assert not paints[0].startswith(ground)
    assert violations(forced) == []


def test_without_motion_nothing_moves(world: World, forced: Page) -> None:
    forced.goto(world.customer_url(world.measured))
    stir: Any = "document.getAnimations().length"
    forced.route("**/usage?*", lambda route: None)  # never answers

    forced.get_by_label("Metric").select_option("Storage")

    expect(forced.locator("#pf-usage")).to_have_attribute("aria-busy", "true")
    assert forced.evaluate(stir) == 0


def test_on_paper_stands_what_a_bookkeeper_files(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))
    page.emulate_media(media="print")

    for kept in ("To pay", "Upcoming", "Usage", "All invoices", "Plan and prices", "Credit", "Billing details"):
        expect(page.get_by_role("heading", name=kept, exact=True)).to_be_visible()
    expect(page.locator(".masthead")).to_be_visible()
    for left_out in (".jumps", ".question", ".pages", "#pf-usage summary", ".session"):
        expect(page.locator(left_out).locator("visible=true")).to_have_count(0)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").count(b"/Type /Page\n") <= 4
