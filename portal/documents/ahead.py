"""An upcoming bill as it lies before the customer: what is fixed, what changed, when it is issued, what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self

from portal.documents.line import Line
from portal.documents.totals import Change, Tax, changes, taxes
from portal.domain import periods
from portal.models.billed import first_said
from portal.models.customer import Customer
from portal.models.drafting import GRACE
from portal.models.subscription import Subscription
from portal.models.threshold import Part
from portal.models.upcoming import Upcoming


@dataclass(frozen=True, slots=True)
class Note:
    """What is said of one line besides its numbers."""

    grows: bool  # does it depend on use?
    ahead: bool  # is it paid for days after the bill is made?
    dated: bool  # are its days others than those of the bill?
    since_yesterday: int  # minor units, before credits and what was billed already


@dataclass(frozen=True, slots=True)
class Moved:
    """What the sums have changed by since the end of yesterday, in minor units."""

    total: int
    subtotal: int
    credits: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """One upcoming bill."""

    bill: Upcoming
    timezone: str
    by_itself: bool  # or will somebody have to issue it?
    lines: list[Line]
    changes: list[Change]
    taxes: list[Tax]
    notes: dict[str, Note]
    moved: Moved | None  # None where yesterday was no day of it
    balance: int  # minor units of the customer's balance that are taken off it; negative for a debt that is added

    @classmethod
    def of(cls, bill: Upcoming, customer: Customer, balance: int) -> Self:
        """As `customer` sees it, of whose balance `balance` is still there."""
        lines: list[Any] = bill.document["lines"] if bill.document else []
        return cls(
            bill=bill,
            timezone=customer.timezone,
            by_itself=bool(first_said(bill.subscription.auto_issuance, customer.auto_issuance, True)),
            lines=[Line.of(line) for line in lines],
            changes=changes(lines),
            taxes=taxes(lines),
            notes=_notes(bill, lines),
            moved=_moved(bill),
            balance=_balance(bill, customer, balance),
        )

    @property
    def document(self) -> Any:
        """domain.document.Document, or None where the bill cannot be worked out ahead of time."""
        return self.bill.document

    @property
    def subscription(self) -> Subscription:
        return self.bill.subscription

    @property
    def last(self) -> date:
        """The last day of the period, as people read one."""
        return self.bill.period.end - timedelta(days=1)

    @property
    def issued_at(self) -> datetime:
        """When it can be issued: after late usage was counted, where there may be some."""
        begins = periods.midnight(self.bill.issued_on, self.timezone)
        return begins + GRACE if self.bill.metered else begins

    @property
    def grace_hours(self) -> int:
        return GRACE // timedelta(hours=1)

    @property
    def issued_on(self) -> date:
        return periods.local_day(self.issued_at, self.timezone)

    @property
    def fixed(self) -> int:
        """What is certain already of the subtotal, in minor units: the lines that do not depend on use."""
        return sum(line.subtotal for line in self.lines if not self.notes[line.id].grows)

    @property
    def grown(self) -> int:
        """What the use of the period has come to so far."""
        return sum(line.subtotal for line in self.lines if self.notes[line.id].grows)

    @property
    def kinds(self) -> set[bool]:
        """Do its lines grow? Some may, and some may not."""
        return {note.grows for note in self.notes.values()}

    @property
    def left(self) -> int:
        """What would be left to pay, in minor units."""
        return int(self.document["total"]) - self.balance

    @property
    def adds_up(self) -> bool:
        """Is there more to say than the total?"""
        more = self.changes or self.taxes or self.document["credits"] or self.document["partially_invoiced"]
        return len(self.lines) > 1 or bool(more)

    @property
    def billed_before(self) -> list[Part]:
        """The invoices that have billed some of it, as far as they can be seen."""
        return [part for part in self.bill.parts if part.number]


def _notes(bill: Upcoming, lines: list[Any]) -> dict[str, Note]:
    before = {line["id"]: line for line in (bill.yesterday or {"lines": []})["lines"]}
    found = {}
    for line in lines:
        start, end = date.fromisoformat(line["start"]), date.fromisoformat(line["end"])
        found[line["id"]] = Note(
            grows=line["price"]["price_type"] == "usage_price",
            ahead=start >= bill.issued_on,
            dated=(start, end) != (bill.period.start, bill.period.end),
            since_yesterday=_grown(line, before.get(line["id"])),
        )
    return found


def _grown(now: Any, then: Any) -> int:
    """Without the odd cent that goes from line to line where a discount is shared out."""
    if then is None:
        return 0
    change = int(now["adjusted_subtotal"] - then["adjusted_subtotal"])
    return change if abs(change) > 1 or now["subtotal"] != then["subtotal"] else 0


def _moved(bill: Upcoming) -> Moved | None:
    now, then = bill.document, bill.yesterday
    if now is None or then is None:
        return None
    return Moved(now["total"] - then["total"], now["subtotal"] - then["subtotal"], now["credits"] - then["credits"])


def _balance(bill: Upcoming, customer: Customer, balance: int) -> int:
    """As much of it as the bill takes; of a negative one nothing, which becomes a credit itself."""
    if bill.document is None or customer.currency != bill.document["currency"] or bill.document["total"] < 0:
        return 0
    return min(balance, bill.document["total"])
