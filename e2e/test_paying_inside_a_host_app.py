"""An invoice is paid inside the operator's app, on another site, in a browser without third-party cookies."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from e2e import till
from e2e.elsewhere import Elsewhere, framed
from e2e.witness import Witness
from e2e.world import World

HOURS_MS = 3 * 3600 * 1000


@pytest.fixture
def world(world: World) -> World:
    """Crown's portal, which any app on this machine may frame."""
    return world.of("Crown")


def test_a_debit_is_the_only_way_and_an_open_page_tells_when_it_has_settled(
    world: World, host: Elsewhere, guarded_page: Page, witness: Witness
) -> None:
    invoice = world.invoice(world.customer(), payment_methods=["us_bank_account"])
    guarded_page.clock.install()
    frame = framed(guarded_page, host, world.invoice_url(invoice))
    frame.get_by_role("link", name="Pay").click()
    expect(frame.get_by_role("radio")).to_have_count(1)
    till.choose(frame, till.ACH)
    till.pay(frame, till.SETTLES)
    till.is_told(frame, "Your payment is on its way")
    expect(frame.get_by_role("main")).to_contain_text("usually takes 4 business days")

    world.settle(invoice)
    guarded_page.clock.fast_forward(till.FIRST_PAUSE_MS)

    till.is_told(frame, "Paid")
    expect(frame.locator("#pf-said")).to_have_text("Paid: $40.00")
    asked = len(witness.asked)
    guarded_page.clock.run_for(HOURS_MS)
    assert witness.asked[asked:] == []
    assert frame.evaluate("document.cookie") == ""


def test_a_bank_asks_inside_the_app_and_leads_back(
    world: World, host: Elsewhere, guarded_page: Page, witness: Witness
) -> None:
    assert world.bank
    witness.hosts.add(world.bank.url)
    invoice = world.invoice(world.customer())
    frame = framed(guarded_page, host, f"{world.invoice_url(invoice)}payments/new")
    till.choose(frame)
    till.pay(frame, till.ASKS)

    frame.get_by_role("link", name="Confirm with your bank").click()
    frame.get_by_role("button", name="Approve").click()

    till.is_told(frame, "Paid")
    assert guarded_page.context.cookies() == []
