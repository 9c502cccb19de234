"""What remains to be done with a link that opens no more: whom to turn to, and a button that mails a fresh one."""

from __future__ import annotations

from contextlib import suppress

from flask import Response, g, make_response, request

from portal import current
from portal.models.base import db
from portal.models.customer import Customer, Erased
from portal.models.outbox import Letter
from portal.tokens import Kind
from portal.web import access, brand, headers
from portal.web.fragments import told


def closed(error: access.Closed) -> Response:
    """This link is no longer active; the same to the byte for each account, whatever ended it."""
    operator = brand.of(error.link) if error.link else None
    return told("link/closed.html", "link/_closed.html", status=410, brand=operator, may_ask=error.may_ask)


def fresh(token: str, kind: Kind) -> Response:
    """Queues "mail me a fresh link", and says the same whatever comes of it. The worker decides about that."""
    headers.refuse_strangers()
    asked = g.link = access.named(access.proven(token, kind), kind)  # for the headers: a host that framed the button
    if asked:
        with db.atomic(), suppress(Erased):
            customer = Customer(id=asked.customer_id).held()  # so that two at once are counted one after the other
            Letter.ask_fresh_link(asked.id, customer, current.now())
    return told("link/asked.html", "link/_asked.html", status=202, brand=None)


def with_slash() -> Response:
    """To the same address with its last slash, where relative links hold no token."""
    response = make_response("", 302)
    query = request.query_string.decode("ascii", "ignore")
    response.headers["Location"] = f"{request.script_root}{request.path}/{'?' + query if query else ''}"
    return response
