"""Each key may ask so often, whatever another key does."""

from __future__ import annotations

import pytest
from flask import Flask

from portal import api
from portal.app import create_app
from portal.config import Settings
from portal.models.account import Account
from tests.conftest import Clock
from tests.given import Given


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return Settings(**{**settings.model_dump(), "api_rate": "1/5"})


def test_a_key_that_asks_too_often_is_told_when_to_come_back(app: Flask, acme_key: str, bolt_key: str) -> None:
    client = app.test_client()
    statuses = [client.get("/v1/ping", headers={"Authorization": f"Bearer {acme_key}"}) for _ in range(6)]

    assert [response.status_code for response in statuses] == [200] * 5 + [429]
    assert 1 <= int(statuses[-1].headers["Retry-After"]) <= 5
    assert statuses[-1].get_json(force=True)["type"].endswith("#429-too-many-requests")
    assert client.get("/v1/ping", headers={"Authorization": f"Bearer {bolt_key}"}).status_code == 200


def test_a_rate_of_zero_is_no_limit(settings: Settings, clock: Clock, acme_key: str) -> None:
    free = create_app(Settings(**{**settings.model_dump(), "api_rate": "0"}), clock).test_client()

    statuses = {free.get("/v1/ping", headers={"Authorization": f"Bearer {acme_key}"}).status_code for _ in range(50)}

    assert statuses == {200}


def test_a_kept_invoice_counts_like_any_other_answer(app: Flask, acme: Account, acme_key: str, given: Given) -> None:
    invoice = given.invoice(given.customer(acme))
    assert api.keep(app, invoice.id)
    client, headers = app.test_client(), {"Authorization": f"Bearer {acme_key}", "Accept-Encoding": "gzip"}

    answers = [client.get(f"/v1/invoices/{invoice.id}", headers=headers) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 5
