"""An error is a page with a sentence that says what to do; for htmx a fragment with the same status."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from peewee import OperationalError

from portal.models.link import Link
from tests.given import Given

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def breaking(app: Flask) -> FlaskClient:
    @app.get("/breaks")
    def breaks() -> None:
        raise ZeroDivisionError("a secret")

    @app.get("/stalls")
    def stalls() -> None:
        raise OperationalError("a secret")

    return app.test_client()


@pytest.mark.parametrize(("path", "status"), [("/breaks", 500), ("/stalls", 503)])
def test_what_is_ours_to_mend_is_said_without_its_cause(breaking: FlaskClient, path: str, status: int) -> None:
    page, part = breaking.get(path), breaking.get(path, headers=HTMX)

    assert page.status_code == part.status_code == status
    assert "secret" not in page.text + part.text
    assert "<html" in page.text
    assert part.text.startswith("<dialog open")
    assert '<section id="pf-problem"' in part.text
    assert (part.headers["HX-Retarget"], part.headers["HX-Reswap"]) == ("#pf-notice", "innerHTML")


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
