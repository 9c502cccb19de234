"""An invoice is paid by card: at once, or after a decline with another one."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e import till
from e2e.world import ON_BOTH, World


@ON_BOTH
def test_a_card_pays_and_the_invoice_is_paid(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer(name="Hooli"))
    page.goto(world.invoice_url(invoice))
    page.get_by_role("link", name="Pay").click()
    till.choose(page, till.CARD)
    expect(page.get_by_role("main")).to_contain_text(
        f"To Acme Invoice {invoice['invoice_number']}", use_inner_text=True
    )
    till.pay(page)

    till.is_told(page, "Paid")
    receipt = page.get_by_role("region", name="Receipt")
    for said in ("Acme", "Hooli", "Visa ending in 4242", "$40.00", invoice["invoice_number"]):
        expect(receipt).to_contain_text(said)

    page.get_by_role("link", name="Back to the invoice").click()
    expect(page.locator(".status")).to_have_text("Paid")
    expect(page.locator(".to-pay")).to_contain_text("$0.00")
    expect(page.get_by_role("link", name="Pay")).to_have_count(0)
    assert world.call("GET", f"/invoices/{invoice['id']}")["status"] == "paid"


def test_a_card_is_declined_and_another_pays(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    till.opened(page, world.invoice_url(invoice))
    till.pay(page, till.DECLINED)

    till.is_told(page, "This payment failed")
    expect(page.get_by_role("main")).to_contain_text("The bank declined it")
    expect(page.get_by_role("main")).to_contain_text("Nothing was charged")
    page.get_by_role("link", name="Back to the invoice").click()
    expect(page.locator(".status")).to_have_text("Payment failed")
    page.go_back()

    page.get_by_role("link", name="Try again").click()
    till.choose(page)
    till.pay(page)

    till.is_told(page, "Paid")
    assert [one["stage"] for one in world.payments(invoice)] == ["succeeded", "failed"]


def test_a_page_that_was_paid_meanwhile_charges_nothing(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    till.opened(page, world.invoice_url(invoice))
    day = {"payment_received_date": invoice["invoice_date"][:10]}
    world.call("POST", f"/invoices/{invoice['id']}/mark_paid", day)

    till.button(page).click()

    till.is_told(page, "Nothing is left to pay")
    assert [one["gateway"] for one in world.payments(invoice)] == [None]
