"""A customer who reads from right to left: her names, numbers and dates keep their order, and nothing overlaps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from e2e.test_reading_with_any_eyes import SCREENS, VIEWS, WIDER, faults
from e2e.world import World, today_there

NAME = "شركة الأمل للتجارة والخدمات المحدودة"


@pytest.fixture
def account(world: World) -> str:
    """The account of a customer whose locale is Arabic, with an overdue and an open invoice."""
    customer = world.customer(name=NAME, locale="ar", timezone="Asia/Riyadh")
    world.invoice(customer, invoice_date=str(today_there() - timedelta(days=60)), net_terms=10)
    world.invoice(customer, lines=[("خدمات الدعم", 1, "1234.50")])
    return world.customer_url(customer)


@pytest.mark.parametrize("screen", SCREENS)
def test_the_account_fits_and_says_the_same(world: World, page: Page, account: str, screen: str) -> None:
    page.set_viewport_size(SCREENS[screen])
    page.goto(account)

    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(page.get_by_role("heading", level=1)).to_have_css("direction", "rtl")
    expect(page.locator("#pf-due").get_by_text("Overdue")).to_be_visible()
    assert page.evaluate(WIDER) <= 0
    assert not list(faults(page, VIEWS))


def test_searching_works_as_for_everyone(world: World, page: Page, account: str) -> None:
    page.goto(account)
    history = page.locator("#pf-history")

    history.get_by_label("Status").select_option("Overdue")
    history.get_by_role("button", name="Find").click()

    expect(history.locator("tbody").get_by_role("row")).to_have_count(1)
    page.go_back()
    expect(history.locator("tbody").get_by_role("row")).to_have_count(2)
