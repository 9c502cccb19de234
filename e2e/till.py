"""What every payer does: says by which method, says how it is to end at the sandbox, and pays."""

from __future__ import annotations

import re

from playwright.sync_api import Frame, Locator, Page, expect

CARD, ACH, TRANSFER = "Card", "Bank account (ACH)", "Bank transfer"
PAYS, DECLINED, ASKS = "•••• 4242", "•••• 0002", "•••• 3155"  # cards of the sandbox
SETTLES, FAILS, RETURNED = "An account that pays, after", "An account without enough money", "takes it back later"
FIRST_PAUSE_MS = 2_000  # until a page asks again


def opened(page: Page, url: str, method: str = CARD) -> None:
    """At the second step of paying what `url` shows."""
    page.goto(f"{url}payments/new")
    choose(page, method)
    expect(button(page)).to_be_visible()


def choose(page: Page | Frame, method: str = CARD) -> None:
    page.get_by_role("radio", name=method).check()
    page.get_by_role("button", name="Continue", exact=True).click()


def pay(page: Page | Frame, ends: str = PAYS) -> None:
    """Presses the button. `ends`: words of the card or account that is chosen."""
    page.get_by_role("radio", name=ends).check()
    button(page).click()


def button(page: Page | Frame) -> Locator:
    return page.get_by_role("button", name=re.compile("^Pay "))


def is_told(page: Page | Frame, title: str) -> None:
    """The page of a payment says how it is going."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
