"""Between opening the form and paying, the link is revoked: nothing is charged."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e import till
from e2e.world import World


def test_a_link_that_is_revoked_before_the_button_is_pressed_charges_nothing(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    till.opened(page, world.invoice_url(invoice))

    world.revoke(invoice)
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        till.pay(page)

    assert answered.value.status == 410
    till.is_told(page, "This link is no longer active")
    expect(page.get_by_text("$40.00")).to_have_count(0)
    assert world.payments(invoice) == []
