"""An invoice is paid on the narrowest phone: everything is there, nothing is cut off, no page scrolls sideways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e import till
from e2e.test_reading_large_or_in_few_colours import CUT
from e2e.test_reading_with_any_eyes import WIDER
from e2e.witness import Witness
from e2e.world import World


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    return new_context(viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=True).new_page()


def test_an_invoice_is_paid_by_a_card_whose_bank_asks(world: World, page: Page, witness: Witness) -> None:
    assert world.bank
    witness.hosts.add(world.bank.url)
    page.goto(world.invoice_url(world.invoice(world.customer(name="Weyland & Yutani Building Better Worlds Ltd"))))
    pay = page.get_by_role("link", name="Pay")
    expect(pay).to_be_in_viewport()
    fits(page)
    pay.tap()
    page.get_by_role("radio", name=till.CARD).tap()
    fits(page)
    page.get_by_role("button", name="Continue").tap()
    page.get_by_role("radio", name=till.ASKS).tap()
    fits(page)
    till.button(page).tap()
    till.is_told(page, "Please confirm this payment")
    fits(page)
    confirm = page.get_by_role("link", name="Confirm with your bank")
    expect(confirm).to_be_in_viewport()
    confirm.tap()
    page.get_by_role("button", name="Approve").tap()
    till.is_told(page, "Paid")
    fits(page)


def test_an_account_pays_all_it_owes(world: World, page: Page) -> None:
    customer = world.customer()
    for _ in range(2):
        world.invoice(customer)
    page.goto(world.customer_url(customer))
    fits(page)
    page.get_by_role("link", name="Pay all").tap()
    till.is_told(page, "Pay 2 invoices")
    fits(page)
    till.choose(page)
    till.pay(page)
    till.is_told(page, "Paid")
    fits(page)


def fits(page: Page) -> None:
    assert page.evaluate(WIDER) <= 0, page.url
    assert page.evaluate(CUT) == [], page.url
