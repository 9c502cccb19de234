"""An invoice at 200 % zoom, in forced colours, and from right to left: all is there, and nothing hides anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e.test_reading_large_or_in_few_colours import CUT
from e2e.test_reading_with_any_eyes import ALL_VIEWS, SCREENS, WIDER, faults, violations
from e2e.world import World, today_there

LONG = "Wasserstoffperoxidkonzentrationsbestimmungsgerätevermietungen"
ARABIC = "شركة الخليج للتجارة والمقاولات العامة ذ.م.م"
FOLD = "one => one.getBoundingClientRect().bottom"
# Boxes of one line that lie on top of one another.
OVERLAPS = """() => [...document.querySelectorAll(".lines summary")].flatMap((row) => {
  const [a, b] = [".count", ".amount"].map((part) => row.querySelector(part).getBoundingClientRect());
  return a.right > b.left + 1 && a.bottom > b.top + 1 ? [row.innerText] : [];
})"""


def everything(world: World, **fields: object) -> str:
    """An invoice with long names, large amounts and prices far below a cent."""
    lines = [(LONG, 123456789, "0.000042"), ("Hardware", 99999, "12345.67"), ("Small", 1, "0.01")]
    return world.invoice_url(world.invoice(world.customer(name=LONG, **fields), lines=lines))


@pytest.mark.parametrize("width", [320, 360, 390])
def test_one_glance_at_a_phone_says_who_asks_how_much_until_when_and_what_for(
    world: World, page: Page, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 568})
    due = today_there() + timedelta(days=30)
    page.goto(world.invoice_url(world.invoice(world.customer())))

    main = page.get_by_role("main")
    for said in ("$40.00", f"Due {due:%b} {due.day}, {due.year}", "Onboarding and 1 more", "Issued"):
        assert main.get_by_text(said).first.evaluate(FOLD) < 568, said
    assert page.locator(".masthead").evaluate(FOLD) < 568


@pytest.mark.parametrize(("width", "height"), [(640, 400), (320, 256)], ids=["200 %", "400 %"])
def test_zoomed_nothing_is_cut_off_hidden_or_wider_than_the_screen(
    world: World, page: Page, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(everything(world))
    page.locator("summary").first.click()
    expect(page.locator(".line-detail")).to_be_visible()

    assert page.evaluate(WIDER) <= 0
    # The heading of an open line is for screen readers alone.
    assert [one for one in page.evaluate(CUT) if not one.startswith("<h3>")] == []
    assert page.evaluate(OVERLAPS) == []


def test_in_forced_colours_statuses_keep_their_word_and_shape(
    world: World, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(forced_colors="active", reduced_motion="reduce").new_page()
    page.goto(world.invoice_url(world.invoice(world.customer(), invoice_date="2026-01-15", net_terms=10)))
    status = page.locator(".status")

    expect(status).to_have_text("Overdue")
    ground = status.evaluate("one => getComputedStyle(one).backgroundColor")
    shape = status.evaluate("one => getComputedStyle(one, '::before').backgroundColor")
    assert shape != ground
    assert violations(page) == []


@pytest.mark.parametrize(
    ("name", "locale", "timezone"), [(ARABIC, "ar-KW", "Asia/Kuwait"), ("חברת האור בע״מ", "he-IL", "Asia/Jerusalem")]
)
def test_names_and_numbers_from_right_to_left_keep_their_order(
    world: World, page: Page, name: str, locale: str, timezone: str
) -> None:
    page.set_viewport_size(SCREENS["phone"])
    page.goto(everything(world, locale=locale, timezone=timezone))
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(WIDER) <= 0

    customer = world.customer(name=name, locale=locale, timezone=timezone)
    page.goto(world.invoice_url(world.invoice(customer, lines=[(name, 2, "1234.5"), ("Support", 1, "0.000042")])))
    page.locator("summary").first.click()
    expect(page.locator(".line-detail")).to_be_visible()

    whom = page.locator(".parties .party").filter(has_text=name)
    expect(whom).to_have_css("direction", "rtl")
    expect(page.locator(".to-pay .sum")).to_contain_text("\u2068")  # isolated from the words around it
    assert not list(faults(page, ALL_VIEWS))
