"""Links and sessions, as they are answered."""

from __future__ import annotations

from typing import Literal

from portal.api.answers.kinds import Answer, Count, Id, Page, Stamp, Url, said


class Link(Answer):
    """The link that there is now."""

    id: Id
    kind: Literal["invoice", "customer", "session"]
    status: Literal["live", "expired", "unavailable"] = said("`unavailable`: its key is no longer in the ring.", "live")
    url: Url | None = said("The same every time; null while it does not open.", "https://pay.acme.example/i/eyJ…/")
    created_at: Stamp
    created_by: str = said("Who made it.", "api:XimGiw3pnsgusvc3")
    expires_at: Stamp | None = said("Null for a permanent link.", "2027-01-22T04:59:59+00:00")


class EndedLink(Answer):
    """A link that was. Its URL is told nowhere."""

    id: Id
    created_at: Stamp
    created_by: str = said("Who made it.", "api:XimGiw3pnsgusvc3")
    ended_at: Stamp | None
    ended_by: str | None = said("Who ended it.", "api:XimGiw3pnsgusvc3")
    ended_how: str | None = said("How it ended.", "revoked")
    reason: str | None = said("As it was given.", "sent to the wrong person")


class LinkState(Answer):
    """The link of an invoice or a customer, and those before it, newest first."""

    link: Link | None
    history: list[EndedLink]


class Session(Answer):
    """A portal session: a short-lived link to a customer's account."""

    id: Id
    customer_id: Id
    created_at: Stamp
    expires_at: Stamp | None
    url: Url | None = said("Told once, when it starts.", "https://pay.acme.example/s/eyJ…/")


class Ended(Answer):
    ended: Count = said("How many sessions this call has ended.", 1)


SessionPage = Page[Session]
