"""Stripe's fields inside a form of ours, and a bank's question: our script and templates, under the strict policy.

The page around them is a bare one of this test's own. Behind it stand the Stripe gateway and localstripe, and a script
with the part of Stripe.js that ours calls (tests/gateways/stripe_stand_in): Stripe's own cannot be asked here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, redirect, render_template_string, request
from playwright.sync_api import BrowserContext, Page, expect
from werkzeug.serving import make_server

from e2e.witness import Witness
from portal.gateways import Checkout, Order, Payer, PaymentNews
from portal.gateways.stripe import StripeGateway
from portal.web.headers import POLICY
from tests.gateways import stripe_stand_in

HOUSE = Path(__file__).parents[1]
WORKS, DECLINED, ASKS = "4242 4242 4242 4242", "4000 0000 0000 0341", "4000 0025 0000 3155"
FORM = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pay</title></head><body>
<link rel="icon" href="{{ asset('icon.svg') }}"><form method="post" action="/pay">
<p><label><input type="checkbox" name="save"> Save</label></p><p><label>Note <input name="note"></label></p>
{% include "payment/_checkout_stripe.html" %}<button>Pay</button></form></body></html>"""
ACTION = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Confirm</title></head><body>
{% include "payment/_action_stripe.html" %}</body></html>"""


class Shop:
    """A page that pays, a page of the payment, and what was posted."""

    def __init__(self, gateway: StripeGateway) -> None:
        self.gateway = gateway
        self.posted: list[dict[str, str]] = []
        self.heard: list[PaymentNews] = []
        self.payer = Payer("cust_1", gateway.payer(Payer("cust_1", None, "Acme", None)), "Acme", None)
        self.script: str | None = None  # instead of the gateway's
        self.app = Flask("shop", template_folder=str(HOUSE / "templates"), static_folder=str(HOUSE / "static"))
        self.app.jinja_env.globals["asset"] = lambda name: f"/static/{name}"
        self.app.add_url_rule("/form", view_func=self.form)
        self.app.add_url_rule("/pay", view_func=self.pay, methods=["POST"])
        self.app.add_url_rule("/payments/<ref>", view_func=self.payment)
        self.app.after_request(self.strict)
        self._numbers = count(1)

    def form(self) -> str:
        return render_template_string(FORM, checkout=self.checkout())

    def pay(self) -> Any:
        self.posted.append(request.form.to_dict())
        number = f"pay_{next(self._numbers)}"
        order = Order(
            number, number, 12500, "USD", "card", {"confirmation_token": request.form["confirmation_token"]}, None,
            "save" in request.form, True, self.payer, "A-1", "",
        )  # fmt: skip
        self.heard.append(self.gateway.start(order))
        return redirect(f"/payments/{self.heard[-1].ref}", 303)

    def payment(self, ref: str) -> str:
        news = self.gateway.look(ref)
        if news.stage == "action":
            return render_template_string(ACTION, checkout=self.checkout(), action=news.action, next=request.path)
        return render_template_string("<!doctype html><p>{{ stage }} {{ why }}</p>", stage=news.stage, why=news.failure)

    def checkout(self) -> Checkout:
        found = self.gateway.checkout("card", 12500, "USD")
        return replace(found, values={**found.values, "script": self.script or found.values["script"]})

    def strict(self, response: Any) -> Any:
        opened = self.gateway.origins
        more = {"script-src": opened.script, "frame-src": opened.frame, "connect-src": opened.connect}
        policy = {**POLICY, "frame-src": "'self'"}
        written = [f"{name} {' '.join([value, *more.get(name, ())])}" for name, value in policy.items()]
        response.headers["Content-Security-Policy"] = "; ".join(written)
        return response


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Shop]]:
    with stripe_stand_in.running(tmp_path_factory.mktemp("localstripe")) as stand_in:
        shop = Shop(StripeGateway(stripe_stand_in.SECRET, "pk_test_stand_in", ["whsec_1"], stand_in=stand_in.url))
        server = make_server("127.0.0.1", 0, shop.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", shop
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def witness() -> Iterator[Witness]:
    """No portal runs for these journeys."""
    seen = Witness(set())
    yield seen
    assert not seen.complaints


@pytest.fixture
def shop(running: tuple[str, Shop], witness: Witness) -> Shop:
    origin, shop = running
    shop.posted.clear()
    shop.heard.clear()
    shop.script = None
    witness.hosts |= {origin, *shop.gateway.origins.script}
    return shop


@pytest.fixture
def page(running: tuple[str, Shop], shop: Shop, new_context: Callable[..., BrowserContext]) -> Page:
    page = new_context(base_url=running[0]).new_page()
    page.goto("/form")
    return page


def test_a_card_is_paid_with_a_token_and_kept_where_that_was_ticked(shop: Shop, page: Page) -> None:
    page.get_by_label("Save").check()
    page.get_by_label("Card number").fill(WORKS)
    page.get_by_role("button", name="Pay").click()

    expect(page.get_by_text("succeeded")).to_be_visible()
    (posted,) = shop.posted
    assert posted["confirmation_token"].startswith("ctoken_")
    assert "4242" not in str(posted)  # what was typed never comes to us
    assert shop.heard[0].saved


def test_two_clicks_are_one_payment(shop: Shop, page: Page) -> None:
    page.get_by_label("Card number").fill(WORKS)
    page.get_by_role("button", name="Pay").dblclick()

    expect(page.get_by_text("succeeded")).to_be_visible()
    assert len(shop.posted) == 1


@pytest.mark.parametrize(("typed", "said"), [("", "is incomplete"), ("12", "is invalid")])
def test_what_is_wrong_is_said_at_once_and_nothing_typed_is_lost(shop: Shop, page: Page, typed: str, said: str) -> None:
    page.get_by_label("Note").fill("for May")
    page.get_by_label("Card number").fill(typed)
    page.get_by_role("button", name="Pay").click()

    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_label("Note")).to_have_value("for May")
    assert shop.posted == []

    page.get_by_label("Card number").fill(WORKS)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("succeeded")).to_be_visible()
    assert shop.posted[0]["note"] == "for May"


def test_after_a_decline_the_form_takes_another_card(shop: Shop, page: Page) -> None:
    page.get_by_label("Card number").fill(DECLINED)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("failed declined")).to_be_visible()

    page.go_back()
    page.get_by_label("Card number").fill(WORKS)
    page.get_by_role("button", name="Pay").click()

    expect(page.get_by_text("succeeded")).to_be_visible()
    first, second = shop.posted
    assert first["confirmation_token"] != second["confirmation_token"]


@pytest.mark.parametrize(
    ("answer", "end"),
    [("Complete authentication", "succeeded"), ("Fail authentication", "failed not_confirmed")],
)
def test_what_a_bank_asks_is_answered_and_the_payments_own_page_says_how_it_ended(
    shop: Shop, page: Page, answer: str, end: str
) -> None:
    page.get_by_label("Card number").fill(ASKS)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("Your bank asks you to confirm")).to_be_visible()
    page.get_by_role("button", name=answer).click()

    expect(page.get_by_text(end)).to_be_visible()
    assert page.url.endswith(f"/payments/{shop.heard[0].ref}")


def test_without_script_a_sentence_says_what_to_do(
    running: tuple[str, Shop], shop: Shop, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(base_url=running[0], java_script_enabled=False).new_page()
    page.goto("/form")

    expect(page.get_by_text("choose another way to pay")).to_be_visible()


def test_with_script_the_sentence_makes_room_for_the_fields(page: Page) -> None:
    expect(page.get_by_label("Card number")).to_be_visible()
    expect(page.get_by_text("choose another way to pay")).to_have_count(0)


def test_a_script_that_does_not_load_is_said_in_words(
    running: tuple[str, Shop], shop: Shop, witness: Witness, new_context: Callable[..., BrowserContext]
) -> None:
    shop.script = f"{shop.gateway.origins.script[0]}/nowhere"
    witness.excused.append("/nowhere")
    page = new_context(base_url=running[0]).new_page()
    page.goto("/form")
    expect(page.get_by_role("alert")).to_contain_text("nothing was charged")

    page.get_by_role("button", name="Pay").click()

    expect(page.get_by_role("alert")).to_contain_text("nothing was charged")
    assert shop.posted == []
