"""What the API says of an issued invoice for ever is written ahead by the worker, and kept until our code changes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from flask import Flask, g
from peewee import InterfaceError, OperationalError

from portal import assets, compression, current, logs
from portal.api import auth, invoice_shapes, shapes
from portal.compression import Begun
from portal.domain.money import NotRepresentable, UnknownCurrency
from portal.models import base
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.published_bill import Fetched, PublishedBill

ROUTE = "/v1/invoices/<id>"
ADDRESS = re.compile(r"/v1/invoices/([0-9A-Za-z]{16})")
# What an import left out of a document, or cannot be written.
UNWRITABLE = (LookupError, TypeError, ValueError, ArithmeticError, NotRepresentable, UnknownCurrency)
FROZEN = ("customer", "timezone")  # a document without them leaves to the customer of today what it does not say


def keep(app: Flask, id: str) -> bool:
    """Writes the frozen part of an invoice, unless it is there. False where there is none, or it cannot be written."""
    build = assets.build(app.extensions["portal"].settings.money_mover)
    if PublishedBill.is_kept(id, build):
        return True
    row = Invoice.select(Invoice, Customer).join(Customer).where(Invoice.id == id, Invoice.status != "draft").first()
    if row is None or not all(row.document.get(name) for name in FROZEN):
        return False
    try:
        begun = shapes.begun(invoice_shapes.frozen(row))
    except UNWRITABLE as error:
        logs.log().error("unwritable", id=id, exc_info=error)
        return False
    PublishedBill.keep(id, build, begun.dump())
    return True


class Express:
    """Before the app: answers a GET of an issued invoice, after checking key and rate, as the app would answer.

    Whatever is out of the ordinary (nothing kept, a key that is not live, a question, a client that reads no gzip) is
    left to the app.
    """

    def __init__(
        self, following: Any, app: Flask, clock: Callable[[], datetime], headers: Iterable[tuple[str, str]]
    ) -> None:
        self.following, self.app, self.clock = following, app, clock
        self.headers = [
            ("Content-Type", "application/json"),
            ("Content-Encoding", "gzip"),
            ("Vary", "Accept-Encoding"),
            *headers,
        ]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        began = time.perf_counter()
        asked = ADDRESS.fullmatch(environ["PATH_INFO"]) if _plain(environ) else None
        found = self._found(asked[1], environ["HTTP_AUTHORIZATION"]) if asked else None
        if found is None:
            answer: Iterable[bytes] = self.following(environ, start_response)
            return answer
        key_id, body = found
        start_response("200 OK", [*self.headers, ("Content-Length", str(len(body)))])
        logs.request("GET", ROUTE, 200, began, f"api:{key_id}")
        return [body]

    def _found(self, id: str, authorization: str) -> tuple[str, bytes] | None:
        """By which key it was asked for, and the invoice, begun with what is kept of it."""
        with self.app.app_context():
            g.now, build = self.clock(), assets.build(current.settings().money_mover)
            try:
                base.db.connect(reuse_if_open=True)
                found = Fetched.of(auth.shown(authorization), id, build)
                if found is None or auth.count(found.key_id):
                    return None
                return found.key_id, shapes.continued(Begun.read(found.body), invoice_shapes.moving(found))
            except (OperationalError, InterfaceError):
                return None  # the app says so
            finally:
                base.give_back()


def _plain(environ: dict[str, Any]) -> bool:
    """Nothing but the invoice, by somebody who shows a key and can unpack it?"""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and "HTTP_AUTHORIZATION" in environ
        and not (environ.get("QUERY_STRING") or environ.get("SCRIPT_NAME"))
        and compression.accepted(environ.get("HTTP_ACCEPT_ENCODING", ""))
    )
