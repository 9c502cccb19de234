"""A payer in a test: she reads a page's forms, fills them in and sends them, as a browser without script would."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from portal.config import Settings
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from tests.given import Given
from tests.sandbox import Sandbox


@dataclass
class Form:
    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)  # what is sent where nobody changes anything
    offered: dict[str, list[str]] = field(default_factory=dict)  # what radio buttons and boxes stand for
    kinds: dict[str, str] = field(default_factory=dict)

    def filled(self, **changes: Any) -> MultiDict[str, Any]:
        """What a browser sends; None leaves a field out."""
        sent = MultiDict(self.fields)
        for name, value in changes.items():
            if value is None:
                sent.poplist(name)
            else:
                sent.setlist(name, value if isinstance(value, list) else [value])
        return sent


class Forms(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.inside = True
            self.found.append(Form(given.get("action") or "", given.get("method") or "get"))
        name = given.get("name")
        if not self.inside or tag not in ("input", "button", "select") or not name:
            return
        form, kind = self.found[-1], given.get("type") or tag
        form.kinds[name] = kind
        value = given.get("value") or ""
        if kind in ("radio", "checkbox"):
            form.offered.setdefault(name, []).append(value)
        if tag == "input" and (kind not in ("radio", "checkbox") or "checked" in given):
            form.fields.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "form"


@dataclass
class Payer:
    """Somebody who holds one link."""

    client: FlaskClient
    address: str  # of the link's own page
    now: str = ""  # where she is
    page: TestResponse | None = None

    def open(self, tail: str = "", **more: Any) -> TestResponse:
        self.now = urljoin(self.address, tail)
        self.page = self.client.get(self.now, **more)
        return self.page

    def send(self, form: int | Form = 0, headers: dict[str, str] | None = None, **changes: Any) -> TestResponse:
        """Sends a form of the page she is on."""
        wanted = self.forms[form] if isinstance(form, int) else form
        self.now = urljoin(self.now, wanted.action)
        self.page = self.client.post(self.now, data=wanted.filled(**changes), headers=headers)
        return self.page

    def follow(self) -> TestResponse:
        """To where she was led."""
        assert self.page is not None
        assert self.page.status_code == 303, (self.page.status, self.text)
        return self.open(urljoin(self.now, self.page.headers["Location"]))

    @property
    def forms(self) -> list[Form]:
        assert self.page is not None
        return Forms(self._main()).found

    @property
    def text(self) -> str:
        """As she reads it: without tags, one space between words."""
        assert self.page is not None
        words = " ".join(unescape(re.sub(r"<[^>]*>", " ", self._main())).split())
        return re.sub(r" ([.,:;])", r"\1", words)

    def _main(self) -> str:
        assert self.page is not None
        return self.page.text.split('<main id="main">')[-1].split("</main>")[0]

    def pay(self, method: str = "card", outcome: str = "4242", tail: str = "", **more: Any) -> TestResponse:
        """All steps to the payment's page."""
        self.open(f"{tail}payments/new")
        assert self.send(method=method).status_code == 200, self.text
        self.send(len(self.forms) - 1, sandbox_outcome=outcome, **more)
        return self.follow()


@pytest.fixture
def settings(settings: Settings, sandbox: Sandbox) -> Settings:
    """Those of a portal whose gateway is the sandbox."""
    return settings.model_copy(update={"gateway": "sandbox", "sandbox_url": sandbox.url})


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(acme, locale="en-US")


@pytest.fixture
def invoice(given: Given, customer: Customer) -> Invoice:
    return given.invoice(customer)


@pytest.fixture
def payer(client: FlaskClient, given: Given, invoice: Invoice) -> Payer:
    """Who holds the link of the invoice."""
    link = Link.of_invoice(invoice.id)
    assert link
    return Payer(client, given.url(link))
