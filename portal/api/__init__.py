"""What programs see: JSON under /v1, wire-compatible with Orb. One module a resource; this one puts them on the map.

Views return a body, or a body and a status. Around each of them stand: the key and its rate (auth), one transaction
for everything that a write does, and the Idempotency-Key (idempotency). Views know of none of these, but for those that
ask a gateway: they are marked, and run outside any transaction (asking).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from portal.api import (
    absent,
    account,
    asking,
    auth,
    backfills,
    balance_transactions,
    coupons,
    credit_blocks,
    credit_notes,
    customers,
    errors,
    events,
    health,
    idempotency,
    invoice_line_items,
    invoices,
    items,
    kept,
    ledger,
    links,
    metrics,
    paying,
    payment_methods,
    payments,
    ping,
    plans,
    prices,
    refunds,
    shapes,
    subscriptions,
    upcoming,
    usage,
    webhooks,
)
from portal.api.body import refuse_unread_query
from portal.api.reference import page as reference
from portal.models.base import db

ROUTES = (
    ping.routes,
    customers.routes,
    items.routes,
    metrics.routes,
    prices.routes,
    plans.routes,
    coupons.routes,
    subscriptions.routes,
    backfills.routes,
    events.routes,
    upcoming.routes,
    invoices.routes,
    paying.routes,
    usage.routes,
    invoice_line_items.routes,
    credit_notes.routes,
    balance_transactions.routes,
    payments.routes,
    refunds.routes,
    payment_methods.routes,
    credit_blocks.routes,
    ledger.routes,
    links.routes,
    account.routes,
    reference.routes,
)
keep = kept.keep
Express = kept.Express
READS = ("GET", "HEAD", "OPTIONS")


class External(BaseConverter):
    """An id that the caller made up: anything, `/` too. The server decodes %2F before routes are looked at."""

    part_isolating = False
    regex = ".+?"
    weight = 300  # what has more path behind it comes first


def register(app: Flask) -> None:
    """Puts every resource on the map, and what stands around them."""
    app.url_map.converters["external"] = External
    app.before_request(auth.enter)
    app.after_request(idempotency.echo)
    app.register_blueprint(health.routes)
    app.register_blueprint(webhooks.routes)
    app.register_blueprint(reference.pages)
    for routes in ROUTES:
        app.register_blueprint(routes, url_prefix="/v1", name=f"api_{routes.name}")
    for rule in list(app.url_map.iter_rules()):
        if rule.rule.startswith("/v1/"):
            app.view_functions[rule.endpoint] = _around(app.view_functions[rule.endpoint])
    absent.register(app)


def refusal(error: HTTPException) -> Response:
    """An error under /v1, as its caller reads it."""
    return errors.refusal(error, shapes.wire)


def _around(view: Callable[..., Any]) -> Callable[..., Response]:
    @wraps(view)
    def answer(**ids: Any) -> Response:
        def act() -> idempotency.Answer:
            with errors.refusals():
                result = view(**ids)
                refuse_unread_query()
            return result if isinstance(result, tuple) else (result, 200)

        if request.method in READS:
            return shapes.response(*act())
        request.get_data(cache=True)  # read now: a slow sender must not hold the lock on the database
        key, asks = idempotency.key(), asking.does(view)
        if key is not None:
            return idempotency.once(key, act, together=not asks)
        with nullcontext() if asks else db.atomic():
            body, status = act()
        return shapes.response(body, status)

    return answer
