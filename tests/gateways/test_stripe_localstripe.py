"""The gateway against a server that speaks Stripe's API and remembers: see stripe_stand_in for who answers what."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from portal.gateways import Order, Payer, PaymentNews, Refused
from portal.gateways.stripe import StripeGateway, signature
from tests.gateways import stripe_stand_in
from tests.gateways.stripe_stand_in import StandIn

pytestmark = pytest.mark.xdist_group("localstripe")  # one server for all of them

SECRET = "whsec_stand_in"
WORKS, DECLINED, ASKS = "4242424242424242", "4000000000000341", "4000002500003155"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with stripe_stand_in.running(tmp_path_factory.mktemp("localstripe")) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def stripe(server: StandIn) -> StripeGateway:
    return StripeGateway(stripe_stand_in.SECRET, "pk_test_stand_in", [SECRET], stand_in=server.url)


@pytest.fixture(scope="module")
def payer(stripe: StripeGateway) -> Payer:
    acme = Payer("cust_1", None, "Acme", "ann@acme.example")
    return replace(acme, ref=stripe.payer(acme))


def test_a_card_is_charged(stripe: StripeGateway, server: StandIn, payer: Payer) -> None:
    news = stripe.start(order("pay_works", payer, server, WORKS))

    assert (news.payment_id, news.stage, news.amount, news.currency) == ("pay_works", "succeeded", 12500, "USD")
    assert (news.method, news.label, news.live) == ("card", "Visa ending in 4242", False)
    assert stripe.look(news.ref) == news
    assert stripe.find("pay_works") == news
    assert stripe.find("pay_unheard_of") is None


def test_the_same_order_sent_again_is_the_same_payment(stripe: StripeGateway, server: StandIn, payer: Payer) -> None:
    twice = order("pay_twice", payer, server, WORKS)

    assert stripe.start(twice) == stripe.start(twice)


def test_a_card_is_declined(stripe: StripeGateway, server: StandIn, payer: Payer) -> None:
    news = stripe.start(order("pay_declined", payer, server, DECLINED))

    assert (news.payment_id, news.stage, news.failure) == ("pay_declined", "failed", "declined")
    assert stripe.look(news.ref).stage == "failed"


def test_what_a_bank_asks_is_answered_with_the_secret(stripe: StripeGateway, server: StandIn, payer: Payer) -> None:
    news = stripe.start(order("pay_asks", payer, server, ASKS))
    assert (news.stage, news.action and news.action.kind) == ("action", "script")

    authenticate(server, news, agreed=True)

    assert stripe.look(news.ref).stage == "succeeded"


def test_who_does_not_confirm_has_not_paid(stripe: StripeGateway, server: StandIn, payer: Payer) -> None:
    news = stripe.start(order("pay_refuses", payer, server, ASKS))

    authenticate(server, news, agreed=False)

    refused = stripe.look(news.ref)
    assert (refused.stage, refused.failure) == ("failed", "not_confirmed")


def test_a_payment_that_waits_is_canceled_and_one_that_went_through_is_not(
    stripe: StripeGateway, server: StandIn, payer: Payer
) -> None:
    waits = stripe.start(order("pay_waits", payer, server, ASKS))
    went = stripe.start(order("pay_went", payer, server, WORKS))

    assert stripe.cancel(waits.ref).stage == "canceled"
    assert stripe.cancel(went.ref).stage == "succeeded"
    assert stripe.look(waits.ref).stage == "canceled"


def test_a_method_is_saved_charged_again_and_forgotten(stripe: StripeGateway, server: StandIn) -> None:
    bolt = Payer("cust_2", None, "Bolt", None)
    bolt = replace(bolt, ref=stripe.payer(bolt))
    assert bolt.ref
    first = stripe.start(replace(order("pay_saves", bolt, server, WORKS), saves=True))
    (kept,) = stripe.saved(bolt.ref)
    assert first.saved == kept
    assert (kept.label, kept.expires) == ("Visa ending in 4242", "2031-04")

    later = order("pay_again", bolt, server, WORKS)
    again = stripe.start(replace(later, saved_ref=kept.ref, details={}, present=False))

    assert (again.stage, again.label) == ("succeeded", kept.label)
    stripe.forget(kept.ref)
    assert stripe.saved(bolt.ref) == []


def test_a_saved_method_that_stripe_does_not_have_is_refused(
    stripe: StripeGateway, server: StandIn, payer: Payer
) -> None:
    with pytest.raises(Refused):
        stripe.start(replace(order("pay_gone", payer, server, WORKS), saved_ref="pm_gone"))


def test_money_is_given_back_in_parts_once_a_key(stripe: StripeGateway, server: StandIn, payer: Payer) -> None:
    paid = stripe.start(order("pay_back", payer, server, WORKS))

    first = stripe.refund("ref_1", "key_1", paid.ref, 5000, "USD")
    same = stripe.refund("ref_1", "key_1", paid.ref, 5000, "USD")
    second = stripe.refund("ref_2", "key_2", paid.ref, 7500, "USD")

    assert (first.refund_id, first.payment_ref, first.stage, first.amount) == ("ref_1", paid.ref, "succeeded", 5000)
    assert first == same
    assert second.ref != first.ref


def test_a_sepa_debit_is_charged_in_euros(stripe: StripeGateway, server: StandIn, payer: Payer) -> None:
    token = server.token(type="sepa_debit", **{"sepa_debit[iban]": "DE89370400440532013000"})
    given = order("pay_sepa", payer, server, WORKS)

    news = stripe.start(replace(given, method="sepa_debit", currency="EUR", details={"confirmation_token": token}))

    assert (news.method, news.currency, news.label) == ("sepa_debit", "EUR", "Bank account ending in 3000")
    assert news.stage in ("processing", "succeeded")


def test_news_is_signed_and_says_the_same_as_the_list_of_events(
    stripe: StripeGateway, server: StandIn, payer: Payer
) -> None:
    before = datetime.now(UTC)
    with listening() as (own_url, own), listening() as (url, passed_on):
        server.tell(own_url, SECRET)
        server.relay(url, SECRET)
        paid = stripe.start(order("pay_told", payer, server, WORKS))
        own_headers, own_body = of(own, paid.ref)
        headers, body = of(passed_on, paid.ref)

    (listed,) = [one for one in stripe.since(before) if isinstance(one.news, PaymentNews) and one.news.ref == paid.ref]
    told = stripe.read(headers, body, datetime.now(UTC))

    assert (told.id, told.type, told.news) == (listed.id, "payment_intent.succeeded", listed.news)
    assert told.news
    assert told.news.ref == paid.ref
    # localstripe leaves out what the account received, which we would not believe; but its signature is Stripe's.
    signature.check(own_headers, own_body, [SECRET], datetime.now(UTC))


def of(heard: queue.Queue[tuple[Mapping[str, str], bytes]], ref: str) -> tuple[Mapping[str, str], bytes]:
    """The webhook about this payment: they come a second late, after those of others."""
    while True:
        headers, body = heard.get(timeout=10)
        if ref.encode() in body:
            return headers, body


def order(payment_id: str, payer: Payer, server: StandIn, number: str) -> Order:
    typed = {"card[number]": number, "card[exp_month]": "4", "card[exp_year]": "2031", "card[cvc]": "123"}
    return Order(
        payment_id=payment_id,
        key=payment_id,
        amount=12500,
        currency="USD",
        method="card",
        details={"confirmation_token": server.token(type="card", **typed)},
        saved_ref=None,
        saves=False,
        present=True,
        payer=payer,
        reference="A-1",
        notify_url="http://127.0.0.1:8000/webhooks/stripe",
    )


def authenticate(server: StandIn, news: PaymentNews, *, agreed: bool) -> None:
    """What Stripe's script does when a bank has asked."""
    assert news.action
    assert news.action.secret
    path = f"/v1/payment_intents/{news.ref}/_authenticate"
    params = {"client_secret": news.action.secret, "success": str(agreed).lower()}
    assert server.behind_the_front("POST", path, params)[0] == 200


@contextmanager
def listening() -> Iterator[tuple[str, queue.Queue[tuple[Mapping[str, str], bytes]]]]:
    heard: queue.Queue[tuple[Mapping[str, str], bytes]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", heard
    finally:
        server.shutdown()
        server.server_close()
