"""What people see: the pages behind the links. A page is one module, one template folder and one line here.

Every page below a link opens the link first and is handed its scope; a page that cannot be opened offers a fresh link.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

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
    methods,
    payment,
    payment_page,
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
    (CUSTOMER, "methods", methods.show),
]
# Paying one invoice and paying several stand at the same addresses, each below its own place.
for _place in (INVOICE, CUSTOMER):
    PAGES += [
        (_place, "payments/new", payment.new),
        (_place, "payments", payment.new),
        (_place, "payments/<payment_id>", payment_page.show),
    ]
# What is done by a POST to the same address.
DEEDS: dict[str, Callable[..., Any]] = {
    "payments": payment.create,
    "payments/<payment_id>": payment_page.give_up,
    "methods": methods.change,
}
# What may still be read after a session has expired.
LATE: dict[Callable[..., Any], Callable[..., Any]] = {payment_page.show: payment_page.show_late}


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
            _put(app, kind, place + tail, view, DEEDS.get(tail))


def _put(app: Flask, kind: Kind, below: str, view: Callable[..., Any], deed: Callable[..., Any] | None) -> None:
    rule = f"/{PATHS[kind]}/<token>/{below}"

    def show(token: str, **ids: str) -> Any:
        try:
            scope = access.open_link(token, kind)
        except access.Closed as closed:
            late = _late(token, kind, view, ids)
            if late is None:
                raise closed
            return late
        _check(ids)
        if not below and not request.path.endswith("/"):
            return link.with_slash()
        return view(scope, **ids)

    def ask(token: str, **ids: str) -> Any:
        if "fresh" in request.args:
            return link.fresh(token, kind)
        if deed is None:
            raise MethodNotAllowed(valid_methods=["GET", "HEAD", "OPTIONS"])
        scope = access.open_link(token, kind)
        _check(ids)
        return deed(scope, **ids)

    app.add_url_rule(rule, f"{kind} {below}", show)
    # Wherever a link can be found closed, its button posts to that very address.
    app.add_url_rule(rule, f"{kind} {below} POST", ask, methods=["POST"])


def _late(token: str, kind: Kind, view: Callable[..., Any], ids: dict[str, str]) -> Any:
    """What a session that has just expired still shows; None where that is nothing."""
    session = access.just_over(token, kind) if view in LATE and access.can_be_named(*ids.values()) else None
    return LATE[view](session, **ids) if session else None


def _check(ids: dict[str, str]) -> None:
    """Raises NotFound where something is asked for that nothing can be called."""
    if not access.can_be_named(*ids.values()):
        raise NotFound
