"""A connection that the database has closed costs one answer at most, and says so kindly."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import api
from portal.models import base, pool
from portal.models.link import Link
from tests.given import Given

END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"


@pytest.fixture
def hung_up(database_kind: str, database_url: str) -> Iterator[Callable[[], None]]:
    """The server ends every connection but the one that asks for it."""
    if database_kind == "sqlite":
        pytest.skip("SQLite has no server that could go away")

    def end() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(END, [connection.info.backend_pid])

    yield end
    base.connect(database_url)  # without the connections that are gone


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_after_the_database_hung_up_the_next_page_opens_or_asks_to_try_again(
    client: FlaskClient, given: Given, links: dict[str, Link], hung_up: Callable[[], None], encoding: str
) -> None:
    path = given.url(links["customer"])
    base.db.close()
    assert client.get(path).status_code == 200

    hung_up()

    first, second = (client.get(path, headers={"Accept-Encoding": encoding}) for _ in range(2))
    assert first.status_code in (200, 503)
    assert second.status_code == 200


def test_a_connection_that_was_quiet_is_asked_before_it_is_used(
    client: FlaskClient,
    given: Given,
    links: dict[str, Link],
    hung_up: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "QUIET_SECONDS", 0)
    base.db.close()
    assert client.get(given.url(links["customer"])).status_code == 200

    hung_up()

    assert client.get(given.url(links["customer"])).status_code == 200


def test_an_invoice_that_is_kept_for_the_api_comes_again_as_soon(
    app: Flask, client: FlaskClient, links: dict[str, Link], hung_up: Callable[[], None], acme_key: str
) -> None:
    id = links["invoice"].invoice_id
    assert id
    assert api.keep(app, id)
    headers = {"Authorization": f"Bearer {acme_key}", "Accept-Encoding": "gzip"}
    base.db.close()
    assert client.get(f"/v1/invoices/{id}", headers=headers).status_code == 200

    hung_up()

    first, second = (client.get(f"/v1/invoices/{id}", headers=headers) for _ in range(2))
    assert first.status_code in (200, 503)
    assert second.status_code == 200
