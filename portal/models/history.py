"""A customer's invoices as she sees them: those that ask for something, and all of them, newest first, by key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Self

from peewee import JOIN, SQL, Tuple, fn

from portal.domain.periods import local_day, midnight
from portal.domain.settlement import FAILED, LIVE, ON_ITS_WAY
from portal.domain.statuses import shown
from portal.models.base import instant, micros
from portal.models.customer import BalanceTransaction
from portal.models.invoice import OPEN, Invoice, owed, settlement
from portal.models.owing import Owing
from portal.models.standing import standing

NEVER = "9999-12-31"  # a due date after all others
FILTERS = ("unpaid", "overdue", "payment_failed", "processing", "paid", "void")

STANDINGS = {"payment_failed": FAILED, "processing": ON_ITS_WAY}  # of the latest payment


class Key(NamedTuple):
    """Where in the history an invoice stands."""

    micros: int  # of its date
    id: str

    @classmethod
    def read(cls, text: str) -> Self:
        """The key that `str` wrote. Raises ValueError."""
        moment, _, id = text.partition(".")
        return cls(int(moment), id)

    def __str__(self) -> str:
        return f"{self.micros}.{self.id}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One invoice in a list: what a row shows, without its document."""

    id: str
    number: str
    status: str  # domain.statuses.SHOWN
    currency: str
    key: Key
    day: date  # of the invoice, like every day here in the customer's time zone
    due_date: date | None
    total: int  # minor units
    remaining: int
    standing: str | None = None  # of its latest payment

    @property
    def is_on_its_way(self) -> bool:
        """May a payment of it still succeed?"""
        return self.standing in LIVE


@dataclass(frozen=True, slots=True)
class Asked:
    """Which invoices of the history somebody wants to see."""

    number: str = ""  # a part of it
    status: str = ""  # one of FILTERS, or all
    year: int | None = None  # in the customer's time zone
    older_than: Key | None = None
    newer_than: Key | None = None


@dataclass(frozen=True, slots=True)
class Page:
    entries: list[Entry]
    older: Key | None  # ask for what is older than this; None on the last page
    newer: Key | None


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of the customer's credit, and the invoice behind it where she may see that."""

    day: date
    action: str
    amount: int  # minor units; negative where it was taken
    ending_balance: int
    invoice_id: str | None
    number: str | None


