"""Links and sessions, described."""

from __future__ import annotations

from portal.api import invoices, links, paging
from portal.api.answers.link import Ended, LinkState, Session, SessionPage
from portal.api.reference.call import Call, Section

WHY = {"reason": "sent to the wrong person"}
START = (
    "A short-lived link to the customer's account. With `invalidate_existing` all her other live sessions end in the "
    "same moment; her permanent link is never touched. The URL is told once."
)
FOR_AN_HOUR = {"expires_in_minutes": 60, "invalidate_existing": True}

LINKS = Section(
    "Links",
    "The link of each invoice and the permanent link of each customer: their state, fresh ones, and their end. Ours.",
    {
        links.invoice_link: Call("Show the link of an invoice", LinkState),
        links.refresh: Call(
            "Refresh the link of an invoice",
            LinkState,
            "Makes a fresh one; the old one stops at once.",
            status=201,
            body=invoices.Nothing,
            example={},
            refused="A draft has no link; issue the invoice first.",
        ),
        links.revoke_invoice_link: Call(
            "Revoke the link of an invoice",
            LinkState,
            "From the moment this returns nobody serves it. May be repeated.",
            body=links.Ending,
            example=WHY,
        ),
        links.customer_link: Call("Show the permanent link of a customer", LinkState),
        links.rotate: Call(
            "Rotate the permanent link of a customer",
            LinkState,
            "Makes another one, or the first; the old one stops at once.",
            status=201,
            body=invoices.Nothing,
            example={},
            refused="This account gives out sessions only.",
        ),
        links.revoke_customer_link: Call(
            "Revoke the permanent link of a customer", LinkState, "May be repeated.", body=links.Ending, example=WHY
        ),
    },
)

SESSIONS = Section(
    "Portal sessions",
    "Links that last for minutes, for a visit from within your own app.",
    {
        links.start: Call("Start a session", Session, START, status=201, body=links.NewSession, example=FOR_AN_HOUR),
        links.start_by_external_id: Call(
            "Start a session by your id", Session, START, status=201, body=links.NewSession, example=FOR_AN_HOUR
        ),
        links.sessions: Call(
            "List live sessions", SessionPage, "Those that open now; `url` is null. Ours.", query=paging.Paged
        ),
        links.end_all: Call("End all sessions", Ended, "Ours.", body=links.Ending, example=WHY),
        links.end: Call("End a session", Ended, "Ours. May be repeated.", body=links.Ending, example=WHY),
    },
)
