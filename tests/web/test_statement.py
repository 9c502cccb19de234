"""The accessibility statement: one page for everybody, a link away from every page."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from portal.models.link import Link
from tests.given import Given
from tests.web.conftest import Queries


def test_it_opens_without_a_link_and_asks_no_database(client: FlaskClient, queries: Queries) -> None:
    with queries() as made:
        answer = client.get("/accessibility")

    assert answer.status_code == 200
    assert made == []
    for said in ("WCAG", "level AA", "How this is tried", "Known limits", "Something does not work for you?"):
        assert said in answer.text


def test_it_names_no_operator(client: FlaskClient, read: Callable[[str], str]) -> None:
    assert "Acme" not in read("/accessibility")


def test_every_page_leads_to_it(client: FlaskClient, given: Given, links: dict[str, Link]) -> None:
    for path in (*(given.url(link) for link in links.values()), "/nowhere", "/accessibility"):
        assert '<a href="/accessibility">' in client.get(path).text
