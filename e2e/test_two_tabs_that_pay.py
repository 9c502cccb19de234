"""One invoice is open in two tabs, and both pay: one payment."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from e2e import till
from e2e.world import ON_BOTH, World

# What the one tab says, and what the other may: it depends on who was first by how much.
ENDS = re.compile("^(Paid|A payment is on its way|Nothing is left to pay)$")


@ON_BOTH
def test_two_tabs_pay_at_once_and_one_payment_is_made(world: World, new_context: Callable[..., BrowserContext]) -> None:
    invoice = world.invoice(world.customer())
    context = new_context()
    tabs = [context.new_page() for _ in range(2)]
    for tab in tabs:
        till.opened(tab, world.invoice_url(invoice))

    for tab in tabs:
        # Both are on their way before either is answered.
        tab.evaluate("() => void setTimeout(() => document.querySelector('form:has([value=pay]) button').click())")
    for tab in tabs:
        expect(tab.get_by_role("heading", level=1)).to_have_text(ENDS)

    assert [one["stage"] for one in world.payments(invoice)] == ["succeeded"]
    assert world.bank
    assert len(world.bank.payments(world.payments(invoice)[0]["id"])) == 1
