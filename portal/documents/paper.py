"""An invoice as it lies before the customer. Pages and formats read this, so what is not here is shown nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Self

from portal.documents.line import Line
from portal.documents.totals import Change, Tax, changes, taxes
from portal.domain import periods, reconciling, statuses
from portal.domain.reconciling import Check
from portal.domain.settlement import LIVE
from portal.models.credit_note import CreditNote
from portal.models.invoice import Invoice, owed
from portal.models.payment import KINDS
from portal.models.standing import Attempt, Entry

HAPPENED = ("received", "refunded", "returned", "reinstated")
MANY = 20  # lines; after more of them the totals are too far down to be seen


@dataclass(frozen=True, slots=True)
class Received:
    """Money that came in."""

    on: date
    method: str
    amount: int


@dataclass(frozen=True, slots=True)
class Credited:
    """A credit note: what was taken back of the invoice."""

    number: str
    on: date
    reason: str | None
    memo: str | None
    amount: int
    applied: int  # of the amount: what is no longer to be paid; the rest went to the customer's balance

    @property
    def to_balance(self) -> int:
        return self.amount - self.applied

    @classmethod
    def of(cls, note: CreditNote, timezone: str) -> Self:
        on = periods.local_day(note.created_at, timezone)
        return cls(note.number, on, note.reason, note.memo, note.total, note.applied)


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to the invoice on a day, or is still to."""

    # issued, due, overdue, received, returned, reinstated, refunded, credited, paid, void: named after statuses
    # wherever there is one
    kind: str
    on: date
    amount: int | None = None  # that was received or credited
    method: str | None = None
    payment_id: str | None = None  # whose receipt tells more


