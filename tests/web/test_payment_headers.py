"""The policy is opened for a gateway's origins on the pages that pay, by as much as it needs, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from portal.gateways import Action, Checkout, Origins, PaymentNews
from portal.models import base
from portal.models.account import Account
from portal.models.invoice import Invoice
from portal.models.payment import Payment
from portal.web import headers
from tests import crawl
from tests.given import Given
from tests.web.paying import Payer
from tests.web.paying import payer as payer

SCRIPT, FRAME, ASKED, SEEN = (f"https://{name}.gateway.example" for name in ("js", "frame", "api", "img"))
OPENS = Origins((SCRIPT,), (SCRIPT, FRAME), (ASKED,), (SEEN,))


class Scripted:
    """A gateway whose form needs a script from elsewhere. Its payments wait for the payer."""

    name, live, origins = "stripe", False, OPENS

    def serves(self, method: str, currency: str) -> bool:
        return method == "card"

    def minimum(self, currency: str) -> int:
        return 50

    def checkout(self, method: str, amount: int, currency: str) -> Checkout:
        values = {"script": f"{SCRIPT}/v3", "key": "pk", "method": method, "amount": "1", "currency": currency}
        return Checkout(("confirmation_token",), values)

    def payer(self, payer: Any) -> str:
        return "cus_1"

    def start(self, order: Any) -> PaymentNews:
        self.order = order
        return self.look(order.key)

    def look(self, ref: str) -> PaymentNews:
        asks = Action("script", secret="pi_1_secret_2")
        return PaymentNews(ref, None, "action", 4000, "USD", False, "card", action=asks)


@pytest.fixture
def app(app: Flask) -> Flask:
    app.extensions["portal"].gateway = Scripted()
    return app


@pytest.fixture
def invoice(given: Given, acme: Account) -> Invoice:
    return given.invoice(given.customer(acme))


def policy(answer: Any) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split("; ")]
    return {name: values for name, *values in parts}


def test_the_second_step_opens_what_the_gateway_needs(payer: Payer) -> None:
    shut = policy(payer.open("payments/new"))
    answer = payer.send(method="card")

    wider = {
        "script-src": ["'self'", SCRIPT],
        "connect-src": ["'self'", ASKED],
        "img-src": ["'self'", SEEN],
        "frame-src": [SCRIPT, FRAME],
    }
    assert policy(answer) == shut | wider
    assert f'payment=(self "{SCRIPT}" "{FRAME}")' in answer.headers["Permissions-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_a_payment_that_waits_for_its_script_opens_it_too_and_no_other_does(payer: Payer, invoice: Invoice) -> None:
    payer.open("payments/new")
    payer.send(method="card")
    payer.send(confirmation_token="ctoken_1")
    answer = payer.follow()

    assert policy(answer)["script-src"] == ["'self'", SCRIPT]
    assert "pi_1_secret_2" in answer.text
    asking = payer.open(f"{payer.now}?known=begun&asked=1", headers={"HX-Request": "true"})
    assert (asking.headers["HX-Refresh"], asking.data) == (
        "true",
        b"",
    )  # or else the script would come into a shut page
    Payment.update(stage="processing").where(Payment.customer == invoice.customer_id).execute()
    answer = payer.open(payer.now)
    assert policy(answer)["script-src"] == ["'self'"]
    assert "payment=(self)" in answer.headers["Permissions-Policy"]


def test_a_secret_of_the_gateway_is_kept_nowhere(payer: Payer) -> None:
    payer.open("payments/new")
    payer.send(method="card")
    payer.send(confirmation_token="ctoken_1")
    payer.follow()

    assert not [table for table, rows in crawl.tables() if "pi_1_secret_2" in repr(rows)]


def test_no_other_address_is_opened(app: Flask, given: Given, acme: Account) -> None:
    """All that is served, whoever asks and however: with the gateway that would open most."""
    if base.is_postgresql():
        pytest.skip("no policy depends on the database")
    home = crawl.street(given, acme, 1)[0]
    client = app.test_client()
    tried = 0
    for rule in crawl.rules(app):
        path = crawl.fill(rule, **crawl.ids(rule, home))
        for method in sorted(crawl.methods(rule) & {"GET", "POST"}):
            answer = client.open(path, method=method)
            assert "gateway.example" not in str(answer.headers), (method, rule)
            tried += 1
    assert tried > 100


def test_what_is_wrong_with_the_first_step_opens_nothing(payer: Payer) -> None:
    payer.open("payments/new")

    for more in ({"method": "us_bank_account"}, {"method": "card", "stamp": "x"}):
        assert list(policy(payer.send(**more))["script-src"]) == ["'self'"]
        payer.open("payments/new")


def test_static_files_and_kept_pages_are_shut() -> None:
    assert "frame-src" not in headers.STATIC["Content-Security-Policy"]
    assert "frame-src" not in headers.page([], https=True)["Content-Security-Policy"]
