"""A debit succeeds, and days later the bank takes it back: the invoice asks again, and says why."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e import till
from e2e.world import World


def test_a_returned_debit_makes_the_invoice_ask_again_and_another_payment_settles_it(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    page.clock.install()
    till.opened(page, world.invoice_url(invoice), till.ACH)
    till.pay(page, till.RETURNED)
    till.is_told(page, "Your payment is on its way")

    world.settle(invoice)
    page.clock.fast_forward(till.FIRST_PAUSE_MS)
    till.is_told(page, "Paid")

    world.settle(invoice)
    page.reload()
    till.is_told(page, "This payment was taken back")
    expect(page.get_by_role("main")).to_contain_text("so it is to be paid again")
    expect(page.get_by_role("region", name="Receipt")).to_contain_text("taken back")

    page.get_by_role("link", name="Back to the invoice").click()
    expect(page.locator(".status")).to_have_text("Payment failed")
    expect(page.locator(".to-pay")).to_contain_text("$40.00")
    expect(page.get_by_role("main")).to_contain_text("The bank took $40.00 back, so it is to be paid again.")
    assert world.call("GET", f"/invoices/{invoice['id']}")["amount_remaining"] == "40.00"

    page.get_by_role("link", name="Pay again").click()
    till.choose(page)
    till.pay(page)
    till.is_told(page, "Paid")
    assert world.call("GET", f"/invoices/{invoice['id']}")["status"] == "paid"
