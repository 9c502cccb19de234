"""Pages that are rendered ahead, once for each version of what they show, and kept compressed.

`version` names what a page was rendered from; a page of another version is never sent. So nothing can go stale:
what is missing, or was overtaken, is rendered when somebody asks for it, and the worker catches up.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self

from peewee import SQL, BlobField, CharField, ForeignKeyField, IntegerField

from portal.domain import periods
from portal.models.base import EPOCH, DayField, InstantField, Row, db, one, skipping_locked, tuples
from portal.models.customer import Customer, Erased
from portal.models.invoice import OWED, Invoice
from portal.models.opening import COLUMNS, OWNERS, Opened

AT_ONCE = EPOCH  # `due_at` of what has to be rendered now
LEASE = timedelta(minutes=10)  # what a worker took and did not finish is taken again
NEWEST = 10_000  # how many pages of another build are rendered again


class Page:
    """The verbs on rows that keep a page each. The rows are made by the database (models.notices)."""

    owner: ClassVar[Any]  # the primary key
    newest: ClassVar[Any]  # of the owner: what makes it newer than another
    made_from: ClassVar[type[Shown]]
    question: ClassVar[str]  # SQL that asks for it by the owner's id
    select: ClassVar[Any]
    update: ClassVar[Any]
    version: Any
    build: Any
    page: Any
    due_at: Any

    @classmethod
    def take(cls, now: datetime, limit: int) -> list[str]:
        """The ids of up to `limit` owners whose page has to be looked at, for one worker: others take other ones."""
        with db.atomic():
            query = cls.select(cls.owner).where(cls.due_at <= now).order_by(cls.due_at).limit(limit)
            ids = [row[0] for row in tuples(skipping_locked(query))]
            cls.update(due_at=now + LEASE).where(cls.owner.in_(ids)).execute()
        return ids

    @classmethod
    def keep(cls, id: str, build: str, now: datetime, version: str, page: bytes) -> bool:
        """Keeps `page`, unless by now there is something else to show than the `version` it was rendered from."""
        with db.atomic():
            try:
                cls.owner.rel_model(id=id).held()
            except Erased:
                return False
            shown = cls.shown(id)
            if shown is None or shown.version(build, now) != version:
                return False
            changes = {"version": version, "build": build, "page": page, "due_at": shown.changes_at(now)}
            cls.update(**changes).where(cls.owner == id).execute()
        return True

    @classmethod
    def drop(cls, id: str) -> None:
        """Nothing is rendered for this owner until it changes."""
        cls.update(due_at=None, page=None, version="", build="").where(cls.owner == id).execute()

    @classmethod
    def overtaken(cls, build: str) -> int:
        """Has the NEWEST pages looked at again that another build rendered, and says how many those are."""
        others = cls.select(cls.owner).join(cls.owner.rel_model).where(cls.build.not_in(["", build]))
        newest = others.order_by(cls.newest.desc()).limit(NEWEST)
        return int(cls.update(due_at=AT_ONCE).where(cls.owner.in_(newest)).execute())

    @classmethod
    def shown(cls, id: str) -> Shown | None:
        """What the page would be made from, as the worker sees it. None where nobody could open it."""
        return cls.made_from.read(cls.question, id)


class Published(Page, Row):
    """The page of an invoice."""

    invoice = ForeignKeyField(Invoice, primary_key=True)
    invoice_id: str
    version = CharField(max_length=32, default="")
    build = CharField(max_length=16, default="")
    page = BlobField(null=True)  # gzip
    due_at = InstantField(null=True, index=True)  # when to look again; None: when something changes it


class PublishedHome(Page, Row):
    """The account page of a customer, as it stands without a question."""

    customer = ForeignKeyField(Customer, primary_key=True)
    customer_id: str
    version = CharField(max_length=32, default="")
    build = CharField(max_length=16, default="")
    page = BlobField(null=True)  # gzip
    due_at = InstantField(null=True, index=True)  # when to look again; None: when something changes it
    # Counted by the database: whatever the page shows of invoices, usage, credit and subscriptions (models.notices).
    revision = IntegerField(default=0, constraints=[SQL("DEFAULT 0")])


@dataclass(frozen=True, slots=True)
class Shown(ABC):
    """What a page is made from; and the page that is kept."""

    link: Opened
    kept_version: str  # nothing where no page is kept
    page: bytes

    def version(self, build: str, now: datetime) -> str:
        """A name for all that the page shows at `now` when rendered by `build`."""
        link = self.link
        operator = (
            link.account_name,
            link.account_mode,
            link.support_email,
            link.accent_color,
            link.logo,
            link.has_banks,
            link.has_methods,
            link.keeps_methods,
        )
        facts = repr((build, link.locale, *operator, *self.facts(now)))
        return hashlib.blake2b(facts.encode(), digest_size=16).hexdigest()

    @abstractmethod
    def facts(self, now: datetime) -> tuple[object, ...]:
        """What this kind of page shows besides the operator, in the customer's language."""

    @abstractmethod
    def changes_at(self, now: datetime) -> datetime | None:
        """When the page changes by itself. None: never."""

    @classmethod
    def read(cls, sql: str, key: str) -> Self | None:
        row = one(sql, key)
        if row is None:
            return None
        *link, version, page = row[: LINK + 2]
        kept = "" if page is None else version
        return cls(Opened.read(link), kept, bytes(page or b""), *row[LINK + 2 :])


