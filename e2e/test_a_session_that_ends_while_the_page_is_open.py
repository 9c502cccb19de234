"""A session ends while somebody reads: what is on the screen stays, and nothing more comes."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e.world import World

GONE = "This link is no longer active"


def test_the_next_fragment_says_so_over_the_page_and_a_reload_is_gone(world: World, page: Page) -> None:
    session = world.session(world.measured, invalidate_existing=False)
    page.goto(session["url"])
    line = page.locator("#pf-upcoming").get_by_role("listitem").filter(has_text="Storage")
    before = page.locator("main").inner_text()

    world.end(session)
    line.locator("summary").click()

    expect(page.get_by_role("alert").get_by_role("heading", name=GONE)).to_be_in_viewport()
    line.locator("summary").click()
    assert page.locator("main").inner_text() == before

    answer = page.reload()

    assert answer
    assert answer.status == 410
    expect(page.get_by_role("heading", name=GONE)).to_be_visible()
    expect(page.get_by_text("Umbrella Labs")).to_have_count(0)


def test_a_search_that_comes_too_late_keeps_the_list_and_what_was_typed(world: World, page: Page) -> None:
    session = world.session(world.measured, invalidate_existing=False)
    page.goto(session["url"])
    history, before = page.locator("#pf-history"), page.locator("#pf-history").inner_text()

    world.end(session)
    history.get_by_label("Number").fill("0001")
    history.get_by_label("Number").press("Enter")

    expect(page.get_by_role("alert").get_by_role("heading", name=GONE)).to_be_in_viewport()
    expect(history.get_by_label("Number")).to_have_value("0001")
    expect(history.get_by_label("Number")).to_be_focused()
    assert history.inner_text() == before
    assert page.url == session["url"]


def test_a_choice_that_comes_too_late_keeps_the_chart(world: World, page: Page) -> None:
    session = world.session(world.measured, invalidate_existing=False)
    page.goto(session["url"])

    world.end(session)
    page.get_by_label("Metric").focus()
    page.get_by_label("Metric").select_option("Storage")

    expect(page.get_by_role("alert").get_by_role("heading", name=GONE)).to_be_in_viewport()
    expect(page.get_by_role("img", name="API calls, day by day")).to_be_visible()
    expect(page.get_by_label("Metric")).to_be_focused()


def test_going_back_after_its_end_keeps_what_is_on_the_screen(world: World, page: Page) -> None:
    session = world.session(world.measured, invalidate_existing=False)
    page.goto(session["url"])
    page.get_by_label("Metric").select_option("Storage")
    expect(page.get_by_role("img", name="Storage, day by day")).to_be_visible()

    world.end(session)
    page.go_back()

    expect(page.get_by_role("alert").get_by_role("heading", name=GONE)).to_be_in_viewport()
    expect(page.get_by_role("img", name="Storage, day by day")).to_be_visible()
    expect(page.get_by_role("heading", name="Umbrella Labs")).to_be_visible()


def test_the_notice_goes_by_its_button_and_by_escape(world: World, page: Page) -> None:
    session = world.session(world.measured, invalidate_existing=False)
    page.goto(session["url"])
    world.end(session)
    find, notice = page.get_by_role("button", name="Find"), page.get_by_role("heading", name=GONE)

    find.click()
    page.get_by_role("button", name="Close").click()
    expect(notice).to_be_hidden()
    find.press("Enter")
    expect(notice).to_be_visible()
    page.keyboard.press("Escape")
    expect(notice).to_be_hidden()


def test_a_page_that_lies_open_until_its_end_says_so_by_itself(world: World, page: Page) -> None:
    page.clock.install()
    page.goto(world.session(world.measured, expires_in_minutes=1, invalidate_existing=False)["url"])
    expect(page.get_by_text("This page stays open until")).to_be_visible()

    page.clock.fast_forward(61_000)

    expect(page.get_by_role("alert").get_by_role("heading", name=GONE)).to_be_visible()
    expect(page.get_by_role("heading", name="Umbrella Labs")).to_be_visible()


def test_the_button_in_such_a_notice_posts_to_an_address_that_answers(world: World, page: Page) -> None:
    customer = world.customer()
    invoice = world.invoice(customer)
    session = world.session(customer)
    page.goto(session["url"])
    page.get_by_role("link", name=invoice["invoice_number"]).first.click()
    page.wait_for_load_state()  # with its script

    world.session(customer)  # ends the one before
    page.get_by_role("listitem").filter(has_text="Onboarding").locator("summary").click()
    expect(page.get_by_role("heading", name=GONE)).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST") as asked:
        page.get_by_role("button", name="Mail me a fresh link").click()

    assert asked.value.status == 202
    expect(page.get_by_role("alert").get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text(invoice["invoice_number"])


def test_a_session_that_another_replaced_stops_and_the_permanent_link_does_not(world: World, page: Page) -> None:
    customer = world.customer(name="Stark")
    first, second = world.session(customer), world.session(customer)

    for url, status in ((first["url"], 410), (second["url"], 200), (world.customer_url(customer), 200)):
        answer = page.goto(url)
        assert answer
        assert answer.status == status
