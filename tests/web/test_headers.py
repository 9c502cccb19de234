"""Every response has all the headers; only the account's own list of sites may frame its pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.app import create_app
from portal.config import Settings
from portal.models.account import Account
from portal.models.link import Link
from portal.web import headers
from tests.conftest import Clock
from tests.given import Given

EXPECTED = {
    "Referrer-Policy": "strict-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(self)",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
FOR_EVER = "public, max-age=31536000, immutable"
DIRECTIVES = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "object-src": ["'none'"],
    "frame-ancestors": ["'none'"],
}
RESPONSES: dict[str, tuple[str, str, int]] = {
    "a page": ("GET", "{invoice}", 200),
    "a format": ("GET", "{invoice}invoice.json", 200),
    "a redirect": ("GET", "{bare}", 302),
    "nothing found": ("GET", "/nowhere", 404),
    "a wrong method": ("DELETE", "{invoice}", 405),
    "a closed link": ("GET", "{closed}", 410),
    "a button pressed": ("POST", "{closed}?fresh", 202),
    "a stranger": ("POST", "{stranger}?fresh", 202),
    "options": ("OPTIONS", "{invoice}", 200),
    "head": ("HEAD", "{invoice}", 200),
    "robots": ("GET", "/robots.txt", 200),
    "colours": ("GET", "/brand/0b5cad.css", 200),
    "a missing static file": ("GET", "/static/nowhere.css", 404),
    "the API without a key": ("GET", "/v1/ping", 401),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_every_response_has_all_headers_and_no_cookie(
    client: FlaskClient, given: Given, links: dict[str, Link], clock: Clock, name: str
) -> None:
    links["session"].revoke(clock.now, "test")
    paths = {"invoice": given.url(links["invoice"]), "closed": given.url(links["session"])}
    paths |= {"bare": paths["invoice"].rstrip("/"), "stranger": paths["invoice"]}
    method, path, status = RESPONSES[name]

    response = client.open(path.format(**paths), method=method)

    assert response.status_code == status
    assert {name: response.headers.get(name) for name in EXPECTED} == EXPECTED
    assert _parsed(response.headers["Content-Security-Policy"]) == DIRECTIVES
    assert len(response.headers.getlist("Content-Security-Policy")) == 1
    assert response.headers["Cache-Control"] == (FOR_EVER if name == "colours" else "no-store")
    assert "Set-Cookie" not in response.headers
    assert "Strict-Transport-Security" not in response.headers


def test_static_files_have_them_too(client: FlaskClient) -> None:
    response = client.get("/static/portal.css")

    assert response.status_code == 200
    assert {name: response.headers.get(name) for name in EXPECTED} == EXPECTED
    assert _parsed(response.headers["Content-Security-Policy"]) == DIRECTIVES
    assert set(headers.STATIC) <= {name for name, _ in response.headers}
    assert "max-age=31536000" in response.headers["Cache-Control"]


def test_an_internal_error_has_them_too(own_app: Flask) -> None:
    @own_app.get("/breaks")
    def breaks() -> None:
        raise ZeroDivisionError("the secret of the house")

    response = own_app.test_client().get("/breaks")

    assert response.status_code == 500
    assert {name: response.headers.get(name) for name in EXPECTED} == EXPECTED
    assert "secret of the house" not in response.text


def test_https_is_required_from_then_on(settings: Settings, tmp_path: Path, clock: Clock) -> None:
    secure = Settings(**{**settings.model_dump(), "base_url": "https://pay.example.com", "data_dir": tmp_path})

    client = create_app(secure, clock).test_client()

    for path in ("/nowhere", "/v1/ping", "/static/portal.css"):
        assert client.get(path).headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_listed_sites_may_frame_what_is_behind_the_links_of_the_account(
    client: FlaskClient, given: Given, acme: Account, bolt: Account, clock: Clock, links: dict[str, Link]
) -> None:
    acme.configure({"embed_origins": ["https://app.example.com", "http://localhost:*"]}, clock.now, "test")
    links["session"].revoke(clock.now, "test")
    other = Link.of_customer(given.customer(bolt).id)
    assert other

    for path in (given.url(links["invoice"]), given.url(links["session"])):
        response = client.get(path)
        framing = _parsed(response.headers["Content-Security-Policy"])["frame-ancestors"]
        assert framing == ["https://app.example.com", "http://localhost:*"]
        assert "X-Frame-Options" not in response.headers
    for path in (given.url(other), "/nowhere", given.url(links["invoice"]) + "lines/nowhere"):
        response = client.get(path)
        assert _parsed(response.headers["Content-Security-Policy"])["frame-ancestors"] == ["'none'"]
        assert response.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https:",
        "https://*.example.com",
        "https://a.example.com/path",
        "https://a.example.com; script-src *",
        "https://a.example.com\nX-Evil: 1",
        "https://a.example.com https://b.example.com",
        "null",
        "data:",
        "http://example.com:*",
        "",
    ],
)
def test_what_is_no_origin_never_gets_into_the_policy(origin: str) -> None:
    assert _parsed(headers.policy([origin])) == DIRECTIVES


def test_no_page_loads_or_links_to_another_host(
    read: Callable[[str], str], given: Given, links: dict[str, Link]
) -> None:
    for kind in ("invoice", "session"):
        below = "" if kind == "invoice" else f"invoices/{links['invoice'].invoice_id}/"
        assert "://" not in read(given.url(links[kind]) + below)


def _parsed(policy: str) -> dict[str, list[str]]:
    parts = [directive.split() for directive in policy.split(";")]
    assert len({name for name, *_ in parts}) == len(parts)
    return {name: values for name, *values in parts}
