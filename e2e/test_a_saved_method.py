"""A method is kept where its owner wishes: she charges it again after a confirmation, and nobody else ever sees it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from e2e import till
from e2e.world import World

VISA, ACCOUNT = "Visa ending in 4242", "Bank account ending in 6789"


@pytest.fixture
def world(world: World) -> World:
    """Crown keeps methods for those who wish it."""
    return world.of("Crown")


def test_a_card_that_was_kept_is_charged_again_after_a_confirmation(world: World, page: Page) -> None:
    customer = world.customer()
    first, second = world.invoice(customer), world.invoice(customer)
    account = world.customer_url(customer)
    keep(page, f"{account}invoices/{first['id']}/")
    till.is_told(page, "Paid")

    till.opened(page, f"{account}invoices/{second['id']}/")
    expect(page.get_by_role("radio", name=VISA)).to_be_checked()
    page.get_by_role("button", name="Continue with this").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Pay invoice {second['invoice_number']}?")
    expect(page.get_by_role("main")).to_contain_text(VISA)
    assert world.payments(second) == []
    page.get_by_role("button", name="Confirm and pay $40.00").click()

    till.is_told(page, "Paid")
    expect(page.get_by_role("region", name="Receipt")).to_contain_text(VISA)


def test_an_invoice_link_keeps_a_method_and_never_shows_one(world: World, page: Page) -> None:
    customer = world.customer()
    first, second = world.invoice(customer), world.invoice(customer)
    keep(page, world.invoice_url(first))
    till.is_told(page, "Paid")

    till.opened(page, world.invoice_url(second))
    expect(page.get_by_text(VISA)).to_have_count(0)
    expect(page.get_by_role("button", name="Continue with this")).to_have_count(0)

    page.goto(world.customer_url(customer))
    expect(methods(page)).to_contain_text(VISA)


def test_of_two_that_are_kept_the_other_becomes_the_default_and_one_goes(world: World, page: Page) -> None:
    customer = world.customer()
    invoices = [world.invoice(customer) for _ in range(2)]
    account = world.customer_url(customer)
    keep(page, f"{account}invoices/{invoices[0]['id']}/")
    till.is_told(page, "Paid")
    keep(page, f"{account}invoices/{invoices[1]['id']}/", till.ACH, till.SETTLES)
    till.is_told(page, "Your payment is on its way")

    page.goto(account)
    expect(kept(page, VISA)).to_contain_text("Default")
    page.get_by_role("link", name="Change payment methods").click()
    kept(page, ACCOUNT).get_by_role("button", name="Make default").click()
    expect(kept(page, ACCOUNT)).to_contain_text("Default")
    expect(kept(page, VISA).get_by_text("Default", exact=True)).to_have_count(0)

    kept(page, VISA).get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name=f"Remove {VISA}?")).to_be_visible()
    assert len(stored(world, customer)) == 2
    page.get_by_role("button", name="Remove it").click()

    expect(methods(page)).not_to_contain_text(VISA)
    assert [(one["label"], one["default"]) for one in stored(world, customer)] == [(ACCOUNT, True)]


def keep(page: Page, url: str, method: str = till.CARD, ends: str = till.PAYS) -> None:
    """Pays, and lets the method be kept."""
    till.opened(page, url, method)
    expect(page.get_by_label("Keep it for later payments")).not_to_be_checked()
    page.get_by_label("Keep it for later payments").check()
    till.pay(page, ends)


def methods(page: Page) -> Any:
    return page.locator("#pf-methods")


def kept(page: Page, label: str) -> Any:
    return methods(page).get_by_role("listitem").filter(has_text=label)


def stored(world: World, customer: Any) -> Any:
    return world.call("GET", f"/customers/{customer['id']}/payment_methods")["data"]
