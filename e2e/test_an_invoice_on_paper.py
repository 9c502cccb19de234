"""An invoice on paper: what a bookkeeper files, black on white, with no row in two and nothing to press."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from e2e.world import World

A4 = {"width": 690, "height": 980}  # what a sheet holds between its margins, in CSS pixels
BREAKS = "one => getComputedStyle(one).breakInside"


def sheets(page: Page) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))


@pytest.fixture
def on_paper(page: Page) -> Page:
    page.set_viewport_size(A4)
    page.emulate_media(media="print", color_scheme="dark")
    return page


def test_an_ordinary_invoice_is_one_sheet(world: World, on_paper: Page) -> None:
    on_paper.goto(world.invoice_url(world.invoice(world.customer(), memo="Thank you.")))

    assert sheets(on_paper) == 1


def test_what_can_only_be_pressed_is_left_out_and_the_rest_is_there(world: World, on_paper: Page) -> None:
    on_paper.goto(world.invoice_url(world.invoice(world.customer(name="Nostromo"), memo="Thank you.")))

    for left_out in (".skip", ".take-away", ".own", ".back", "button"):
        expect(on_paper.locator(left_out).locator("visible=true")).to_have_count(0)
    for words in ("Acme", "Nostromo", "Onboarding", "2 × $15.25", "Total", "$40.00", "Thank you.", "Issued"):
        expect(on_paper.locator("body")).to_contain_text(words)
    assert on_paper.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert on_paper.locator("h1").evaluate("one => getComputedStyle(one).color") == "rgb(0, 0, 0)"


def test_neither_a_row_nor_the_totals_are_torn_in_two(world: World, on_paper: Page) -> None:
    lines = [(f"Service {n}", n, "1.25") for n in range(1, 61)]
    on_paper.goto(world.invoice_url(world.invoice(world.customer(), lines=lines)))

    for kept in (".lines summary", ".totals", ".parties", ".hero", ".steps"):
        assert on_paper.locator(kept).first.evaluate(BREAKS) == "avoid", kept
    assert 3 <= sheets(on_paper) <= 5


def test_an_open_line_prints_its_days_and_a_closed_one_its_row(world: World, page: Page) -> None:
    page.goto(world.invoice_url(world.measured_invoice))
    closed = sheets(page)
    line = page.get_by_role("main").get_by_role("listitem").filter(has_text="API calls")
    page.emulate_media(media="print")
    expect(line.locator("summary")).to_contain_text("Jan 1, 2026 – Jan 31, 2026")
    expect(page.get_by_role("table", name="Day by day")).to_have_count(0)

    page.emulate_media(media="screen")
    line.locator("summary").click()
    expect(line.get_by_role("table", name="Day by day")).to_be_visible()
    page.emulate_media(media="print")

    expect(line.get_by_role("table", name="Day by day")).to_be_visible()
    assert sheets(page) > closed