@dataclass(frozen=True, slots=True)
class History:
    """The invoices of one customer that she may see: no drafts, and no void ones where the account hides them."""

    customer_id: str
    timezone: str
    today: date
    hides_void: bool = False

    def page(self, asked: Asked, size: int) -> Page:
        """`size` invoices next to the key that was asked for, newest first. One query."""
        backwards = asked.newer_than is not None
        query = _select().where(*self._seen(), *self._wanted(asked))
        order = (Invoice.invoice_date, Invoice.id) if backwards else (Invoice.invoice_date.desc(), Invoice.id.desc())
        found = self._entries(query.order_by(*order).limit(size + 1))
        entries, more = found[:size], len(found) > size
        if backwards:
            entries.reverse()
        return Page(
            entries,
            older=entries[-1].key if entries and (more or backwards) else None,
            newer=entries[0].key if entries and (more if backwards else asked.older_than) else None,
        )

    def years(self) -> list[int]:
        """The years that have invoices, newest first, and those between. One query."""
        ends = [
            Invoice.select(Invoice.invoice_date)
            .where(*self._seen())
            .order_by(Invoice.invoice_date.asc() if first else Invoice.invoice_date.desc())
            .limit(1)
            for first in (True, False)
        ]
        once: Any = Invoice.select(*ends).from_(SQL("(SELECT 1) AS once")).tuples()
        ((oldest, newest),) = once
        if oldest is None:
            return []
        first, last = (self._day(end).year for end in (oldest, newest))
        return list(range(last, first - 1, -1))

    def owing(self, size: int) -> tuple[list[Entry], list[Owing]]:
        """The first `size` invoices that ask for money, the longest due first, and what all of them ask for.

        Amounts are added for each currency by itself. Two queries.
        """
        open_ = (Invoice.customer == self.customer_id, OPEN, _left() > 0)
        soonest = (Invoice.due_date.asc(nulls="LAST"), Invoice.invoice_date, Invoice.id)
        entries = self._entries(_select().where(*open_).order_by(*soonest).limit(size))
        return entries, Owing.of(self.customer_id)

    def movements(self, size: int) -> list[Movement]:
        """The latest `size` movements of the credit, newest first. One query."""
        seen = (Invoice.id == BalanceTransaction.invoice_id) & Invoice.status.not_in(self._hidden)
        moved = (
            BalanceTransaction.created_at,
            BalanceTransaction.action,
            BalanceTransaction.starting_balance,
            BalanceTransaction.ending_balance,
        )
        rows: Any = (
            BalanceTransaction.select(*moved, Invoice.id, Invoice.number)
            .join(Invoice, JOIN.LEFT_OUTER, on=seen)
            .where(BalanceTransaction.customer == self.customer_id)
            .order_by(BalanceTransaction.created_at.desc(), BalanceTransaction.id.desc())
            .limit(size)
        )
        return [
            Movement(self._day(at), action, after - before, after, id, number)
            for at, action, before, after, id, number in rows.tuples()
        ]

    @property
    def _hidden(self) -> tuple[str, ...]:
        return ("draft", "void") if self.hides_void else ("draft",)

    def _seen(self) -> Iterable[Any]:
        return (Invoice.customer == self.customer_id, Invoice.status.not_in(self._hidden))

    def _entries(self, query: Any) -> list[Entry]:
        return [
            self._entry(id, number, currency, at, due, total, owed(status, amount_due, int(settled)), status, stands)
            for id, number, status, currency, at, due, total, amount_due, settled, stands in query.tuples()
        ]

    def _entry(
        self,
        id: str,
        number: str,
        currency: str,
        at: Any,
        due: date | None,
        total: int,
        remaining: int,
        status: str,
        stands: str | None,
    ) -> Entry:
        word, moment = shown(status, due, self.today, remaining, stands), _instant(at)
        key = Key(micros(moment), id)
        return Entry(id, number, word, currency, key, self._day(moment), due, total, remaining, stands)

    def _day(self, at: Any) -> date:
        return local_day(_instant(at), self.timezone)

    def _wanted(self, asked: Asked) -> Iterable[Any]:
        if asked.status in ("unpaid", "overdue", *STANDINGS):
            yield OPEN & (_left() > 0)
        if asked.status in STANDINGS:
            yield standing().in_(STANDINGS[asked.status])
        if asked.status == "overdue":
            # In words that no index answers: hers by date has the order that is wanted, the one by due date has not.
            yield fn.COALESCE(Invoice.due_date, NEVER) < self.today.isoformat()
        if asked.status == "paid":
            yield (Invoice.status == "paid") | (OPEN & (_left() <= 0))
        if asked.status == "void":
            yield Invoice.status == "void"
        if asked.number:
            yield Invoice.number.contains(asked.number)
        if asked.year:
            yield Invoice.invoice_date >= midnight(date(asked.year, 1, 1), self.timezone)
            yield Invoice.invoice_date < midnight(date(asked.year + 1, 1, 1), self.timezone)
        if asked.older_than:
            yield _position() < Tuple(*asked.older_than)
        if asked.newer_than:
            yield _position() > Tuple(*asked.newer_than)


def _position() -> Any:
    return Tuple(Invoice.invoice_date, Invoice.id)


def _left() -> Any:
    return Invoice.amount_due - settlement()


def _select() -> Any:
    return Invoice.select(
        Invoice.id,
        Invoice.number,
        Invoice.status,
        Invoice.currency,
        Invoice.invoice_date,
        Invoice.due_date,
        Invoice.total,
        Invoice.amount_due,
        settlement(),
        standing(),
    )


def _instant(value: Any) -> datetime:
    return value if isinstance(value, datetime) else instant(value)