@dataclass(frozen=True, slots=True)
class ShownInvoice(Shown):
    status: str
    due: str | None
    revision: int  # grows with every payment, and with whatever else changes what is owed

    @classmethod
    def of_token(cls, token_id: bytes) -> Self | None:
        """As the holder of an invoice link sees it. One query."""
        return cls.read(OPENS_INVOICE, token_id.hex())

    def facts(self, now: datetime) -> tuple[object, ...]:
        end = self._end()
        return (self.status, self.revision, end is not None and now >= end, self.link.hide_zero_quantity_lines)

    def changes_at(self, now: datetime) -> datetime | None:
        end = self._end()
        return end if end and now < end else None

    def _end(self) -> datetime | None:
        """When its due date is over, while something may be owed."""
        due: date | None = DayField().python_value(self.due)
        if due is None or self.status not in OWED:
            return None
        return periods.midnight(due + timedelta(days=1), self.link.timezone)


@dataclass(frozen=True, slots=True)
class ShownHome(Shown):
    revision: int
    catalog: int

    @classmethod
    def of_token(cls, token_id: bytes) -> Self | None:
        """As the holder of a customer's permanent link sees it. One query."""
        return cls.read(OPENS_HOME, token_id.hex())

    def facts(self, now: datetime) -> tuple[object, ...]:
        today = periods.local_day(now, self.link.timezone)
        return (self.revision, self.catalog, today, self.link.hide_voided_invoices)

    def changes_at(self, now: datetime) -> datetime | None:
        """Every midnight: what is counted, overdue and to come moves on."""
        today = periods.local_day(now, self.link.timezone)
        return periods.midnight(today + timedelta(days=1), self.link.timezone)


# By hand: these run whenever a page is opened (decision 8).
LINK = len(COLUMNS.split(","))
_INVOICE = "p.version, p.page, i.status, i.due_date, i.revision"
_HOME = "p.version, p.page, p.revision, a.catalog"
_NOBODY = "'' AS kid, 0 AS token_exp, NULL AS expires_at, NULL AS ended_at"
OPENS_INVOICE = f"""
SELECT {COLUMNS}, {_INVOICE}
  FROM link l {OWNERS}
  JOIN invoice i ON i.id = l.invoice_id AND i.customer_id = l.customer_id AND i.account_id = l.account_id
  LEFT JOIN published p ON p.invoice_id = i.id
 WHERE l.token_id = ? AND i.status <> 'draft'
"""  # noqa: S608 - our own names
OPENS_HOME = f"""
SELECT {COLUMNS}, {_HOME} FROM link l {OWNERS} JOIN published_home p ON p.customer_id = l.customer_id
 WHERE l.token_id = ?
"""  # noqa: S608 - our own names
ITS_INVOICE = f"""
SELECT {COLUMNS}, {_INVOICE}
  FROM (SELECT '' AS id, 'invoice' AS kind, {_NOBODY}, id AS invoice_id, account_id, customer_id FROM invoice) l
  {OWNERS} JOIN invoice i ON i.id = l.invoice_id LEFT JOIN published p ON p.invoice_id = i.id
 WHERE l.invoice_id = ? AND i.status <> 'draft'
"""  # noqa: S608 - our own names
ITS_CUSTOMER = f"""
SELECT {COLUMNS}, {_HOME}
  FROM (SELECT '' AS id, 'customer' AS kind, {_NOBODY}, NULL AS invoice_id, account_id, id AS customer_id
          FROM customer) l
  {OWNERS} JOIN published_home p ON p.customer_id = l.customer_id
 WHERE l.customer_id = ?
   AND EXISTS (SELECT 1 FROM link k WHERE k.customer_id = p.customer_id AND k.kind = 'customer' AND k.ended_at IS NULL)
"""  # noqa: S608 - our own names

# After the classes: inside them the same field would be two.
Published.owner, Published.newest = Published.invoice, Invoice.invoice_date
Published.made_from, Published.question = ShownInvoice, ITS_INVOICE
PublishedHome.owner, PublishedHome.newest = PublishedHome.customer, Customer.created_at
PublishedHome.made_from, PublishedHome.question = ShownHome, ITS_CUSTOMER
