"""What tests of pages ask for: how many queries a request took, and a link of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.base import db
from portal.models.link import Link
from tests.conftest import Clock
from tests.given import Given

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
Queries = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> Queries:
    """`with queries() as made:` what the database was asked, transactions aside."""

    @contextmanager
    def counted() -> Iterator[list[str]]:
        made: list[str] = []

        def noting(ask: Callable[..., Any]) -> Callable[..., Any]:
            def noted(sql: str, *args: Any, **options: Any) -> Any:
                made.append(sql)
                return ask(sql, *args, **options)

            return noted

        with monkeypatch.context() as patch:
            for name in ("execute_sql", "first"):  # SQLite has the one, PostgreSQL both
                if ask := getattr(db.obj, name, None):
                    patch.setattr(db.obj, name, noting(ask))
            yield made

    return counted


@pytest.fixture
def links(given: Given, acme: Account, clock: Clock, kid: str) -> dict[str, Link]:
    """A live link of each kind, all of one customer who has one invoice."""
    customer = given.customer(acme)
    of_invoice = Link.of_invoice(given.invoice(customer).id)
    permanent = Link.of_customer(customer.id)
    assert of_invoice
    assert permanent
    session = Link.start_session(customer, clock.now, kid, "test")
    return {"invoice": of_invoice, "customer": permanent, "session": session}


@pytest.fixture
def read(client: FlaskClient) -> Callable[[str], str]:
    """The text of a page that opens."""

    def text(path: str) -> str:
        response = client.get(path)
        assert response.status_code == 200, response.status
        return response.text

    return text


@pytest.fixture
def is_kept(client: FlaskClient, address: str, queries: Queries) -> Callable[[], bool]:
    """Is the page at the test's `address` sent as it is kept? Then the query that opens the link brings it."""

    def asked() -> bool:
        with queries() as made:
            client.get(address, headers=GZIP)
        return len(made) == 1

    return asked
