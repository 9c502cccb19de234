"""Nothing about paying needs a script: each step is a page, and who waits looks again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e import till
from e2e.world import World


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    return new_context(java_script_enabled=False).new_page()


def test_a_card_is_declined_and_another_pays(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    page.goto(world.invoice_url(invoice))
    page.get_by_role("link", name="Pay").click()
    till.choose(page)
    till.pay(page, till.DECLINED)
    till.is_told(page, "This payment failed")

    page.get_by_role("link", name="Try again").click()
    till.choose(page)
    till.pay(page)

    till.is_told(page, "Paid")
    page.get_by_role("link", name="Back to the invoice").click()
    expect(page.locator(".status")).to_have_text("Paid")


def test_who_waits_for_a_debit_looks_again(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    till.opened(page, world.invoice_url(invoice), till.ACH)
    till.pay(page, till.SETTLES)
    till.is_told(page, "Your payment is on its way")

    world.settle(invoice)
    page.get_by_role("link", name="Look again").click()

    till.is_told(page, "Paid")
    expect(page.get_by_role("link", name="Look again")).to_have_count(0)


def test_a_bank_transfer_is_explained(world: World, page: Page) -> None:
    crown = world.of("Crown")
    invoice = crown.invoice(crown.customer())
    page.goto(f"{crown.invoice_url(invoice)}payments/new")
    till.choose(page, till.TRANSFER)

    transfer = page.get_by_role("region", name="Pay by bank transfer")
    for said in ("Crown Inc", "000123456789", "110000000", "$40.00", invoice["invoice_number"]):
        expect(transfer).to_contain_text(said)
