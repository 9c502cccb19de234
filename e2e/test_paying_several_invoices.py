"""A customer pays all that she owes, or some of it, in one go: one payment, and each invoice gets its share."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e import till
from e2e.world import World


def test_three_invoices_are_paid_at_once(world: World, page: Page) -> None:
    assert world.bank
    customer = world.customer()
    invoices = [world.invoice(customer, lines=[("Services", 1, price)]) for price in ("10.00", "20.00", "30.50")]
    page.goto(world.customer_url(customer))
    page.locator("#pf-due").get_by_role("link", name="Pay all").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Pay 3 invoices")
    rows = page.get_by_role("table", name="Invoices that are paid").locator("tbody").get_by_role("row")
    expect(rows).to_have_count(3)
    till.choose(page)
    expect(till.button(page)).to_have_text("Pay $60.50")
    till.pay(page)

    till.is_told(page, "Paid")
    receipt = page.get_by_role("region", name="Receipt")
    for invoice in invoices:
        expect(receipt).to_contain_text(invoice["invoice_number"])
    (payment,) = {one["id"] for invoice in invoices for one in world.payments(invoice)}
    assert [one["amount"] for one in world.bank.payments(payment)] == [6050]
    page.get_by_role("link", name="Back to the account").click()
    expect(page.locator("#pf-due")).not_to_contain_text("$10.00")
    assert {world.call("GET", f"/invoices/{one['id']}")["status"] for one in invoices} == {"paid"}


def test_of_three_invoices_those_that_were_selected_are_paid(world: World, page: Page) -> None:
    customer = world.customer()
    first, left, last = [world.invoice(customer) for _ in range(3)]
    page.goto(world.customer_url(customer))
    for invoice in (first, last):
        page.get_by_label(f"Select {invoice['invoice_number']}").check()
    page.get_by_role("button", name="Pay selected").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pay 2 invoices")
    till.choose(page)
    till.pay(page)

    till.is_told(page, "Paid")
    page.get_by_role("link", name="Back to the account").click()
    expect(page.locator("#pf-due").get_by_role("table").get_by_role("link")).to_have_text(left["invoice_number"])
    assert world.payments(left) == []
