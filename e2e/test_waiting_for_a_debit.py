"""A debit takes days: a page that stays open tells how it ended, and does not ask for ever."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e import till
from e2e.test_reading_with_any_eyes import violations
from e2e.witness import Witness
from e2e.world import World
from tests.programs import wait_until

MOST_QUESTIONS = 20
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
FADED = """() => Promise.all(
  document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished))"""


def test_a_debit_that_fails_is_told_with_a_reason_and_a_way_on(world: World, page: Page) -> None:
    invoice = waiting(world, page, till.FAILS)

    world.settle(invoice)
    page.clock.fast_forward(till.FIRST_PAUSE_MS)

    till.is_told(page, "This payment failed")
    expect(page.locator("#pf-said")).to_have_text("This payment failed: $40.00")
    expect(page.get_by_role("main")).to_contain_text("There was not enough money in the account.")
    expect(page.get_by_role("link", name="Try again")).to_be_visible()


def test_an_open_page_asks_less_and_less_often_and_then_no_more(world: World, page: Page, witness: Witness) -> None:
    waiting(world, page, till.SETTLES)
    before, wait = len(witness.asked), page.locator("#pf-payment-wait")

    def is_quiet() -> bool:
        if "htmx-request" not in str(wait.get_attribute("class")):  # else it would wait a minute for its answer
            page.clock.fast_forward(MINUTE_MS)
        return wait.get_attribute("hx-get") is None

    assert wait_until(is_quiet)
    asked = len(witness.asked) - before
    page.clock.run_for(HOUR_MS)

    assert 5 < asked == len(witness.asked) - before <= MOST_QUESTIONS
    expect(wait.get_by_role("link", name="Look again")).to_be_visible()


def test_while_it_asks_a_page_reads_as_well_as_before(world: World, page: Page) -> None:
    waiting(world, page, till.SETTLES)
    page.route("**/payments/*known=*", lambda route: None)  # never answers

    page.clock.fast_forward(till.FIRST_PAUSE_MS)

    expect(page.locator("#pf-payment-wait")).to_have_attribute("aria-busy", "true")
    page.evaluate(FADED)
    assert violations(page) == []


def waiting(world: World, page: Page, ends: str) -> object:
    invoice = world.invoice(world.customer())
    page.clock.install()
    till.opened(page, world.invoice_url(invoice), till.ACH)
    till.pay(page, ends)
    till.is_told(page, "Your payment is on its way")
    return invoice
