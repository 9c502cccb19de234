"""Every status is told by a word, a colour and a shape, by day and by night, and so is what led to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from e2e.test_reading_with_any_eyes import ALL_VIEWS, faults
from e2e.world import World

LOOK = """one => {
  const [own, mark] = [getComputedStyle(one), getComputedStyle(one, "::before")];
  return { colour: own.color, shape: [mark.clipPath, mark.borderTopWidth].join(" ") };
}"""


def issued(world: World) -> Any:
    return world.invoice(world.customer())


def overdue(world: World) -> Any:
    return world.invoice(world.customer(), invoice_date="2026-01-15", net_terms=10)


def paid(world: World) -> Any:
    invoice = issued(world)
    day = {"payment_received_date": invoice["invoice_date"][:10], "external_id": "wire 7"}
    world.call("POST", f"/invoices/{invoice['id']}/mark_paid", day)
    return invoice


def void(world: World) -> Any:
    invoice = issued(world)
    world.call("POST", f"/invoices/{invoice['id']}/void")
    return invoice


# Word on the page, sum that is said first, what happened.
SEEN: dict[Callable[[World], Any], tuple[str, str, list[str]]] = {
    issued: ("Issued", "To pay", ["Issued", "Due"]),
    overdue: ("Overdue", "To pay", ["Issued", "Was due"]),
    paid: ("Paid", "Nothing left to pay", ["Issued", "Paid"]),
    void: ("Void", "Nothing to pay", ["Issued", "Voided"]),
}


@pytest.mark.parametrize("make", SEEN, ids=lambda make: make.__name__)
def test_a_status_is_told_in_words_and_by_what_happened(world: World, page: Page, make: Callable[[World], Any]) -> None:
    word, first, steps = SEEN[make]
    page.goto(world.invoice_url(make(world)))

    expect(page.locator(".status")).to_have_text(word)
    expect(page.locator(".to-pay .label")).to_have_text(first)
    expect(page.locator(".steps .step")).to_have_text(steps)
    assert not list(faults(page, ALL_VIEWS))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_two_statuses_look_the_same(world: World, page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    looks = []
    for make in SEEN:
        page.goto(world.invoice_url(make(world)))
        looks.append(page.locator(".status").evaluate(LOOK))

    assert len({look["shape"] for look in looks}) == len(SEEN)
    assert len({look["colour"] for look in looks}) >= 3
