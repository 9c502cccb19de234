"""An integrator reads the reference of the API: on a phone and on a desk, by keyboard, with and without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from e2e.test_reading_with_any_eyes import ALL_VIEWS, SCREENS, WIDER, faults
from e2e.witness import Witness
from e2e.world import World

PAGES = ("", "/customers", "/invoices", "/links")


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(world: World, page: Page, witness: Witness, path: str) -> None:
    page.goto(world.url(f"/docs/api{path}"))
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")

    assert not list(faults(page, ALL_VIEWS if path == "" else [("phone", "dark"), ("desk", "light")]))


def test_axe_finds_nothing_on_the_shapes(world: World, page: Page, witness: Witness) -> None:
    page.goto(world.url("/docs/api/shapes"))

    assert not list(faults(page, [("phone", "dark")]))


@pytest.mark.parametrize("path", [*PAGES, "/shapes"])
def test_no_page_is_wider_than_a_small_phone(world: World, page: Page, witness: Witness, path: str) -> None:
    page.set_viewport_size({"width": 320, "height": 600})
    page.goto(world.url(f"/docs/api{path}"))
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")

    assert page.evaluate(WIDER) == 0


def test_a_call_is_found_and_its_answer_opened_by_keyboard_alone(world: World, page: Page, witness: Witness) -> None:
    page.set_viewport_size(SCREENS["desk"])
    page.goto(world.url("/docs/api"))

    page.get_by_role("link", name="POST /v1/invoices", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Create an invoice", exact=True)).to_be_in_viewport()
    summary = page.get_by_text("An answer to “Create an invoice”", exact=True)
    summary.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text('"invoice_number"').first).to_be_visible()
