"""A mail scanner opens every link in a whole browser, and waits: nothing may happen because of it."""

from __future__ import annotations

from playwright.sync_api import BrowserContext

from e2e import walk
from e2e.witness import Witness
from e2e.world import World

WAIT_MS = 2_500  # long enough for whatever a page does by itself


def test_opening_all_pages_and_waiting_writes_nothing(world: World, context: BrowserContext, witness: Witness) -> None:
    for url in (*walk.open_pages(world).values(), *walk.closed_pages(world).values()):
        page = context.new_page()
        page.goto(url)
        page.mouse.wheel(0, 20_000)

    context.pages[0].wait_for_timeout(WAIT_MS)

    assert len(context.pages) > 12
    assert witness.writing == []


def test_after_the_scanner_the_person_can_still_use_every_link(world: World, context: BrowserContext) -> None:
    customer = world.customer()
    invoice = world.invoice(customer)
    urls = [world.invoice_url(invoice), world.customer_url(customer), world.session(customer)["url"]]
    page = context.new_page()

    for _ in range(5):
        for url in urls:
            answer = page.goto(url)
            assert answer
            assert answer.status == 200

    assert world.invoice_url(invoice) == urls[0]
    assert world.customer_url(customer) == urls[1]
