"""A bank asks its customer whether it is really she who pays: on a page of its own, from which she comes back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from e2e import till
from e2e.witness import Witness
from e2e.world import World
from tests.programs import wait_until


@pytest.fixture
def page(page: Page, world: World, witness: Witness) -> Page:
    """A page that may go to the sandbox, where payers confirm."""
    assert world.bank
    witness.hosts.add(world.bank.url)
    return page


@pytest.mark.parametrize(
    ("answer", "title", "said"),
    [("Approve", "Paid", "Visa ending in 3155"), ("Refuse", "This payment failed", "It was not confirmed")],
)
def test_what_she_answers_decides(world: World, page: Page, answer: str, title: str, said: str) -> None:
    invoice = world.invoice(world.customer())
    asked(page, world.invoice_url(invoice))
    expect(page.get_by_role("main")).to_contain_text("Until you confirm, nothing is charged.")
    assert [one["stage"] for one in world.payments(invoice)] == ["action"]

    page.get_by_role("link", name="Confirm with your bank").click()
    expect(page.get_by_role("main")).to_contain_text("USD 40.00, by Visa ending in 3155")
    page.get_by_role("button", name=answer).click()

    till.is_told(page, title)
    expect(page.get_by_role("main")).to_contain_text(said)


def test_who_does_not_want_to_confirm_gives_up_and_pays_by_another_card(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    asked(page, world.invoice_url(invoice))

    page.get_by_role("button", name="Give up this payment").click()
    till.is_told(page, "This payment was given up")
    page.get_by_role("link", name="Pay again").click()
    till.choose(page)
    till.pay(page)

    till.is_told(page, "Paid")
    assert [one["stage"] for one in world.payments(invoice)] == ["succeeded", "canceled"]


def test_whose_session_expired_meanwhile_reads_amount_and_status_and_nothing_else(world: World, page: Page) -> None:
    customer = world.customer(name="Soylent")
    invoice = world.invoice(customer)
    session = world.session(customer)
    asked(page, f"{session['url']}invoices/{invoice['id']}/")
    page.get_by_role("link", name="Confirm with your bank").click()

    world.expire(session)
    page.get_by_role("button", name="Approve").click()

    till.is_told(page, "Paid")
    main = page.get_by_role("main")
    expect(main).to_contain_text("$40.00")
    expect(main).to_contain_text("Your session has expired")
    expect(main.get_by_role("link")).to_have_count(0)
    for secret in ("Soylent", invoice["invoice_number"], "Visa"):
        expect(page.get_by_text(secret)).to_have_count(0)
    for tail in ("", f"invoices/{invoice['id']}/", f"invoices/{invoice['id']}/payments/new"):
        answer = page.goto(f"{session['url']}{tail}")
        assert answer
        assert answer.status == 410


def test_whose_session_was_ended_on_purpose_meanwhile_reads_nothing(world: World, page: Page) -> None:
    customer = world.customer()
    invoice = world.invoice(customer)
    session = world.session(customer)
    asked(page, f"{session['url']}invoices/{invoice['id']}/")
    page.get_by_role("link", name="Confirm with your bank").click()

    world.end(session)
    page.get_by_role("button", name="Approve").click()

    till.is_told(page, "This link is no longer active")
    expect(page.get_by_text("$40.00")).to_have_count(0)
    # What she has agreed to is paid all the same: it was charged before anybody came back.
    assert wait_until(lambda: [one["stage"] for one in world.payments(invoice)] == ["succeeded"])


def asked(page: Page, url: str) -> None:
    till.opened(page, url)
    till.pay(page, till.ASKS)
    till.is_told(page, "Please confirm this payment")
