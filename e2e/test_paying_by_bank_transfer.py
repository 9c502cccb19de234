"""A bank transfer needs no gateway: the page says where to, how much and with which words, and draws it for apps."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e import till
from e2e.world import World


def test_a_transfer_in_euros_shows_the_account_and_its_code_and_nothing_begins(world: World, page: Page) -> None:
    crown = world.of("Crown")
    invoice = crown.invoice(crown.customer(), currency="EUR")
    page.goto(f"{crown.invoice_url(invoice)}payments/new")
    till.choose(page, till.TRANSFER)

    transfer = page.get_by_role("region", name="Pay by bank transfer")
    for said in ("Crown GmbH", "DE89 3704 0044 0532 0130 00", "COBADEFFXXX", "€40.00", invoice["invoice_number"]):
        expect(transfer).to_contain_text(said)
    code = transfer.get_by_role("img", name="QR code of this transfer")
    box = code.bounding_box()
    assert box
    assert box["width"] == box["height"] >= 120  # pixels that a camera can tell apart
    assert crown.payments(invoice) == []
