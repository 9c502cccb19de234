"""An error is a page with a sentence that says what to do; for htmx a fragment with the same status."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from peewee import OperationalError

from portal.models.link import Link
from tests.given import Given
from tests.web.conftest import Queries

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def breaking(own_app: Flask) -> FlaskClient:
    @own_app.get("/breaks")
    def breaks() -> None:
        raise ZeroDivisionError("a secret")

    @own_app.get("/stalls")
    def stalls() -> None:
        raise OperationalError("a secret")

    return own_app.test_client()


@pytest.mark.parametrize(("path", "status"), [("/breaks", 500), ("/stalls", 503)])
def test_what_is_ours_to_mend_is_said_without_its_cause(breaking: FlaskClient, path: str, status: int) -> None:
    page, part = breaking.get(path), breaking.get(path, headers=HTMX)

    assert page.status_code == part.status_code == status
    assert "secret" not in page.text + part.text
    assert "<html" in page.text
    assert part.text.startswith("<dialog open")
    assert '<section id="pf-problem"' in part.text
    assert (part.headers["HX-Retarget"], part.headers["HX-Reswap"]) == ("#pf-notice", "innerHTML")


@pytest.fixture
def failing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Opens links, and then breaks."""

    def fails(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("portal.web.history.of", fails)
    monkeypatch.setattr("portal.web.history.within", fails)
    return app.test_client()


def test_below_an_open_link_it_is_said_in_the_operators_name_without_the_database(
    failing: FlaskClient, given: Given, links: dict[str, Link], queries: Queries
) -> None:
    address = given.url(links["customer"]) + "invoices"

    with queries() as made:
        page, part = failing.get(address), failing.get(address, headers=HTMX)

    assert page.status_code == part.status_code == 500
    assert len(made) == 2  # one for each, which opened the link
    assert "Acme" in page.text
    assert 'href="mailto:help@acme.example"' in page.text
    assert '<a class="button" href="">Try again</a>' in page.text
    assert "What you see stays as it is." in part.text
    assert "secret" not in page.text + part.text


def test_going_back_to_what_fails_keeps_the_page_that_is_open(
    failing: FlaskClient, given: Given, links: dict[str, Link]
) -> None:
    restoring = {"HX-Request": "true", "HX-Request-Type": "full", "HX-History-Restore-Request": "true"}

    answer = failing.get(given.url(links["customer"]) + "invoices", headers=restoring)

    assert answer.headers["HX-Retarget"] == "#pf-notice"
    assert "<html" not in answer.text


def test_a_busy_database_says_when_to_come_back(breaking: FlaskClient) -> None:
    assert int(breaking.get("/stalls").headers["Retry-After"]) > 0


def test_a_wrong_method_says_which_are_right(client: FlaskClient, given: Given, links: dict[str, Link]) -> None:
    answer = client.post(given.url(links["invoice"]))

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert "can be read, and nothing else" in answer.text


def test_what_cannot_be_found_is_a_fragment_for_htmx(client: FlaskClient) -> None:
    part = client.get("/nowhere", headers=HTMX)

    assert part.status_code == 404
    assert '<section id="pf-not-found"' in part.text


def test_htmx_that_wants_a_whole_page_gets_one(client: FlaskClient) -> None:
    assert "<html" in client.get("/nowhere", headers={"HX-Request": "true", "HX-Request-Type": "full"}).text


def test_a_forged_host_comes_back_in_nothing(client: FlaskClient, given: Given, links: dict[str, Link]) -> None:
    path = given.url(links["invoice"])

    for wanted in (path, path.rstrip("/"), "/" + path, "/nowhere"):
        answer = client.get(wanted, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        assert "evil.example" not in answer.text + str(answer.headers)