@dataclass(frozen=True, slots=True)
class Paper:
    number: str
    status: str  # domain.statuses.SHOWN
    currency: str
    timezone: str
    invoice_date: date
    due_date: date | None
    paid_on: date | None
    voided_on: date | None
    seller: dict[str, Any]
    customer: dict[str, Any]
    lines: list[Line]
    hidden: int  # lines left out because nothing was used
    changes: list[Change]
    subtotal: int
    credits: int
    billed_before: int
    taxes: list[Tax]
    total: int
    balance_applied: int  # positive: taken from the customer's credit
    amount_due: int
    payments: list[Received]
    received: int
    moved: list[tuple[str, int]]  # what else was booked, and what it comes to: kinds of models.payment.KINDS
    attempt: Attempt | None  # the latest one to pay it
    notes: list[Credited]
    credited: int  # by the notes, of what was to be paid
    is_closed_by_note: bool  # was it a credit note that left nothing to pay?
    remaining: int
    memo: str | None
    footer: str | None
    checks: list[Check]
    happened: list[Entry]  # what was booked that its reader took part in

    @classmethod
    def of(
        cls,
        invoice: Invoice,
        booked: Sequence[Entry],
        today: date,
        *,
        attempt: Attempt | None = None,
        notes: Sequence[CreditNote] = (),
        hide_zero: bool = False,
    ) -> Self:
        """The invoice as of `today`, where the customer lives, with all that was booked on it and its credit notes.

        `hide_zero`: lines of which nothing was used are left out, and counted.
        """
        document: dict[str, Any] = invoice.document
        timezone = document["timezone"]
        payments = [one for one in booked if one.kind == "received"]
        in_force = [Credited.of(note, timezone) for note in notes if note.voided_at is None]
        credited = sum(note.applied for note in in_force)
        remaining = owed(invoice.status, invoice.amount_due, sum(one.amount for one in booked) + credited)
        shown = [line for line in document["lines"] if not (hide_zero and _unused(line))]
        return cls(
            number=str(invoice.number),
            status=statuses.shown(
                invoice.status, invoice.due_date, today, remaining, attempt.standing if attempt else None
            ),
            currency=invoice.currency,
            timezone=timezone,
            invoice_date=periods.local_day(invoice.invoice_date, timezone),
            due_date=invoice.due_date,
            paid_on=_paid_on(invoice, payments, notes, timezone),
            voided_on=_day(invoice.voided_at, timezone),
            seller=document["seller"],
            customer=document["customer"],
            lines=[Line.of(line) for line in shown],
            hidden=len(document["lines"]) - len(shown),
            changes=changes(document["lines"]),
            subtotal=document["subtotal"],
            credits=document["credits"],
            billed_before=document["partially_invoiced"],
            taxes=taxes(document["lines"]),
            total=invoice.total,
            balance_applied=invoice.balance_applied,
            amount_due=invoice.amount_due,
            payments=[Received(one.on, one.label, one.amount) for one in payments],
            received=sum(one.amount for one in payments),
            moved=_moved(booked),
            attempt=attempt,
            happened=[one for one in booked if one.kind in HAPPENED],
            notes=in_force,
            credited=credited,
            is_closed_by_note=_closing(invoice, notes) is not None,
            remaining=remaining,
            memo=invoice.memo,
            footer=document["footer"],
            checks=reconciling.invoice(document["lines"], document["subtotal"], invoice.total, invoice.currency),
        )

    @property
    def period(self) -> tuple[date, date] | None:
        """The first and the last day that its lines are for; None where that says no more than the invoice date."""
        if not self.lines:
            return None
        found = min(line.start for line in self.lines), max(line.last for line in self.lines)
        return None if found == (self.invoice_date, self.invoice_date) else found

    @property
    def on_its_way(self) -> Attempt | None:
        """The payment of it that may still succeed."""
        return self.attempt if self.attempt and self.attempt.standing in LIVE else None

    @property
    def has_many_lines(self) -> bool:
        return len(self.lines) > MANY

    @property
    def steps(self) -> list[Step]:
        """What happened to it, in order. A due date that was still to come when all was settled is left out."""
        settled = self.voided_on or self.paid_on
        steps = [Step(one.kind, one.on, abs(one.amount), one.label, one.payment_id) for one in self.happened]
        credited = [Step("credited", one.on, one.amount, one.number) for one in self.notes]
        if self.paid_on and self.is_closed_by_note:
            steps += [*credited, Step("paid", self.paid_on)]
        elif self.paid_on:
            last = max((n for n, step in enumerate(steps) if step.kind == "received"), default=None)
            if last is None:
                steps.append(Step("paid", self.paid_on))
            else:
                steps[last] = replace(steps[last], kind="paid")
            steps += credited
        else:
            steps += credited
        if self.due_date and not (settled and settled <= self.due_date):
            steps.append(Step("overdue" if self.status == "overdue" else "due", self.due_date))
        if self.voided_on:
            steps.append(Step("void", self.voided_on))
        return [Step("issued", self.invoice_date), *sorted(steps, key=lambda step: (step.on, step.kind != "due"))]

    def line(self, id: str) -> Line | None:
        return next((line for line in self.lines if line.id == id), None)


def _unused(line: dict[str, Any]) -> bool:
    return not line["amount"] and not line["subtotal"] and not any(digit in "123456789" for digit in line["quantity"])


def _moved(booked: Sequence[Entry]) -> list[tuple[str, int]]:
    """What was booked besides payments, by kind."""
    sums = [(kind, sum(one.amount for one in booked if one.kind == kind)) for kind in KINDS if kind != "received"]
    return [(kind, amount) for kind, amount in sums if amount]


def _paid_on(invoice: Invoice, payments: Sequence[Entry], notes: Sequence[CreditNote], timezone: str) -> date | None:
    if invoice.status != "paid":
        return None
    by_payment = payments and not _closing(invoice, notes)
    return payments[-1].on if by_payment else _day(invoice.paid_at, timezone)


def _closing(invoice: Invoice, notes: Sequence[CreditNote]) -> CreditNote | None:
    """The credit note that left nothing to pay; None where it was a payment, or something is left."""
    paid = invoice.paid_at if invoice.status == "paid" else None
    return next((note for note in notes if note.applied and note.created_at == paid), None)


def _day(moment: datetime | None, timezone: str) -> date | None:
    return periods.local_day(moment, timezone) if moment else None
