"""A line of an invoice opens to how it came about: its tiers, its arithmetic, each of its days."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e.world import World


def test_a_line_opens_in_place_to_its_tiers_and_every_day_of_its_period(world: World, page: Page) -> None:
    page.goto(world.invoice_url(world.measured_invoice))
    heading = page.get_by_role("heading", level=1).inner_text()
    detail = page.locator(f"#pf-line-{world.seeded['measured']['line']}")

    page.get_by_role("main").get_by_role("listitem").filter(has_text="API calls").locator("summary").click()

    days = detail.get_by_role("table", name="Day by day")
    expect(days.locator("tbody").get_by_role("row")).to_have_count(world.seeded["measured"]["days"])
    expect(days.locator("tfoot")).to_contain_text(f"{int(world.seeded['measured']['quantity']):,}")
    expect(detail).to_contain_text("The first 1,000")
    expect(detail).to_contain_text("Above 1,000")
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def test_closing_and_opening_a_line_again_does_not_ask_again(world: World, page: Page) -> None:
    page.goto(world.invoice_url(world.measured_invoice))
    line = page.get_by_role("main").get_by_role("listitem").filter(has_text="API calls")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/lines/" in request.url else None)

    line.locator("summary").click()
    expect(line.get_by_role("table", name="Day by day")).to_be_visible()
    line.locator("summary").click()
    expect(line.get_by_role("table", name="Day by day")).to_be_hidden()
    line.locator("summary").click()
    expect(line.get_by_role("table", name="Day by day")).to_be_visible()

    assert len(asked) == 1


def test_a_line_opens_by_keyboard_alone(world: World, page: Page) -> None:
    page.goto(world.invoice_url(world.measured_invoice))
    line = page.get_by_role("main").get_by_role("listitem").filter(has_text="API calls")

    line.locator("summary").focus()
    page.keyboard.press("Enter")

    expect(line.get_by_role("table", name="Day by day")).to_be_visible()


def test_a_line_of_the_upcoming_bill_opens_to_its_days_so_far(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))
    line = page.locator("#pf-upcoming").get_by_role("listitem").filter(has_text="Storage")

    line.locator("summary").click()

    expect(line.get_by_role("table", name="Day by day")).to_be_visible()


def test_usage_is_shown_for_another_metric_and_period_without_leaving_the_page(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))
    usage = page.locator("#pf-usage")
    expect(usage.get_by_role("img", name="API calls, day by day")).to_be_visible()

    usage.get_by_label("Metric").select_option("Storage")
    expect(usage.get_by_role("img", name="Storage, day by day")).to_be_visible()
    with page.expect_response("**/usage?*"):
        usage.get_by_label("Period").select_option("Last 7 days")
    expect(usage.get_by_label("Period")).to_have_value("7d")
    usage.get_by_text("The same as a table").click()
    expect(usage.get_by_role("table").locator("tbody").get_by_role("row")).to_have_count(7)
    usage.get_by_label("Shown").select_option("Cumulative")
    expect(usage.get_by_role("img", name="Storage, added up")).to_be_visible()

    expect(page.locator("#pf-usage")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Umbrella Labs")


def test_the_keyboard_stays_where_it_was_when_usage_is_shown_anew(world: World, page: Page) -> None:
    page.goto(world.customer_url(world.measured))
    usage = page.locator("#pf-usage")
    metric = usage.get_by_label("Metric")
    following = metric.locator("option:checked + option").inner_text()
    expect(usage.get_by_role("img", name="API calls, day by day")).to_be_visible()
    metric.focus()

    page.keyboard.press("ArrowDown")

    expect(usage.get_by_role("img", name=f"{following}, day by day")).to_be_visible()
    expect(metric).to_be_focused()


def test_older_invoices_are_paged_and_found_without_leaving_the_page(world: World, page: Page) -> None:
    customer, made = world.loyal
    newest, oldest = made[0]["invoice_number"], made[-1]["invoice_number"]
    page.goto(world.customer_url(customer))
    history = page.locator("#pf-history")
    expect(history.get_by_role("link", name=newest, exact=True)).to_be_visible()
    expect(history.get_by_role("link", name=oldest, exact=True)).to_have_count(0)

    history.get_by_role("link", name="Older").click()

    expect(history.get_by_role("link", name=oldest, exact=True)).to_be_visible()
    expect(history.locator("tbody").get_by_role("row")).to_have_count(5)

    history.get_by_label("Number").fill(newest)
    history.get_by_role("button", name="Find").click()

    expect(history.locator("tbody").get_by_role("row")).to_have_count(1)
    history.get_by_role("link", name=newest, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(newest)
