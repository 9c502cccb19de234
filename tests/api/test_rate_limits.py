"""Each key may ask so often, whatever another key does."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.app import create_app
from portal.config import Settings
from tests.conftest import Clock


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
