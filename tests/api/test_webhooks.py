"""News of a gateway over HTTP: signed, once, in any order; whatever else comes changes nothing."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from peewee import IntegrityError, InterfaceError, OperationalError
from werkzeug.test import TestResponse

from portal.cashier import hearing
from portal.config import Settings
from portal.gateways import PaymentNews
from portal.models.account import Account
from portal.models.base import EPOCH, micros, new_id
from portal.models.gateway_event import GatewayEvent
from portal.models.invoice import Invoice
from portal.models.payment import Payment
from portal.secret_store import derived_secret
from tests import attempts
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries
from tests.web.conftest import queries as queries

PATH = "/webhooks/sandbox"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"gateway": "sandbox", "sandbox_url": "http://127.0.0.1:9"})


@pytest.fixture
def invoice(given: Given, acme: Account) -> Invoice:
    return given.invoice(given.customer(acme))


@pytest.fixture
def payment(invoice: Invoice, clock: Clock) -> Payment:
    """One that has begun, and of which nothing was heard."""
    return attempts.begin(invoice, now=clock.now)


@pytest.fixture
def tell(client: FlaskClient, settings: Settings, clock: Clock) -> Callable[..., TestResponse]:
    """Posts news as the sandbox does."""

    def post(news: PaymentNews, id: str | None = None, late: int = 0, path: str = PATH) -> TestResponse:
        event = {"id": id or new_id(), "at": micros(clock.now), "type": "payment.changed"}
        return client.post(path, **signed({**event, "data": {"object": "payment", **asdict(news)}}, late))

    def signed(event: dict[str, Any], late: int) -> dict[str, Any]:
        body = json.dumps(event).encode()
        at = str(int((clock.now - EPOCH).total_seconds()) - late)
        secret = derived_secret(settings, "sandbox webhooks").encode()
        signature = hmac.digest(secret, f"{at}.".encode() + body, "sha256").hex()
        return {"data": body, "headers": {"Portal-Sandbox-Signature": f"t={at},v1={signature}"}}

    return post


def test_news_is_believed_and_answered_shortly(tell: Any, payment: Payment, invoice: Invoice) -> None:
    answer = tell(attempts.of(payment, "succeeded"))

    assert (answer.status_code, answer.get_json()) == (200, {})
    assert attempts.left(invoice) == ("paid", 0)


@pytest.mark.parametrize("junk", ["\ud800", "evt\0"])
def test_news_that_no_database_can_keep_is_refused_and_what_follows_is_heard(
    tell: Any, payment: Payment, invoice: Invoice, junk: str, database_kind: str
) -> None:
    refused = tell(attempts.of(payment, "processing"), id=junk)

    assert refused.status_code == (200 if (junk, database_kind) == ("evt\0", "sqlite") else 400)
    assert tell(attempts.of(payment, "succeeded")).status_code == 200
    assert attempts.left(invoice) == ("paid", 0)


def test_news_that_comes_twice_counts_once_and_asks_the_database_once(
    tell: Any, payment: Payment, queries: Queries
) -> None:
    news = attempts.of(payment, "succeeded")
    tell(news, id=f"evt_{payment.id}")

    with queries() as made:
        assert tell(news, id=f"evt_{payment.id}").status_code == 200

    assert len(made) == 1
    assert attempts.booked(payment) == {"received": 4000}


def test_late_news_is_taken_and_changes_nothing(tell: Any, payment: Payment, invoice: Invoice) -> None:
    tell(attempts.of(payment, "succeeded"))

    assert tell(attempts.of(payment, "processing")).status_code == 200
    assert attempts.left(invoice) == ("paid", 0)


def test_news_of_nothing_that_is_known_is_kept(tell: Any, payment: Payment) -> None:
    strange = PaymentNews(f"ref_{new_id()}", new_id(), "succeeded", 100, "USD", False)

    assert tell(strange, id=f"evt_{payment.id}").status_code == 200

    kept = GatewayEvent.get(GatewayEvent.gateway == "sandbox", GatewayEvent.id == f"evt_{payment.id}")
    assert kept.applied_at is None
    assert kept.news["ref"] == strange.ref


@pytest.mark.parametrize("late", [301, -301])
def test_news_that_was_signed_long_ago_or_ahead_is_refused(
    tell: Any, payment: Payment, invoice: Invoice, late: int
) -> None:
    answer = tell(attempts.of(payment, "succeeded"), late=late)

    assert (answer.status_code, answer.text) == (400, "The signature is older, or newer, than 5 minutes.\n")
    assert attempts.left(invoice) == ("issued", 4000)


@pytest.mark.parametrize("signature", [None, "", "t=1,v1=0", f"t=1795435200,v1={'0' * 64}", "é"])
def test_what_is_not_signed_changes_nothing(client: FlaskClient, payment: Payment, signature: str | None) -> None:
    before = GatewayEvent.select().count()
    headers = {} if signature is None else {"Portal-Sandbox-Signature": signature}

    answer = client.post(PATH, data=b'{"id": "evt_1"}', headers=headers)

    assert answer.status_code == 400
    assert answer.mimetype == "text/plain"
    assert answer.text.endswith(".\n")
    assert GatewayEvent.select().count() == before
    assert Payment.get_by_id(payment.id).stage == "begun"


@pytest.mark.parametrize("name", ["stripe", "hand", "none", "SANDBOX", "sandbox/x"])
def test_only_the_gateway_that_is_set_up_is_heard(tell: Any, payment: Payment, name: str) -> None:
    assert tell(attempts.of(payment, "succeeded"), path=f"/webhooks/{name}").status_code == 404
    assert Payment.get_by_id(payment.id).stage == "begun"


def test_more_than_256_kb_are_not_read(client: FlaskClient, settings: Settings) -> None:
    assert client.post(PATH, data=b"x" * (256 * 1024 + 1)).status_code == 413
    assert client.post(PATH, data=b"x" * (256 * 1024)).status_code == 400  # unsigned


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, IntegrityError])
def test_when_the_database_does_not_answer_it_is_to_be_told_again(
    tell: Any, payment: Payment, invoice: Invoice, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    news = attempts.of(payment, "succeeded")
    with monkeypatch.context() as patch:

        def broken(*_: Any) -> None:
            raise error("gone")

        patch.setattr(hearing, "apply", broken)
        refused = tell(news, id=f"evt_{payment.id}")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert tell(news, id=f"evt_{payment.id}").status_code == 200
    assert attempts.left(invoice) == ("paid", 0)


def test_reading_it_is_no_news(client: FlaskClient) -> None:
    assert client.get(PATH).status_code == 405


def test_the_signature_is_read_as_of_the_request(tell: Any, payment: Payment, clock: Clock) -> None:
    clock.now += timedelta(days=400)

    assert tell(attempts.of(payment, "succeeded")).status_code == 200


class TestUnderARate:
    """Of one call a second."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"api_rate": Settings(api_rate="1").api_rate})

    def test_no_news_is_dropped(self, tell: Any, payment: Payment) -> None:
        news = attempts.of(payment, "processing")

        assert {tell(news, id=f"evt_{payment.id}").status_code for _ in range(12)} == {200}
