"""An invoice without a mouse: every line opens and closes by key, what has the focus keeps it, and is seen to."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from e2e.test_by_keyboard_alone import steps
from e2e.world import World


@pytest.mark.parametrize("width", [320, 1280])
def test_tab_leads_from_line_to_line_and_out(world: World, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(world.invoice_url(world.invoice(world.customer())))

    found = steps(page)

    assert [one["place"] for one in found] == sorted(one["place"] for one in found)
    assert not [one["what"] for one in found if not (one["seen"] and one["marked"] and one["large"])]
    names = [one["what"].split("\n")[0] for one in found]
    assert names[:5] == ["Skip to the content", "Pay", "help@acme.example", "Onboarding", "Extra"]
    assert names[5:7] == ["CSV", "JSON"]


@pytest.mark.parametrize("key", ["Enter", " "])
def test_a_line_opens_and_closes_by_key_and_keeps_the_focus(world: World, page: Page, key: str) -> None:
    page.goto(world.invoice_url(world.measured_invoice))
    line = page.get_by_role("main").get_by_role("listitem").filter(has_text="API calls")
    summary = line.locator("summary")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/lines/" in request.url else None)
    summary.focus()

    page.keyboard.press(key)
    expect(line.get_by_role("table", name="Day by day")).to_be_visible()
    expect(summary).to_be_focused()
    page.keyboard.press(key)
    expect(line.get_by_role("table", name="Day by day")).to_be_hidden()
    expect(summary).to_be_focused()
    page.keyboard.press(key)
    expect(line.get_by_role("table", name="Day by day")).to_be_visible()

    page.keyboard.press("Tab")
    expect(line.get_by_role("link", name="Link to this line")).to_be_focused()
    assert len(asked) == 1


def test_nothing_is_asked_for_before_a_line_is_opened(world: World, page: Page) -> None:
    asked: list[str] = []
    page.goto(world.invoice_url(world.measured_invoice))
    page.on("request", lambda request: None if "/static/" in request.url else asked.append(request.url))

    page.mouse.wheel(0, 2000)
    for _ in range(5):
        page.keyboard.press("Tab")

    assert not asked


def test_a_line_that_cannot_be_had_is_told_and_can_be_asked_for_again(world: World, page: Page, witness: Any) -> None:
    witness.excused += ["429"]
    page.goto(world.invoice_url(world.measured_invoice))
    line = page.get_by_role("main").get_by_role("listitem").filter(has_text="API calls")
    told = {
        "status": 429,
        "content_type": "text/html",
        "body": '<p id="pf-line-x" role="alert">Please wait a moment</p>',
    }
    headers = {"HX-Retarget": "#pf-notice", "HX-Reswap": "innerHTML"}
    page.route("**/lines/*", lambda route: route.fulfill(**told, headers=headers), times=1)

    line.locator("summary").click()
    expect(page.get_by_text("Please wait a moment")).to_be_visible()
    expect(line.get_by_role("link", name="Link to this line")).to_be_visible()
    page.unroute("**/lines/*")
    line.locator("summary").click()
    line.locator("summary").click()

    expect(page.get_by_role("table", name="Day by day")).to_have_count(1)
