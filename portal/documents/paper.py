"""An invoice as it lies before the customer. Pages and formats read this, so what is not here is shown nowhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Self

from portal.documents.line import Line
from portal.domain import periods, reconciling, statuses
from portal.domain.reconciling import Check
from portal.models.invoice import Invoice, Payment, owed

MANY = 20  # lines; after more of them the totals are too far down to be seen


@dataclass(frozen=True, slots=True)
class Change:
    """What one discount, minimum or maximum changed on the whole invoice."""

    type: str
    value: str
    reason: str | None
    amount: int  # negative where it makes the invoice smaller


@dataclass(frozen=True, slots=True)
class Tax:
    description: str
    percentage: str  # of 100
    amount: int


@dataclass(frozen=True, slots=True)
class Received:
    """Money that came in."""

    on: date
    method: str
    amount: int


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to the invoice on a day, or is still to."""

    kind: str  # issued, due, overdue, received, paid, void: named after statuses wherever there is one
    on: date
    amount: int | None = None  # that was received
    method: str | None = None


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
    remaining: int
    memo: str | None
    footer: str | None
    checks: list[Check]

    @classmethod
    def of(cls, invoice: Invoice, payments: list[Payment], today: date, *, hide_zero: bool = False) -> Self:
        """The invoice as of `today`, where the customer lives.

        `hide_zero`: lines of which nothing was used are left out, and counted.
        """
        document: dict[str, Any] = invoice.document
        timezone = document["timezone"]
        received = sum(payment.amount for payment in payments)
        remaining = owed(invoice.status, invoice.amount_due, received)
        shown = [line for line in document["lines"] if not (hide_zero and _unused(line))]
        return cls(
            number=str(invoice.number),
            status=statuses.shown(invoice.status, invoice.due_date, today, remaining),
            currency=invoice.currency,
            timezone=timezone,
            invoice_date=periods.local_day(invoice.invoice_date, timezone),
            due_date=invoice.due_date,
            paid_on=_paid_on(invoice, payments, timezone),
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
            payments=[Received(payment.received_on, payment.method, payment.amount) for payment in payments],
            received=received,
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
    def has_many_lines(self) -> bool:
        return len(self.lines) > MANY

    @property
    def steps(self) -> list[Step]:
        """What happened to it, in order. A due date that was still to come when all was settled is left out."""
        settled = self.voided_on or self.paid_on
        steps = [Step("received", one.on, one.amount, one.method) for one in self.payments]
        if self.paid_on:
            last = steps.pop() if steps else Step("paid", self.paid_on)
            steps.append(replace(last, kind="paid"))
        if self.due_date and not (settled and settled <= self.due_date):
            steps.append(Step("overdue" if self.status == "overdue" else "due", self.due_date))
        if self.voided_on:
            steps.append(Step("void", self.voided_on))
        return [Step("issued", self.invoice_date), *sorted(steps, key=lambda step: (step.on, step.kind != "due"))]

    def line(self, id: str) -> Line | None:
        return next((line for line in self.lines if line.id == id), None)


def _unused(line: dict[str, Any]) -> bool:
    return not line["amount"] and not line["subtotal"] and not any(digit in "123456789" for digit in line["quantity"])


def changes(lines: list[dict[str, Any]]) -> list[Change]:
    """The rules that touched the lines, each once: on every line it has the same id."""
    found: dict[str, Change] = {}
    for one in (one for line in lines for one in line["adjustments"]):
        before = found[one["id"]].amount if one["id"] in found else 0
        found[one["id"]] = Change(one["type"], one["value"], one["reason"], before + one["amount"])
    return list(found.values())


def taxes(lines: list[dict[str, Any]]) -> list[Tax]:
    """What each rate comes to on all lines."""
    sums: dict[tuple[str, str], int] = {}
    for tax in (tax for line in lines for tax in line["taxes"]):
        rate = (tax["description"], tax["percentage"])
        sums[rate] = sums.get(rate, 0) + tax["amount"]
    return [Tax(description, percentage, amount) for (description, percentage), amount in sums.items()]


def _paid_on(invoice: Invoice, payments: list[Payment], timezone: str) -> date | None:
    if invoice.status != "paid":
        return None
    return payments[-1].received_on if payments else _day(invoice.paid_at, timezone)


def _day(moment: datetime | None, timezone: str) -> date | None:
    return periods.local_day(moment, timezone) if moment else None
