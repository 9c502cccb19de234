"""The API as a program meets it: over the test client, and over a real socket with the official SDK."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from orb import Orb
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from portal.models.account import Account
from portal.models.catalog import Metric
from portal.models.customer import Customer
from portal.models.usage import UsageDay
from tests import houses
from tests.given import Given
from tests.web.conftest import queries as queries

TYPE = "https://docs.withorb.com/reference/error-responses#"
Call = Callable[..., TestResponse]


def problem(response: TestResponse, status: int, fragment: str) -> str:
    """The error's sentence, after its shape was checked."""
    body = response.get_json(force=True)
    assert (response.status_code, body["status"], body["type"]) == (status, status, TYPE + fragment)
    assert response.content_type == "application/problem+json"
    assert body["title"]
    assert body["detail"].endswith(".")
    return body["detail"]


@pytest.fixture(autouse=True)
def _answers_are_as_promised(app: Flask) -> Iterator[None]:
    """Whatever a test of the API asks for, each answer is what the API's own document says of it."""
    faults = app.extensions[houses.PROMISES]
    faults.clear()
    yield
    assert faults == []


@pytest.fixture
def call(client: FlaskClient, acme_key: str) -> Call:
    """`call("POST", "/customers", {...})` as Acme; `key=` as somebody else, None as nobody."""

    def ask(method: str, path: str, body: Any = None, *, key: str | None = acme_key, **more: Any) -> TestResponse:
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        return client.open(f"/v1{path}", method=method, headers=headers, **more)

    return ask


@pytest.fixture
def live(app: Flask) -> Iterator[str]:
    """The address of a server that other threads and programs can reach."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def orb(live: str, acme_key: str) -> Iterator[Orb]:
    """Acme's official client. It refuses any answer that is not exactly of the wire shape."""
    with Orb(api_key=acme_key, base_url=f"{live}/v1", max_retries=0, _strict_response_validation=True) as client:
        yield client


@pytest.fixture
def metric(given: Given, acme: Account) -> Metric:
    """What Acme's downloads come to."""
    metric = given.metric(acme)
    metric.sql = "SELECT SUM(bytes) FROM events WHERE event_name = 'download'"
    metric.save()
    return metric


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme, external_id="crm-1", timezone="America/New_York")


@pytest.fixture
def used(customer: Customer, metric: Metric) -> Callable[[], dict[str, Decimal]]:
    """What is kept of the customer's days."""

    def days() -> dict[str, Decimal]:
        rows = UsageDay.select().where(UsageDay.customer == customer, UsageDay.metric == metric)
        return {row.day.isoformat(): Decimal(row.quantity) for row in rows}

    return days
