"""An invoice's page, rendered once for each version of what it shows, and kept compressed.

`version` names what a page was rendered from; a page of another version is never sent. So nothing can go stale:
what is missing, or was overtaken, is rendered when somebody asks for it, and the worker catches up.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from peewee import BlobField, CharField, ForeignKeyField

from portal.domain import periods
from portal.models.base import EPOCH, DayField, InstantField, Row, db, one, skipping_locked, tuples
from portal.models.invoice import OWED, Invoice
from portal.models.link import COLUMNS, OWNERS, Opened

AT_ONCE = EPOCH  # `due_at` of what has to be rendered now
LEASE = timedelta(minutes=10)  # what a worker took and did not finish is taken again
NEWEST = 10_000  # how many pages are rendered again at once where all look different: a new build, another colour


class Published(Row):
    invoice = ForeignKeyField(Invoice, primary_key=True)
    invoice_id: str
    version = CharField(max_length=32, default="")
    build = CharField(max_length=16, default="")
    page = BlobField(null=True)  # gzip
    due_at = InstantField(null=True, index=True)  # when to look again; None: when something changes it

    @classmethod
    def take(cls, now: datetime, limit: int) -> list[str]:
        """The ids of up to `limit` invoices whose page has to be looked at, for one worker: others take other ones."""
        with db.atomic():
            query = cls.select(cls.invoice).where(cls.due_at <= now).order_by(cls.due_at).limit(limit)
            ids = [row[0] for row in tuples(skipping_locked(query))]
            cls.update(due_at=now + LEASE).where(cls.invoice.in_(ids)).execute()
        return ids

    @classmethod
    def overtaken(cls, build: str) -> int:
        """Has the NEWEST pages looked at again that another build rendered, and says how many those are."""
        others = cls.select(cls.invoice).join(Invoice).where(cls.build.not_in(["", build]))
        newest = others.order_by(Invoice.invoice_date.desc()).limit(NEWEST)
        return int(cls.update(due_at=AT_ONCE).where(cls.invoice.in_(newest)).execute())

    @classmethod
    def keep(cls, invoice_id: str, build: str, now: datetime, version: str, page: bytes) -> bool:
        """Keeps `page`, unless the invoice shows something else by now than the `version` it was rendered from."""
        with db.atomic():
            Invoice(id=invoice_id).held()
            shown = Shown.of_invoice(invoice_id)
            if shown is None or shown.version(build, now) != version:
                return False
            changes = {"version": version, "build": build, "page": page, "due_at": shown.changes_at(now)}
            cls.update(**changes).where(cls.invoice == invoice_id).execute()
        return True

    @classmethod
    def drop(cls, invoice_id: str) -> None:
        """Nothing is rendered for this invoice until it changes."""
        cls.update(due_at=None, page=None, version="", build="").where(cls.invoice == invoice_id).execute()


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of an invoice is made from, besides its frozen document; and the page that is kept."""

    link: Opened
    status: str
    due_date: date | None
    revision: int  # grows with every payment, and with whatever else changes what is owed
    kept_version: str  # nothing where no page is kept
    page: bytes

    def version(self, build: str, now: datetime) -> str:
        """A name for all that the page shows at `now` when rendered by `build`."""
        link = self.link
        facts = (
            build,
            link.locale,
            link.account_name,
            link.account_mode,
            link.support_email,
            link.accent_color,
            link.logo,
            link.hide_zero_quantity_lines,
            self.status,
            self.revision,
            self._late(now),
        )
        return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()

    def changes_at(self, now: datetime) -> datetime | None:
        """When the page changes by itself: after its due date. None: never."""
        if self.status not in OWED or self.due_date is None:
            return None
        end = periods.midnight(self.due_date + timedelta(days=1), self.link.timezone)
        return end if now < end else None

    @classmethod
    def of_invoice(cls, invoice_id: str) -> Self | None:
        """As the worker sees it, who holds no link. None for a draft."""
        return cls._read(OF_INVOICE, invoice_id)

    @classmethod
    def of_token(cls, token_id: bytes) -> Self | None:
        """As the holder of an invoice link sees it. One query."""
        return cls._read(OF_TOKEN, token_id.hex())

    @classmethod
    def _read(cls, sql: str, key: str) -> Self | None:
        row = one(sql, key)
        if row is None:
            return None
        *link, status, due, revision, version, page = row
        day = DayField().python_value(due)
        return cls(Opened.read(link), status, day, revision, version if page else "", bytes(page or b""))

    def _late(self, now: datetime) -> bool:
        if self.status not in OWED or self.due_date is None:
            return False
        return self.due_date < periods.local_day(now, self.link.timezone)


_SHOWN = "i.status, i.due_date, i.revision, p.version, p.page"
_PAGE = "LEFT JOIN published p ON p.invoice_id = i.id"
# By hand: this runs whenever an invoice is opened (decision 8).
OF_TOKEN = f"""
SELECT {COLUMNS}, {_SHOWN}
  FROM link l {OWNERS}
  JOIN invoice i ON i.id = l.invoice_id AND i.customer_id = l.customer_id AND i.account_id = l.account_id {_PAGE}
 WHERE l.token_id = ? AND i.status <> 'draft'
"""  # noqa: S608 - our own names
OF_INVOICE = f"""
SELECT {COLUMNS}, {_SHOWN}
  FROM (SELECT '' AS id, 'invoice' AS kind, '' AS kid, 0 AS token_exp, NULL AS expires_at, NULL AS ended_at,
               id AS invoice_id, account_id, customer_id FROM invoice) l {OWNERS}
  JOIN invoice i ON i.id = l.invoice_id {_PAGE}
 WHERE l.invoice_id = ? AND i.status <> 'draft'
"""  # noqa: S608 - our own names
