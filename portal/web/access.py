"""A visitor holds a token; here it becomes a scope: what this one link may see, and nothing besides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from flask import g, request
from werkzeug.exceptions import Gone, NotFound, TooManyRequests

from portal import current
from portal.domain import periods
from portal.models import opening
from portal.models.invoice import Invoice
from portal.models.link import ON_PURPOSE, Link
from portal.models.opening import Opened
from portal.rates import BAD_TOKENS
from portal.tokens import BadToken, Kind, Sealed


class Closed(Gone):
    """A link that we made and that opens no more. `link` is None where even its row is gone."""

    def __init__(self, link: Opened | None, may_ask: bool) -> None:
        super().__init__()
        self.link, self.may_ask = link, may_ask


@dataclass(frozen=True, slots=True)
class Scope:
    """What an open link reaches. Pages read through it, and never past it."""

    link: Opened

    @property
    def pays(self) -> bool:
        """Is there any way to pay here: a gateway of the account's mode, or an account to transfer money to?"""
        return self.link.has_methods and (self.link.has_banks or self._by_gateway)

    @property
    def keeps_methods(self) -> bool:
        """Can a payer let her payment method be stored here?"""
        return self.link.keeps_methods and self.link.has_methods and self._by_gateway

    @property
    def _by_gateway(self) -> bool:
        gateway = current.gateway()
        return gateway is not None and gateway.live == (self.link.account_mode == "live")

    @property
    def today(self) -> date:
        """The day it is where the customer lives."""
        return periods.local_day(current.now(), self.link.timezone)

    @property
    def hidden(self) -> list[str]:
        """The statuses of the invoices that it does not reach."""
        return ["draft", "void"] if self.link.hide_voided_invoices and not self.link.invoice_id else ["draft"]

    def invoice(self, id: str | None = None) -> Invoice:
        """The link's own invoice, or the customer's invoice `id`. Raises NotFound: also for drafts and hidden ones."""
        found = (
            Invoice.select()
            .where(
                Invoice.id == (self.link.invoice_id or id),
                Invoice.customer == self.link.customer_id,
                Invoice.account == self.link.account_id,
                Invoice.status.not_in(self.hidden),
            )
            .first()
        )
        if found is None:
            raise NotFound
        return found


def open_link(token: str, kind: Kind) -> Scope:
    """The scope of a link that opens now. Raises NotFound, Closed, and TooManyRequests for who guesses on and on."""
    sealed = proven(token, kind)
    found = named(sealed, kind)
    if found is None and not _over(sealed, current.now()):
        raise _unknown()
    if found is None or not opens(sealed, found, current.now()):
        raise closed(found)  # over, whatever the row says: it is only asked whom to turn to
    g.link, g.actor = found, f"visitor:{found.id}"
    return Scope(found)


def just_over(token: str, kind: Kind) -> Opened | None:
    """The session that a token names, where nothing but time has ended it."""
    sealed = proven(token, kind)
    found = named(sealed, kind)
    if kind != "session" or found is None or found.ended or found.account_closed or sealed.recover:
        return None
    return found


def closed(found: Opened | None) -> Closed:
    """That a link which we made opens no more."""
    g.link = found
    return Closed(found, may_ask=found is not None and not found.account_closed and not _revoked(found))


def proven(token: str, kind: Kind) -> Sealed:
    """What we once sealed into this text for this kind of link; no database so far. Raises NotFound."""
    try:
        sealed: Sealed = current.keyring().unseal(kind, token)
    except BadToken:
        raise _unknown() from None
    return sealed


def named(sealed: Sealed, kind: Kind) -> Opened | None:
    """The row that a token names, live or not: one query."""
    found = opening.opened(sealed.token_id)
    return found if found and found.is_named_by(kind, sealed.kid, sealed.exp) else None


def opens(sealed: Sealed, found: Opened, now: datetime) -> bool:
    """Does the link `found`, which the token `sealed` names, open now? The one rule, for every page, kept or not."""
    return not (_over(sealed, now) or sealed.recover) and found.opens(now)


def can_be_named(*names: str) -> bool:
    """Could anything be called that? PostgreSQL has no text with NUL in it."""
    return not any("\0" in name for name in names)


def _over(sealed: Sealed, now: datetime) -> bool:
    """Is the end past that was sealed into the token?"""
    return bool(sealed.exp) and now >= datetime.fromtimestamp(sealed.exp, UTC)


def _unknown() -> Exception:
    """The one answer to every token that names nothing; too many of them from one address have to wait."""
    wait = current.rates().hit(BAD_TOKENS, f"bad token:{request.remote_addr}")
    return TooManyRequests(retry_after=wait) if wait else NotFound()


def _revoked(found: Opened) -> bool:
    """Was the newest link of this invoice or customer ended on purpose?"""
    same: Any = Link(kind=found.kind, invoice=found.invoice_id, customer=found.customer_id)
    return bool(same.newest().ended_how == ON_PURPOSE)
