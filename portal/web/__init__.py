"""What people see: the pages behind the links. A page is one module, one template folder and one line here.

Every page below a link opens the link first and is handed its scope; a page that cannot be opened offers a fresh link.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import MethodNotAllowed

from portal.tokens import PATHS, Kind
from portal.web import (
    access,
    brand,
    customer,
    errors,
    files,
    filters,
    formats,
    headers,
    history,
    invoice,
    link,
    prepaid,
    published,
    statement,
    upcoming,
    usage,
)

refusal = errors.refusal
Express = published.Express
Files = files.Files
publish = published.publish

# Where a page stands under each kind of link. Formats and fragments hang below it, under the same address.
INVOICE: dict[Kind, str] = {"invoice": "", "customer": "invoices/<invoice_id>/", "session": "invoices/<invoice_id>/"}
CUSTOMER: dict[Kind, str] = {"customer": "", "session": ""}

PAGES: list[tuple[dict[Kind, str], str, Callable[..., Any]]] = [
    (INVOICE, "", invoice.page),
    (INVOICE, "lines/<line_id>", invoice.line),
    (INVOICE, "invoice.json", formats.as_json),
    (INVOICE, "invoice.csv", formats.as_csv),
    (CUSTOMER, "", customer.page),
    (CUSTOMER, "due", customer.due),
    (CUSTOMER, "upcoming", upcoming.show),
    (CUSTOMER, "upcoming/lines/<line_id>", upcoming.line),
    (CUSTOMER, "usage", usage.show),
    (CUSTOMER, "invoices", history.show),
    (CUSTOMER, "plan", customer.prices),
    (CUSTOMER, "prepaid", prepaid.show),
    (CUSTOMER, "balance", customer.balance),
    (CUSTOMER, "details", customer.details),
]


def register(app: Flask) -> None:
    """Puts every page on the map."""
    # A doubled slash is another address, not a redirect to one with a token in its body.
    app.url_map.merge_slashes = False
    headers.register(app)
    filters.register(app)
    brand.register(app)
    statement.register(app)
    for places, tail, view in PAGES:
        for kind, place in places.items():
            _put(app, kind, place + tail, view)


def _put(app: Flask, kind: Kind, below: str, view: Callable[..., Any]) -> None:
    name = f"{kind}.{view.__module__.rpartition('.')[2]}.{view.__name__}"
    rule = f"/{PATHS[kind]}/<token>/{below}"

    def show(token: str, **ids: str) -> Any:
        scope = access.open_link(token, kind)
        if not below and not request.path.endswith("/"):
            return link.with_slash()
        return view(scope, **ids)

    def ask(token: str, **_: str) -> Any:
        if "fresh" not in request.args:
            raise MethodNotAllowed(valid_methods=["GET", "HEAD", "OPTIONS"])
        return link.fresh(token, kind)

    app.add_url_rule(rule, name, show)
    # Wherever a link can be found closed, its button posts to that very address.
    app.add_url_rule(rule, f"{name}.fresh", ask, methods=["POST"])
