"""An invoice arrives by mail; whoever follows its link reads it, and a customer finds all of hers from one page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e.world import ON_BOTH, World


@ON_BOTH
def test_the_link_of_an_invoice_shows_its_number_what_is_to_be_paid_and_its_lines(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer(name="Initech"), memo="Thank you.\nUntil next time.")

    answer = page.goto(world.invoice_url(invoice))

    assert answer
    assert answer.status == 200
    expect(page.get_by_role("heading", level=1)).to_contain_text(invoice["invoice_number"])
    main = page.get_by_role("main")
    expect(main.get_by_text("To pay", exact=True)).to_be_visible()
    expect(main.get_by_text("$40.00").first).to_be_visible()
    lines = main.locator(".lines > li")
    expect(lines).to_have_count(2)
    expect(lines.filter(has_text="Onboarding")).to_contain_text("$30.50")
    expect(lines.filter(has_text="Extra")).to_contain_text("$9.50")
    expect(main).to_contain_text("Initech")
    expect(main).to_contain_text("Until next time.")
    expect(page.get_by_role("banner")).to_contain_text("Acme")


@ON_BOTH
def test_from_her_account_a_customer_opens_an_invoice_and_comes_back(world: World, page: Page) -> None:
    customer = world.customer(name="Globex")
    owed = world.invoice(customer)
    paid = world.invoice(customer, lines=[("Setup", 1, "75.00")])
    world.call("POST", f"/invoices/{paid['id']}/mark_paid", {"payment_received_date": paid["invoice_date"][:10]})

    page.goto(world.customer_url(customer))

    expect(page.get_by_role("heading", level=1)).to_contain_text("Globex")
    due = page.locator("#pf-due")
    expect(due).to_contain_text("$40.00")
    expect(due).not_to_contain_text(paid["invoice_number"])
    expect(page.locator("#pf-history").get_by_role("row").filter(has_text=paid["invoice_number"])).to_contain_text(
        "Paid"
    )

    due.get_by_role("link", name=owed["invoice_number"]).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text(owed["invoice_number"])
    expect(page.get_by_role("listitem").filter(has_text="Onboarding")).to_contain_text("$30.50")

    page.get_by_role("link", name="Back to the account").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Globex")


def test_a_link_without_its_last_slash_arrives_at_the_same_page(world: World, page: Page) -> None:
    url = world.invoice_url(world.invoice(world.customer()))

    page.goto(url.removesuffix("/"))

    assert page.url == url
    expect(page.get_by_role("heading", level=1)).to_contain_text("Invoice")


def test_what_is_paid_says_that_nothing_is_left(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    url = world.invoice_url(invoice)
    world.call("POST", f"/invoices/{invoice['id']}/mark_paid", {"payment_received_date": invoice["invoice_date"][:10]})

    page.goto(url)

    expect(page.get_by_text("Nothing left to pay")).to_be_visible()
    expect(page.locator(".status").get_by_text("Paid", exact=True)).to_be_visible()


def test_what_is_void_says_so_under_its_own_link(world: World, page: Page) -> None:
    invoice = world.invoice(world.customer())
    url = world.invoice_url(invoice)
    world.call("POST", f"/invoices/{invoice['id']}/void")

    page.goto(url)

    expect(page.get_by_text("Void", exact=True)).to_be_visible()
    expect(page.get_by_text("Nothing to pay", exact=True)).to_be_visible()


def test_a_portal_session_opens_the_same_account_and_says_how_long(world: World, page: Page) -> None:
    customer = world.customer(name="Hooli")
    invoice = world.invoice(customer)

    page.goto(world.session(customer)["url"])

    expect(page.get_by_role("note").filter(has_text="stays open until")).to_be_visible()
    page.locator("#pf-due").get_by_role("link", name=invoice["invoice_number"]).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(invoice["invoice_number"])
