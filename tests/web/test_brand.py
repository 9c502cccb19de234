"""The operator's face: a colour that can always be read, and a logo under the name of its content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account, Logo
from portal.models.link import Link
from portal.web import brand
from tests.conftest import Clock
from tests.given import Given

PNG = b"\x89PNG\r\n\x1a\n" + b"not really a picture"


@pytest.mark.parametrize("color", ["000000", "ffffff", "ffff00", "7a1fa2", "0b5cad", "808080", "ff0000"])
def test_every_colour_can_be_read_by_day_and_by_night(client: FlaskClient, color: str) -> None:
    css = client.get(f"/brand/{color}.css").text

    found = re.findall(r"--([a-z-]+):#([0-9a-f]{6})", css)
    assert [name for name, _ in found] == ["accent", "on-accent", "accent-ink", "accent-ink"]
    (_, accent), (_, on), (_, day), (_, night) = found
    assert accent == color
    assert brand._contrast(on, accent) >= brand.READABLE
    assert brand._contrast(day, brand.PAPER) >= brand.READABLE
    assert brand._contrast(night, brand.NIGHT) >= brand.READABLE


@pytest.mark.parametrize(
    "color",
    ["red", "FFFFFF", "fff", "0b5cad;", "0b5cad}body{", "url(x)", "00000g", "0b5cad%0a", "٠b5cad", "\\30 00000"],
)
def test_what_is_no_colour_has_no_stylesheet(client: FlaskClient, color: str) -> None:
    assert client.get(f"/brand/{color}.css").status_code == 404


@pytest.mark.parametrize(("stored", "shown"), [("#7A1FA2", "7a1fa2"), ("red;}", brand.PLAIN), ("", brand.PLAIN)])
def test_a_page_names_the_stylesheet_of_its_colour(
    given: Given, acme: Account, clock: Clock, read: Callable[[str], str], stored: str, shown: str
) -> None:
    acme.configure({"accent_color": stored}, clock.now, "test")
    link = Link.of_customer(given.customer(acme).id)
    invoice = Link.of_invoice(given.invoice(given.customer(acme)).id)
    assert link
    assert invoice

    assert f'href="/brand/{shown}.css"' in read(given.url(invoice))


def test_a_logo_stands_on_the_page_under_the_name_of_its_content(
    client: FlaskClient, given: Given, acme: Account, clock: Clock, read: Callable[[str], str]
) -> None:
    digest = hashlib.sha256(PNG + acme.id.encode()).hexdigest()
    Logo.create(account=acme, png=PNG, width=10, height=10, digest=digest, created_at=clock.now)
    link = Link.of_invoice(given.invoice(given.customer(acme)).id)
    assert link

    html = read(given.url(link))
    picture = client.get(f"/brand/{digest}.png")

    assert f'src="/brand/{digest}.png"' in html
    assert (picture.status_code, picture.data, picture.content_type) == (200, PNG, "image/png")
    assert picture.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert acme.id not in html


def test_nothing_behind_a_link_is_for_finding(client: FlaskClient) -> None:
    rules = client.get("/robots.txt").text.splitlines()

    assert rules == ["User-agent: *", "Disallow: /i/", "Disallow: /c/", "Disallow: /s/"]
