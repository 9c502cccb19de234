"""The operator's app shows the portal in an iframe, on another site, in a browser without third-party cookies."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from e2e.elsewhere import Elsewhere, framed
from e2e.witness import Witness
from e2e.world import World


@pytest.fixture
def page(guarded_page: Page) -> Page:
    return guarded_page


@pytest.fixture
def bolt(world: World, host: Elsewhere) -> Iterator[World]:
    """Bolt's portal, which may be framed by the host's origin."""
    bolt = world.of("Bolt")
    bolt.call("PATCH", "/account", {"embed_origins": [host.origin]})
    yield bolt
    bolt.call("PATCH", "/account", {"embed_origins": []})


def test_an_account_is_read_inside_the_app_without_any_cookie(bolt: World, host: Elsewhere, page: Page) -> None:
    customer = bolt.customer(name="Tyrell")
    invoice = bolt.invoice(customer)

    url = bolt.session(customer)["url"]
    frame = framed(page, host, url)
    expect(frame.get_by_role("heading", level=1)).to_contain_text("Tyrell")
    frame.locator("#pf-due").get_by_role("link", name=invoice["invoice_number"]).click()
    frame.wait_for_url(f"**/invoices/{invoice['id']}/")  # with its script
    line = frame.get_by_role("listitem").filter(has_text="Onboarding")
    line.locator("summary").click()

    expect(line.locator("section")).to_contain_text("$30.50")
    assert frame.evaluate("document.cookie") == ""
    assert page.context.cookies() == []
    # The browser would have thrown a cookie away: none was offered.
    assert "set-cookie" not in httpx.get(url).headers


def test_a_session_that_ends_says_so_in_the_frame_and_its_button_works_there(
    bolt: World, host: Elsewhere, page: Page
) -> None:
    customer = bolt.customer(name="Weyland")
    bolt.invoice(customer)
    session = bolt.session(customer)
    frame = framed(page, host, session["url"])
    expect(frame.get_by_role("heading", level=1)).to_contain_text("Weyland")

    bolt.end(session)
    bolt.session(customer)  # the newest was not revoked on purpose
    frame.locator("#pf-history").get_by_role("button", name="Find").click()

    expect(frame.get_by_role("heading", name="This link is no longer active")).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST") as asked:
        frame.get_by_role("button", name="Mail me a fresh link").click()
    assert asked.value.status == 202


def test_a_closed_link_is_told_inside_the_app_too(bolt: World, host: Elsewhere, page: Page) -> None:
    invoice = bolt.invoice(bolt.customer())
    url = bolt.invoice_url(invoice)
    bolt.revoke(invoice)

    frame = framed(page, host, url)

    expect(frame.get_by_role("heading", name="This link is no longer active")).to_be_visible()


def test_on_this_machine_an_app_may_stand_at_any_port(bolt: World, host: Elsewhere, page: Page) -> None:
    bolt.call("PATCH", "/account", {"embed_origins": ["http://localhost:*"]})

    frame = framed(page, host, bolt.invoice_url(bolt.invoice(bolt.customer(name="Nostromo"))))

    expect(frame.get_by_role("main")).to_contain_text("Nostromo")


@pytest.mark.parametrize("listed", [[], ["https://app.example.com"]], ids=["nobody", "somebody else"])
def test_an_app_that_is_not_listed_frames_nothing(
    bolt: World, host: Elsewhere, page: Page, witness: Witness, listed: list[str]
) -> None:
    witness.excused += ["frame-ancestors", "X-Frame-Options"]
    bolt.call("PATCH", "/account", {"embed_origins": listed})

    frame = framed(page, host, bolt.invoice_url(bolt.invoice(bolt.customer())))

    page.wait_for_load_state("networkidle")
    assert frame.url.startswith("chrome-error:")
    assert any("frame-ancestors" in fault or "X-Frame-Options" in fault for fault in witness.faults)


def test_the_browser_of_these_tests_does_block_third_party_cookies(
    world: World, host: Elsewhere, page: Page, witness: Witness
) -> None:
    with Elsewhere("127.0.0.1", headers={"Set-Cookie": "seen=1; Path=/"}) as tracker:
        witness.hosts.add(tracker.origin)

        framed(page, host, f"{tracker.origin}/first")
        frame = framed(page, host, f"{tracker.origin}/second")

        assert frame.evaluate("document.cookie") == ""
        assert all("Cookie" not in one.headers for one in tracker.asked)
