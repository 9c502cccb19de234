"""Every kind of page passes axe, by day and by night, on a phone and on a desk, and is never wider than its screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from e2e import walk
from e2e.witness import Witness
from e2e.world import World

SCREENS = {"phone": {"width": 360, "height": 740}, "desk": {"width": 1280, "height": 900}}
VIEWS = [("phone", "dark"), ("desk", "light")]
ALL_VIEWS = [*VIEWS, ("phone", "light"), ("desk", "dark")]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
VIOLATIONS = f"axe.run({{ runOnly: {RULES}, resultTypes: ['violations'] }}).then((found) => found.violations)"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def _everything_open(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))
    for line in page.locator("#pf-upcoming .lines > li").all():
        line.locator("summary").click()
        expect(line.get_by_role("table", name="Day by day")).to_be_visible()
    page.get_by_text("The same as a table").click()


def _line_open(world: World, page: Page) -> None:
    page.goto(world.invoice_url(world.measured_invoice))
    page.locator("summary").first.click()
    expect(page.get_by_role("table", name="Day by day")).to_be_visible()


def _paid(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer(), memo="Thank you.", discount=DISCOUNT)
    world.call("POST", f"/invoices/{invoice['id']}/mark_paid", {"payment_received_date": invoice["invoice_date"][:10]})
    page.goto(world.invoice_url(invoice))


def _void(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    world.call("POST", f"/invoices/{invoice['id']}/void")
    page.goto(world.invoice_url(invoice))


def _overdue(world: World, page: Page) -> None:
    page.goto(world.invoice_url(world.invoice(world.customer(), invoice_date="2026-01-15", net_terms=10)))


def _new_customer(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.customer(name="شركة الأمل للتجارة")))


def _many_invoices(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.loyal[0]))


def _wrong_search(world: World, page: Page) -> None:
    customer = world.customer()
    world.invoice(customer)
    page.goto(world.customer_url(customer) + "invoices?number=%25")


def _asked(world: World, page: Page) -> None:
    page.goto(world.url(world.seeded["expired"]["invoice"]))
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def _ended_inside(world: World, page: Page) -> None:
    session = world.session(world.measured, invalidate_existing=False)
    page.goto(session["url"])
    world.end(session)
    page.locator("#pf-history").get_by_role("button").click()
    expect(page.get_by_role("heading", name="This link is no longer active")).to_be_visible()


def _statement(world: World, page: Page) -> None:
    page.goto(world.url("/accessibility"))


def _unanswered(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))
    page.route("**/usage?*", lambda route: route.abort())
    page.get_by_label("Metric").select_option("Storage")
    expect(page.get_by_role("heading", name="No answer came")).to_be_visible()


def _all_of_it(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured) + "?period=90d&view=cumulative&status=paid")
    page.get_by_text("The same as a table").click()


def _grouped_open(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.grouped) + "?group_by=region")
    page.get_by_label("Metric").select_option("Requests")
    page.get_by_label("Group by").select_option("region")
    page.get_by_text("The groups as a table").click()
    page.get_by_text("The same as a table").click()


DISCOUNT = {"discount_type": "percentage", "percentage_discount": 0.1, "reason": "Early"}
PAGES: dict[str, Callable[[World, Page], None]] = {
    "an invoice with an open line": _line_open,
    "a paid invoice": _paid,
    "a void invoice": _void,
    "an overdue invoice": _overdue,
    "an account with everything open": _everything_open,
    "usage by region with its tables open": _grouped_open,
    "an account without anything": _new_customer,
    "an account with many invoices": _many_invoices,
    "a search that makes no sense": _wrong_search,
    "an answer to the button": _asked,
    "a page whose session has ended": _ended_inside,
    "a page that got no answer": _unanswered,
    "ninety days added up, with nothing found": _all_of_it,
    "the accessibility statement": _statement,
}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on(world: World, page: Page, witness: Witness, name: str) -> None:
    witness.excused += ["htmx:error", "net::ERR_FAILED"]
    page.set_viewport_size(SCREENS["phone"])
    PAGES[name](world, page)

    assert not list(faults(page, ALL_VIEWS if "open" in name else VIEWS))


@pytest.mark.parametrize("pages", [walk.open_pages, walk.closed_pages], ids=["that opens", "that does not"])
def test_axe_finds_nothing_on_any_page(world: World, page: Page, pages: Callable[[World], dict[str, str]]) -> None:
    found = []

    for name, url in pages(world).items():
        page.goto(url)
        found += [f"{name}, {one}" for one in faults(page, VIEWS)]

    assert not found


def faults(page: Page, views: list[tuple[str, str]]) -> Iterator[str]:
    """What axe says of the page in each of `views`, and whether it is wider than its screen."""
    page.wait_for_load_state()  # after a click only its beginning may be there
    for screen, scheme in views:
        page.set_viewport_size(SCREENS[screen])
        page.emulate_media(color_scheme=scheme)
        if page.evaluate(WIDER) > 0:
            yield f"{screen}: the page is wider than the screen"
        yield from (f"{screen}, {scheme}: {one}" for one in violations(page))


def violations(page: Page) -> list[str]:
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE_SCRIPT)
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]} — {' '.join(node['failureSummary'].split())[:300]}"
        for one in page.evaluate(VIOLATIONS)
        for node in one["nodes"]
    ]
