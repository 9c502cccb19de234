"""Part of an invoice is paid: while that is on its way the rest cannot be, and afterwards it can."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e import till
from e2e.world import World


def test_a_part_is_on_its_way_and_then_the_rest_is_paid(world: World, page: Page) -> None:
    crown = world.of("Crown")
    invoice = crown.invoice(crown.customer())
    url = crown.invoice_url(invoice)
    till.opened(page, url, till.ACH)
    amount = page.get_by_label("Amount in USD")

    page.get_by_text("Pay another amount").click()
    amount.fill("4.99")
    page.get_by_role("button", name="Use this amount").click()
    expect(page.get_by_role("alert").filter(has_text="A part must be at least $5.00.")).to_be_visible()
    expect(amount).to_have_value("4.99")
    amount.fill("15")
    page.get_by_role("button", name="Use this amount").click()
    expect(page.get_by_role("main")).to_contain_text("$25.00 stays to be paid")
    expect(till.button(page)).to_have_text("Pay $15.00")
    till.pay(page, till.SETTLES)
    till.is_told(page, "Your payment is on its way")

    page.goto(f"{url}payments/new")
    till.is_told(page, "A payment is on its way")
    expect(page.get_by_role("main")).to_contain_text("nothing more of this invoice can be paid")
    expect(page.get_by_role("radio")).to_have_count(0)

    crown.settle(invoice)
    page.goto(url)
    expect(page.locator(".to-pay")).to_contain_text("$25.00")
    till.opened(page, url)
    expect(till.button(page)).to_have_text("Pay $25.00")
    till.pay(page)
    till.is_told(page, "Paid")
    assert crown.call("GET", f"/invoices/{invoice['id']}")["status"] == "paid"
