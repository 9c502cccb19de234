"""Pages that are rendered ahead by the worker, and sent as they are kept to whoever the link opens for.

A kept page is sent only if it is of the version that would be rendered now; whatever is out of the ordinary (no page
kept, a link that does not open, a question, a client that reads no gzip) is left to the page itself, which answers
the same.
"""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from flask import Flask, g, render_template
from jinja2 import TemplateError
from peewee import InterfaceError, OperationalError

from portal import assets, compression, logs
from portal.models import base
from portal.models.opening import Opened
from portal.models.published import Page, Published, PublishedHome, Shown, ShownHome, ShownInvoice
from portal.tokens import PATHS, BadToken, Kind
from portal.web import customer, headers, invoice
from portal.web.access import Scope, opens

# What an import left out of a document, or cannot be worked out.
UNPRINTABLE = (TemplateError, ArithmeticError, LookupError, TypeError, ValueError)
COMPRESSION = 9  # once for each version; what is rendered for one reader takes less trouble


@dataclass(frozen=True)
class Shelf:
    """Where the pages behind one kind of link are kept, and how they are rendered."""

    kind: Kind
    page: type[Page]
    of_token: Callable[[bytes], Shown | None]
    template: str
    values: Callable[[Scope], dict[str, Any]]


SHELVES = [
    Shelf("invoice", Published, ShownInvoice.of_token, invoice.TEMPLATE, invoice.shown),
    Shelf("customer", PublishedHome, ShownHome.of_token, customer.TEMPLATE, customer.shown),
]


def publish(app: Flask, kind: Kind, id: str, now: datetime) -> bool:
    """Renders a page as it is `now` and keeps it. False where it changed meanwhile or cannot be rendered."""
    shelf = next(shelf for shelf in SHELVES if shelf.kind == kind)
    shown = shelf.page.shown(id)
    if shown is None:
        shelf.page.drop(id)
        return False
    build = assets.build(app.extensions["portal"].settings.money_mover)
    version = shown.version(build, now)
    if version == shown.kept_version:
        return shelf.page.keep(id, build, now, version, shown.page)
    # The address is that of no link: what is kept holds no token, and its own addresses are relative.
    with app.test_request_context(f"/{PATHS[kind]}/-/"):
        g.now, g.link = now, shown.link
        try:
            html = render_template(shelf.template, **shelf.values(Scope(shown.link)))
        except UNPRINTABLE as error:
            logs.log().error("unprintable", kind=kind, id=id, exc_info=error)
            shelf.page.drop(id)
            return False
    return shelf.page.keep(id, build, now, version, gzip.compress(html.encode(), COMPRESSION, mtime=0))


class Desk(Protocol):
    """What a kept page is sent with: the settings and the ring of keys (app.House)."""

    settings: Any

    def keyring(self) -> Any: ...


class Express:
    """Before the app: answers a GET of a page with the one that is kept, after checking its link."""

    def __init__(self, following: Any, house: Desk, clock: Callable[[], datetime]) -> None:
        self.following, self.house, self.clock = following, house, clock
        self.https = house.settings.base_url.startswith("https:")
        self.shelves = {PATHS[shelf.kind]: shelf for shelf in SHELVES}
        self.address = re.compile(rf"/({'|'.join(self.shelves)})/([^/]+)/")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        began = time.perf_counter()
        asked = self.address.fullmatch(environ["PATH_INFO"]) if _plain(environ) else None
        shown = self._found(self.shelves[asked[1]], asked[2]) if asked else None
        if shown is None or asked is None:
            answer: Iterable[bytes] = self.following(environ, start_response)
            return answer
        start_response("200 OK", self._headers(shown.link, len(shown.page)))
        logs.request("GET", f"/{asked[1]}/<token>/", 200, began, f"visitor:{shown.link.id}")
        return [shown.page]

    def _found(self, shelf: Shelf, token: str) -> Shown | None:
        """The page that is kept, if this token's link opens and it is of today's version."""
        try:
            sealed = self.house.keyring().unseal(shelf.kind, token)
            base.db.connect(reuse_if_open=True)
            shown = shelf.of_token(sealed.token_id)
        except (BadToken, OperationalError, InterfaceError):
            return None  # the app says so
        finally:
            base.give_back()
        now = self.clock()
        if shown is None or not shown.link.is_named_by(shelf.kind, sealed.kid, sealed.exp):
            return None
        if not opens(sealed, shown.link, now):
            return None
        build = assets.build(self.house.settings.money_mover)
        return shown if shown.kept_version == shown.version(build, now) else None

    def _headers(self, link: Opened, length: int) -> list[tuple[str, str]]:
        return [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(length)),
            ("Vary", "HX-Request, Accept-Encoding"),
            ("Content-Encoding", "gzip"),
            *headers.page(link.embed_origins, https=self.https).items(),
        ]


def _plain(environ: dict[str, Any]) -> bool:
    """A whole page, at the address it is published for, by somebody who can unpack it?"""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and not (environ.get("QUERY_STRING") or environ.get("SCRIPT_NAME") or "HTTP_HX_REQUEST" in environ)
        and compression.accepted(environ.get("HTTP_ACCEPT_ENCODING", ""))
    )
