"""The links of invoices and customers, and portal sessions: what state they are in, fresh ones, and their end."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from portal import current
from portal.api import customers, errors, invoices, paging, shapes
from portal.api.body import Schema, body, query
from portal.api.fields import Text
from portal.domain.expiry import SESSION_MINUTES
from portal.models.customer import Customer
from portal.models.link import Link

routes = Blueprint("links", __name__)

SHORTEST, LONGEST = SESSION_MINUTES


class Ending(Schema):
    reason: Text | None = None


class NewSession(Schema):
    accepted = frozenset({"id", "customer_id", "created_at", "expires_at", "url"})

    expires_in_minutes: Annotated[int, Field(ge=SHORTEST, le=LONGEST)] = 60
    invalidate_existing: bool = True


# The link of an invoice.


@routes.get("/invoices/<id>/portal_link")
def invoice_link(id: str) -> dict[str, Any]:
    return _of_invoice(invoices.by_id(id).id)


@routes.post("/invoices/<id>/portal_link")
def refresh(id: str) -> tuple[dict[str, Any], int]:
    body(invoices.Nothing)
    invoice = invoices.by_id(id)
    account, kid = current.account(), current.keyring().active
    Link.reissue(invoice, account, invoice.customer.timezone, current.now(), kid, current.actor())
    return _of_invoice(invoice.id), 201


@routes.delete("/invoices/<id>/portal_link")
def revoke_invoice_link(id: str) -> dict[str, Any]:
    given = body(Ending)
    invoice = invoices.by_id(id).held()  # a refresh at the same time is over, or waits: what it made ends too
    _revoke(Link.of_invoice(invoice.id), given)
    return _of_invoice(invoice.id)


# The permanent link of a customer.


@routes.get("/customers/<id>/portal_link")
def customer_link(id: str) -> dict[str, Any]:
    return _of_customer(customers.by_id(id).id)


@routes.post("/customers/<id>/portal_link")
def rotate(id: str) -> tuple[dict[str, Any], int]:
    body(invoices.Nothing)
    customer = customers.by_id(id)
    Link.rotate(customer, current.now(), current.keyring().active, current.actor())
    return _of_customer(customer.id), 201


@routes.delete("/customers/<id>/portal_link")
def revoke_customer_link(id: str) -> dict[str, Any]:
    given = body(Ending)
    customer = customers.by_id(id).held()
    _revoke(Link.of_customer(customer.id), given)
    return _of_customer(customer.id)


# Portal sessions.


@routes.post("/customers/<id>/portal_sessions")
def start(id: str) -> tuple[dict[str, Any], int]:
    return _started(customers.by_id(id))


@routes.post("/customers/external_customer_id/<external:external_id>/portal_sessions")
def start_by_external_id(external_id: str) -> tuple[dict[str, Any], int]:
    return _started(customers.by_external_id(external_id))


@routes.get("/customers/<id>/portal_sessions")
def sessions(id: str) -> dict[str, Any]:
    """The sessions that open now. Their URLs are told once, when they start."""
    live = Link.live_sessions(customers.by_id(id).id, current.now())
    order = (Link.created_at, Link.id)
    return paging.page(live, order, query(paging.Paged), lambda rows: [{**_session(row), "url": None} for row in rows])


@routes.delete("/customers/<id>/portal_sessions")
def end_all(id: str) -> dict[str, int]:
    given = body(Ending)
    ended = Link.end_sessions(customers.by_id(id), current.now(), current.actor(), given.reason)
    return {"ended": ended}


@routes.delete("/customers/<id>/portal_sessions/<session_id>")
def end(id: str, session_id: str) -> dict[str, Any]:
    given = body(Ending)
    customer = customers.by_id(id).held()
    same = (Link.id == session_id, Link.customer == customer, Link.kind == "session")
    session = Link.select().where(*same).first()
    if session is None:
        raise errors.not_found("PortalSession")
    _revoke(session, given)
    return {"ended": 0 if session.ended_at else 1}


def _started(customer: Customer) -> tuple[dict[str, Any], int]:
    given = body(NewSession)
    link = Link.start_session(
        customer,
        current.now(),
        current.keyring().active,
        current.actor(),
        minutes=given.expires_in_minutes,
        invalidate_existing=given.invalidate_existing,
    )
    return _session(link), 201


def _revoke(link: Link | None, given: Ending) -> None:
    if link is not None:
        link.revoke(current.now(), current.actor(), given.reason)


def _session(link: Link) -> dict[str, Any]:
    return {
        "id": link.id,
        "customer_id": link.customer_id,
        "created_at": shapes.stamp(link.created_at),
        "expires_at": shapes.stamp(link.expires_at),
        "url": shapes.link_url(link),
    }


def _of_invoice(id: str) -> dict[str, Any]:
    return _state(Link.of_invoice(id), Link.history("invoice", id))


def _of_customer(id: str) -> dict[str, Any]:
    return _state(Link.of_customer(id), Link.history("customer", id))


def _state(link: Link | None, ended: list[Link]) -> dict[str, Any]:
    return {"link": _shape(link) if link else None, "history": [_ended(one) for one in ended]}


def _shape(link: Link) -> dict[str, Any]:
    return {
        "id": link.id,
        "kind": link.kind,
        "status": _status(link),
        "url": shapes.link_url(link),
        "created_at": shapes.stamp(link.created_at),
        "created_by": link.created_by,
        "expires_at": shapes.stamp(link.expires_at),
    }


def _status(link: Link) -> str:
    """`unavailable`: the link has not ended, but its key is no longer in the ring."""
    if link.expired(current.now()):
        return "expired"
    return "live" if shapes.opens(link) else "unavailable"


def _ended(link: Link) -> dict[str, Any]:
    return {
        "id": link.id,
        "created_at": shapes.stamp(link.created_at),
        "created_by": link.created_by,
        "ended_at": shapes.stamp(link.ended_at),
        "ended_by": link.ended_by,
        "ended_how": link.ended_how,
        "reason": link.reason,
    }
