"""An invoice is paid through Stripe's form: the portal itself, with localstripe and a script of ours in Stripe's place.

Which of them answers what is said in tests/gateways/stripe_stand_in.py, and in docs/stripe.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e import world as worlds
from e2e.witness import Witness
from e2e.world import World
from tests import servers
from tests.gateways import stripe_stand_in
from tests.gateways.stripe_stand_in import StandIn

pytestmark = pytest.mark.xdist_group("localstripe")  # one server for all of them

SECRET = "whsec_stand_in"
WORKS, DECLINED, ASKS = "4242 4242 4242 4242", "4000 0000 0000 0341", "4000 0025 0000 3155"


@pytest.fixture(scope="module")
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with stripe_stand_in.running(tmp_path_factory.mktemp("localstripe")) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def world(stripe: StandIn) -> Iterator[World]:
    settings = {
        "gateway": "stripe",
        "stripe_secret_key": stripe_stand_in.SECRET,
        "stripe_publishable_key": "pk_test_stand_in",
        "stripe_webhook_secrets": SECRET,
        "stripe_api_url": stripe.url,
    }
    with worlds.running("sqlite", servers.new_folder("stripe"), bare=True, **settings) as world:
        world.call("PATCH", "/account", {"save_payment_method": "optional"})
        stripe.relay(world.url("/webhooks/stripe"), SECRET)
        yield world


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], witness: Witness, stripe: StandIn) -> Page:
    witness.hosts.add(stripe.url)
    return new_context().new_page()


def test_a_card_pays_an_invoice(world: World, page: Page) -> None:
    invoice = opened(world, page)

    page.get_by_label("Card number").fill(WORKS)
    page.get_by_role("button", name="Pay $40.00").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Paid")
    (attempt,) = payments(world, invoice)
    assert (attempt["amount"], attempt["succeeded"], attempt["payment_provider"]) == ("40.00", True, "stripe")


def test_a_card_is_declined_and_another_pays(world: World, page: Page) -> None:
    invoice = opened(world, page)
    page.get_by_label("Card number").fill(DECLINED)
    page.get_by_role("button", name="Pay $40.00").click()
    expect(page.get_by_role("main")).to_contain_text("The bank declined it")

    again(page)
    page.get_by_label("Card number").fill(WORKS)
    page.get_by_role("button", name="Pay $40.00").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Paid")
    assert sorted(one["succeeded"] for one in payments(world, invoice)) == [False, True]


@pytest.mark.parametrize(
    ("answer", "said"),
    [("Complete authentication", "Paid"), ("Fail authentication", "not confirmed")],
)
def test_a_bank_asks_and_the_payment_goes_on_or_not(world: World, page: Page, answer: str, said: str) -> None:
    opened(world, page)
    page.get_by_label("Card number").fill(ASKS)
    page.get_by_role("button", name="Pay $40.00").click()

    page.get_by_role("button", name=answer).click()

    expect(page.get_by_role("main")).to_contain_text(said)


def test_a_card_that_was_kept_pays_the_next_invoice(world: World, page: Page) -> None:
    customer = world.customer()
    opened(world, page, customer)
    page.get_by_label("Keep it for later").check()
    page.get_by_label("Card number").fill(WORKS)
    page.get_by_role("button", name="Pay $40.00").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Paid")

    world.invoice(customer)
    page.goto(f"{world.customer_url(customer)}payments/new")
    page.get_by_role("radio", name="Card").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("radio", name="Visa ending in 4242")).to_be_checked()
    page.get_by_role("button", name="Continue with this").click()
    page.get_by_role("button", name="Confirm and pay").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Paid")


def test_two_clicks_are_one_payment(world: World, page: Page) -> None:
    invoice = opened(world, page)

    page.get_by_label("Card number").fill(WORKS)
    page.get_by_role("button", name="Pay $40.00").dblclick()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Paid")
    assert len(payments(world, invoice)) == 1


@pytest.mark.parametrize(("typed", "said"), [("", "is incomplete"), ("12", "is invalid")])
def test_what_is_wrong_is_said_at_once_and_nothing_is_lost(
    world: World, page: Page, witness: Witness, typed: str, said: str
) -> None:
    opened(world, page)
    page.get_by_label("Keep it for later").check()
    sent = [one for one in witness.writing if one.startswith(f"POST {world.origin}")]

    page.get_by_label("Card number").fill(typed)
    page.get_by_role("button", name="Pay $40.00").click()

    expect(page.locator("#pf-checkout-stripe-said")).to_contain_text(said)
    expect(page.get_by_label("Keep it for later")).to_be_checked()
    assert [one for one in witness.writing if one.startswith(f"POST {world.origin}")] == sent


def test_without_script_a_sentence_says_what_to_do(
    world: World, page: Page, new_context: Callable[..., BrowserContext]
) -> None:
    plain = new_context(java_script_enabled=False).new_page()
    plain.goto(f"{world.invoice_url(world.invoice(world.customer()))}payments/new")
    plain.get_by_role("radio", name="Card").check()
    plain.get_by_role("button", name="Continue").click()

    expect(plain.get_by_text("without it, choose another way to pay")).to_be_visible()


def test_a_script_of_stripes_that_does_not_load_is_said_in_words(
    world: World, page: Page, witness: Witness, stripe: StandIn
) -> None:
    witness.excused.append("net::ERR_FAILED")
    page.route(f"{stripe.url}/stripe.js", lambda route: route.abort())
    invoice = world.invoice(world.customer())
    page.goto(f"{world.invoice_url(invoice)}payments/new")
    page.get_by_role("radio", name="Card").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#pf-checkout-stripe-said")).to_contain_text("nothing was charged")

    page.get_by_role("button", name="Pay $40.00").click()

    expect(page.locator("#pf-checkout-stripe-said")).to_contain_text("nothing was charged")
    assert payments(world, str(invoice["id"])) == []


def test_only_pages_that_pay_may_ask_stripe(world: World, page: Page, stripe: StandIn) -> None:
    invoice = world.invoice(world.customer())
    policies = {}
    page.on("response", lambda got: policies.update({got.url: got.headers.get("content-security-policy", "")}))

    page.goto(world.invoice_url(invoice))
    read = dict(policies)
    page.goto(f"{page.url}payments/new")
    chosen(page)

    assert read
    assert not any(stripe.url in policy for policy in read.values())
    assert any(stripe.url in policy for policy in policies.values())


def opened(world: World, page: Page, customer: Any = None) -> str:
    """At the fields for a card, of a new invoice; its id."""
    invoice = world.invoice(customer or world.customer())
    page.goto(f"{world.invoice_url(invoice)}payments/new")
    chosen(page)
    return str(invoice["id"])


def chosen(page: Page) -> None:
    page.get_by_role("radio", name="Card").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Card number")).to_be_visible()


def again(page: Page) -> None:
    page.get_by_role("link", name="Try again").click()
    chosen(page)


def payments(world: World, invoice: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = world.call("GET", f"/invoices/{invoice}")["payment_attempts"]
    return found
