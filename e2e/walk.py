"""Every kind of page there is to see, for journeys that look at all of them."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e.world import World


def open_pages(world: World) -> dict[str, str]:
    """A URL for each kind of page that opens, by what it is."""
    measured = world.measured
    customer = world.customer_url(measured)
    invoice = world.invoice_url(world.measured_invoice)
    below = f"{customer}invoices/{world.measured_invoice['id']}/"
    line = f"lines/{world.seeded['measured']['line']}"
    framed = {part: customer + part for part in ("due", "upcoming", "usage", "invoices", "plan", "balance", "details")}
    return {
        "invoice": invoice,
        "line": invoice + line,
        "customer": customer,
        "session": world.session(measured, invalidate_existing=False)["url"],
        "invoice of the customer": below,
        "line of the customer's invoice": below + line,
        **framed,
    }


def closed_pages(world: World) -> dict[str, str]:
    """A URL for each kind of page that says why nothing opens."""
    revoked = world.invoice(world.customer())
    url = world.invoice_url(revoked)
    world.revoke(revoked)
    return {"expired": world.url(world.seeded["expired"]["invoice"]), "revoked": url, "unknown": world.url("/i/x/")}


def through_everything(world: World, page: Page) -> None:
    """A visitor who looks at everything: pages, lines, usage, and older invoices."""
    for url in (*open_pages(world).values(), *closed_pages(world).values()):
        page.goto(url)
    page.goto(world.customer_url(world.measured))
    for line in page.locator("#pf-upcoming .lines > li").all():
        line.locator("summary").click()
        expect(line.get_by_role("table", name="Day by day")).to_be_visible()
    page.get_by_label("Metric").select_option("Storage")
    expect(page.get_by_role("img", name="Storage, day by day")).to_be_visible()
    with page.expect_response("**/invoices?*"):
        page.locator("#pf-history").get_by_role("button", name="Find").click()
    page.locator("#pf-history").get_by_role("table").get_by_role("link").first.click()
    page.wait_for_load_state()  # with its script
    page.locator("summary").first.click()
    expect(page.get_by_role("table", name="Day by day")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Umbrella Labs")
