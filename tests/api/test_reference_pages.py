"""The reference as people read it: every call, lines that do what they say, for anybody and for no search engine."""

from __future__ import annotations

import ast
import re
from html import unescape

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from orb import Orb, OrbError

from portal.api.reference.document import document, routed
from portal.api.reference.reading import Reading


@pytest.fixture
def reading(app: Flask) -> Reading:
    return Reading(document(app, "http://orb.test"))


def text(client: FlaskClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return unescape(re.sub(r"<[^>]+>", "", response.text))


def test_every_call_is_on_the_first_page_and_on_its_own(app: Flask, client: FlaskClient, reading: Reading) -> None:
    first = text(client, "/docs/api")
    pages = "".join(text(client, f"/docs/api/{section['slug']}") for section in reading.sections)

    for rule, method, _ in routed(app):
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        named = f"{method} {path}\n"
        assert named in first
        assert named in pages


def test_it_needs_no_key_loads_nothing_from_elsewhere_and_is_not_indexed(client: FlaskClient) -> None:
    for path in ("/docs/api", "/docs/api/customers", "/docs/api/shapes", "/docs/api/"):
        response = client.get(path)

        assert response.status_code == 200
        assert "noindex" in response.headers["X-Robots-Tag"]
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in response.headers
        assert re.findall(r'(?:src|href)="(?!/|#)[^"]*"', response.text) == []


def test_every_shape_that_is_named_can_be_gone_to(client: FlaskClient, reading: Reading) -> None:
    there = set(re.findall(r'id="([^"]+)"', client.get("/docs/api/shapes").text))
    pages = [client.get(f"/docs/api/{section['slug']}").text for section in reading.sections]

    for page in [*pages, client.get("/docs/api/shapes").text]:
        assert set(re.findall(r'href="/docs/api/shapes#([^"]+)"', page)) <= there


def test_a_resource_that_nobody_has_is_not_found(client: FlaskClient) -> None:
    assert client.get("/docs/api/alerts").status_code == 404


def test_every_line_for_the_official_client_makes_its_call(reading: Reading) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(404, json={})

    transport = httpx.Client(transport=httpx.MockTransport(answer))
    with Orb(api_key="key", base_url="http://orb.test/v1", max_retries=0, http_client=transport) as orb:
        for section in reading.sections:
            for call in section["calls"]:
                line = reading.client(call)
                ast.parse(line)
                with pytest.raises(OrbError):
                    eval(line, {"orb": orb})

                path = re.sub(r"{\w+}", "[^/]+", call["path"])
                assert asked[-1].method == call["method"], line
                assert re.fullmatch(path, asked[-1].url.path), line
