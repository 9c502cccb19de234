"""An invoice is paid without a mouse: every step is reached in the order of the text, in sight, marked and large."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e import till
from e2e.test_by_keyboard_alone import FOCUSED, steps
from e2e.world import World

MOST_STEPS = 20


def test_from_the_invoice_to_the_receipt_by_keys(world: World, page: Page) -> None:
    page.goto(world.invoice_url(world.invoice(world.customer())))

    tab_to(page, "Pay")
    page.keyboard.press("Enter")
    page.wait_for_url("**/payments/new")
    tab_to(page, "card")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=till.ACH)).to_be_checked()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name=till.CARD)).to_be_checked()
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    expect(till.button(page)).to_be_visible()
    tab_to(page, "4242")
    tab_to(page, "Pay $40.00")
    page.keyboard.press("Enter")

    till.is_told(page, "Paid")
    tab_to(page, "Back to the invoice")
    page.keyboard.press("Enter")
    expect(page.locator(".status")).to_have_text("Paid")


def test_invoices_are_selected_and_paid_by_keys(world: World, page: Page) -> None:
    customer = world.customer()
    for _ in range(2):
        world.invoice(customer)
    page.goto(world.customer_url(customer))

    found = [one for one in steps(page) if one["tag"] == "INPUT" and not one["what"].startswith("pf-")]
    assert len(found) == 2
    assert all(one["seen"] and one["marked"] and one["large"] for one in found), found
    for box in page.get_by_role("checkbox").all():
        box.press(" ")
    page.get_by_role("button", name="Pay selected").press("Enter")

    till.is_told(page, "Pay 2 invoices")


def test_tab_leads_through_the_whole_form_in_order(world: World, page: Page) -> None:
    crown = world.of("Crown")
    till.opened(page, crown.invoice_url(crown.invoice(crown.customer())))
    page.get_by_text("Pay another amount").click()

    found = steps(page)

    assert [one["place"] for one in found] == sorted(one["place"] for one in found)
    assert not [one for one in found if not (one["seen"] and one["marked"] and one["large"])]


def tab_to(page: Page, what: str) -> None:
    """Presses Tab until the focus is on it: on its words, or on the field with this value."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        one = page.evaluate(FOCUSED)
        assert one["seen"], one
        assert one["marked"], one
        if what in (one["what"], page.evaluate("document.activeElement.value")):
            return
    raise AssertionError(f"Tab does not lead to {what}")
