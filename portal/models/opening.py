"""Opening a link: one query says whether it opens, and what every page of its owners shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from portal.models.base import JsonField, instant, one


@dataclass(frozen=True, slots=True)
class Opened:
    """What the one query of an opened link brings: the link, and as much of its owners as every page shows."""

    id: str
    kind: str
    kid: str
    token_exp: int
    expires_at: datetime | None
    ended: bool
    account_id: str
    account_name: str
    account_closed: bool
    account_mode: str
    support_email: str | None
    accent_color: str
    embed_origins: list[str]
    hide_voided_invoices: bool
    hide_zero_quantity_lines: bool
    customer_id: str
    customer_name: str
    timezone: str
    locale: str | None
    invoice_id: str | None
    logo: str | None  # its digest
    has_banks: bool  # does the account take bank transfers?
    has_methods: bool  # may its invoices be paid by any method?
    keeps_methods: bool  # may, or must, payers let theirs be stored?

    @classmethod
    def read(cls, row: Sequence[Any]) -> Self:
        """From a row of COLUMNS."""
        id, kind, kid, token_exp, expires_at, ended_at, account_id, name, closed_at, mode, *rest = row
        email, color, origins, hide_void, hide_zero, customer_id, *rest = rest
        customer, timezone, locale, invoice_id, logo, banks, methods, keeps = rest
        return cls(
            id,
            kind,
            kid,
            token_exp,
            None if expires_at is None else instant(expires_at),
            ended_at is not None,
            account_id,
            name,
            closed_at is not None,
            mode,
            email,
            color,
            [] if origins == "[]" else JsonField().python_value(origins),
            bool(hide_void),
            bool(hide_zero),
            customer_id,
            customer,
            timezone,
            locale,
            invoice_id,
            logo,
            bool(banks),
            bool(methods),
            bool(keeps),
        )

    def opens(self, now: datetime) -> bool:
        """Has it neither been ended nor expired, and is its account open?"""
        expired = self.expires_at is not None and now >= self.expires_at
        return not (self.ended or expired or self.account_closed)

    def is_named_by(self, kind: str, kid: str, exp: int) -> bool:
        """Is it the very link that a token of this kind, key and end was sealed for?"""
        return (self.kind, self.kid, self.token_exp) == (kind, kid, exp)


# By hand: this runs for every page, and the ORM takes ten to thirty times as long (decision 8).
COLUMNS = """l.id, l.kind, l.kid, l.token_exp, l.expires_at, l.ended_at, l.account_id, a.name, a.closed_at, a.mode,
       a.support_email, a.accent_color, a.embed_origins, a.hide_voided_invoices, a.hide_zero_quantity_lines,
       l.customer_id, c.name, c.timezone, c.locale, l.invoice_id, g.digest, a.bank_accounts <> '[]',
       (a.payment_methods IS NULL OR a.payment_methods <> '[]'), a.save_payment_method <> 'off'"""
OWNERS = """JOIN customer c ON c.id = l.customer_id JOIN account a ON a.id = l.account_id
  LEFT JOIN logo g ON g.account_id = a.id"""
OPEN = f"SELECT {COLUMNS} FROM link l {OWNERS} WHERE l.token_id = ?"  # noqa: S608 - our own names


def opened(token_id: bytes) -> Opened | None:
    """The link row that a token names, live or not, or None."""
    row = one(OPEN, token_id.hex())
    return None if row is None else Opened.read(row)
