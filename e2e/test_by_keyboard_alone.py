"""The account without a mouse: everything is reached in the order of the text, in sight, marked, and large enough."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from e2e.world import World

FOCUSED = """() => {
  const one = document.activeElement;
  const whole = one.matches("[type=radio], [type=checkbox]") ? one.closest("label") ?? one : one;
  const box = whole.getBoundingClientRect();
  const style = getComputedStyle(whole);
  const inline = style.display === "inline";
  return {
    what: one.id || one.textContent.trim().slice(0, 40) || one.tagName,
    tag: one.tagName,
    place: [...document.querySelectorAll("*")].indexOf(one),
    seen: box.bottom > 0 && box.top < innerHeight && box.width > 0,
    marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    large: inline || (box.width >= 24 && box.height >= 24),
  };
}"""


def steps(page: Page) -> list[Any]:
    """Whatever has the focus, from the first Tab until it leaves the page."""
    found: list[Any] = []
    while len(found) < 200:
        page.keyboard.press("Tab")
        one = page.evaluate(FOCUSED)
        if one["tag"] == "BODY" or one["what"] in [other["what"] for other in found if other["place"] == one["place"]]:
            break
        found.append(one)
    return found


@pytest.mark.parametrize("width", [320, 1280])
def test_tab_leads_through_everything_in_order(world: World, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(world.customer_url(world.measured))

    found = steps(page)

    assert len(found) > 20
    assert [one["place"] for one in found] == sorted(one["place"] for one in found)
    assert not [one["what"] for one in found if not (one["seen"] and one["marked"] and one["large"])]
    named = [one["what"] for one in found]
    assert named[0] == "Skip to the content"
    assert {"pf-ask-metric", "pf-ask-period", "pf-ask-view", "pf-ask-usage", "pf-ask-number"} <= set(named)


def test_a_metric_a_line_and_an_invoice_by_keys(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))

    page.get_by_role("link", name="Usage", exact=True).press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Metric")).to_be_focused()
    with page.expect_response("**/usage?*"):
        page.keyboard.press("S")  # Storage
    expect(page.get_by_role("img", name="Storage, day by day")).to_be_visible()
    expect(page.get_by_label("Metric")).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#pf-usage").get_by_role("table")).to_be_visible()

    line = page.locator("#pf-upcoming summary").first
    line.press("Enter")
    expect(page.locator("#pf-upcoming").get_by_role("table", name="Day by day")).to_be_visible()
    expect(line).to_be_focused()

    page.locator("#pf-history").get_by_role("table").get_by_role("link").first.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Invoice")


def test_the_skip_link_leads_past_the_head(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
