"""Every page of paying passes axe, by day and by night, on a phone and on a desk; so does the sandbox's own."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from e2e import till
from e2e.test_reading_with_any_eyes import VIEWS, faults
from e2e.witness import Witness
from e2e.world import World


def test_axe_finds_nothing_on_any_page_of_paying(world: World, page: Page, witness: Witness) -> None:
    assert world.bank
    witness.hosts.add(world.bank.url)
    found = []

    for name in pages(world.of("Crown"), page):
        found += [f"{name}, {one}" for one in faults(page, VIEWS)]

    assert not found


def pages(crown: World, page: Page) -> Iterator[str]:
    """One page after the other, by what it is."""
    customer = crown.customer()
    first, second, third = [crown.invoice(customer) for _ in range(3)]
    account = crown.customer_url(customer)
    page.goto(account)
    yield "an account that owes several invoices"
    page.goto(f"{account}payments/new")
    yield "the first step, for several invoices"
    yield from by_card(page, f"{account}invoices/{first['id']}/")
    yield from asked(page, f"{account}invoices/{second['id']}/")
    yield from by_debit(crown, page, f"{account}invoices/{second['id']}/", second)
    yield from stored(page, f"{account}invoices/{third['id']}/")
    page.goto(f"{account}invoices/{third['id']}/payments/new")
    till.choose(page, till.TRANSFER)
    yield "a bank transfer"


def by_card(page: Page, url: str) -> Iterator[str]:
    till.opened(page, url)
    page.get_by_text("Pay another amount").click()
    yield "the second step"
    page.get_by_label("Amount in USD").fill("0.01")
    page.get_by_role("button", name="Use this amount").click()
    expect(page.get_by_label("Amount in USD")).to_have_attribute("aria-invalid", "true")
    yield "an amount that is wrong"
    till.opened(page, url)
    till.pay(page, till.DECLINED)
    till.is_told(page, "This payment failed")
    yield "a payment that failed"
    page.goto(url)
    yield "an invoice whose payment failed"
    till.opened(page, url)
    page.get_by_label("Keep it").check()
    till.pay(page)
    till.is_told(page, "Paid")
    yield "a receipt"


def asked(page: Page, url: str) -> Iterator[str]:
    till.opened(page, url)
    till.pay(page, till.ASKS)
    till.is_told(page, "Please confirm this payment")
    yield "a payment that waits for its payer"
    page.get_by_role("link", name="Confirm with your bank").click()
    yield "the sandbox's question"
    page.go_back()
    page.get_by_role("button", name="Give up this payment").click()
    till.is_told(page, "This payment was given up")
    yield "a payment that was given up"


def by_debit(crown: World, page: Page, url: str, invoice: object) -> Iterator[str]:
    till.opened(page, url, till.ACH)
    till.pay(page, till.RETURNED)
    till.is_told(page, "Your payment is on its way")
    yield "a payment on its way"
    payment = page.url
    page.goto(url)
    yield "an invoice whose payment is on its way"
    page.goto(f"{url}payments/new")
    yield "a form while a payment is on its way"
    crown.settle(invoice)
    crown.settle(invoice)
    page.goto(payment)
    till.is_told(page, "This payment was taken back")
    yield "a payment that was taken back"


def stored(page: Page, url: str) -> Iterator[str]:
    till.opened(page, url)
    yield "the second step, with a stored card"
    page.get_by_role("button", name="Continue with this").click()
    yield "a stored card that is about to be charged"
    page.goto(f"{url}../../methods")
    yield "stored methods"
    page.get_by_role("button", name="Remove").click()
    yield "a stored method that is about to be removed"
