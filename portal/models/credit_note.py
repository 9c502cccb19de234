"""Credit notes: what an issued invoice asks for less, without a change to its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Self

from peewee import BigIntegerField, CharField, ForeignKeyField, TextField, fn

from portal.domain import money
from portal.models.account import Account
from portal.models.base import IdField, InstantField, JsonField, Row, db, is_postgresql, locked, new_id
from portal.models.customer import BalanceTransaction, Customer
from portal.models.invoice import OWED, IllegalState, Invoice, changed
from portal.models.line_id import may_hold
from portal.models.record import Record

REASONS = ("duplicate", "fraudulent", "order_change", "product_unsatisfactory")
CREDITED = (*OWED, "paid")  # the statuses of invoices that may be credited


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be credited of one line, before tax."""

    line_id: str
    amount: int  # minor units
    start: date | None = None  # of the days it is credited for; None: those of the line
    end: date | None = None  # exclusive


class CreditNote(Row):
    id = IdField()
    account = ForeignKeyField(Account, index=False)
    account_id: str
    customer = ForeignKeyField(Customer, index=False)
    customer_id: str
    invoice = ForeignKeyField(Invoice, backref="credit_notes")
    invoice_id: str
    created_at = InstantField()
    created_by = TextField()
    number = CharField(max_length=40)
    reason = CharField(max_length=24, null=True)
    memo = TextField(null=True)
    currency = CharField(max_length=3)
    subtotal = BigIntegerField()  # minor units, like every amount here
    total = BigIntegerField()
    applied = BigIntegerField()  # of the total: what the invoice asks for less
    to_balance = BigIntegerField()  # of the total: what became the customer's credit, for it was paid already
    lines = JsonField()  # [{id, line_id, item_id, name, quantity, amount, taxes, start, end}]
    voided_at = InstantField(null=True)

    class Meta:
        indexes = ((("account", "number"), True), (("account", "created_at", "id"), False))

    @property
    def type(self) -> str:
        """An adjustment of what is to be paid, or a refund of what was."""
        return "adjustment" if self.applied else "refund"

    @property
    def reason_words(self) -> str:
        return (self.reason or "").replace("_", " ").capitalize()

    @classmethod
    def issue(
        cls, invoice: Invoice, wanted: Sequence[Wanted], now: datetime, by: str, *, reason: str, memo: str | None
    ) -> Self:
        """Credits lines of an invoice: what is still to be paid becomes less, and the rest the customer's balance.

        Raises IllegalState where the invoice cannot be credited, or not by as much.
        """
        with db.atomic():
            customer = Customer.get_by_id(invoice.customer_id).held()
            held = invoice.held()
            if held.status not in CREDITED:
                raise IllegalState(f"only an issued or paid invoice can be credited; this one is {held.status}")
            earlier = cls.of(held)
            lines = _lines(held, wanted, earlier)
            subtotal = sum(line["amount"] for line in lines)
            total = subtotal + sum(tax["amount"] for line in lines for tax in line["taxes"])
            _refuse_more(held, total, earlier)
            applied = min(total, held.remaining())
            note = cls.create(
                account=held.account_id,
                customer=held.customer_id,
                invoice=held,
                created_at=now,
                created_by=by,
                number=cls._next_number(held.account_id),
                reason=reason,
                memo=memo,
                currency=held.currency,
                subtotal=subtotal,
                total=total,
                applied=applied,
                to_balance=total - applied,
                lines=lines,
            )
            note._settle(held, customer, now)
            Record.write(held.account_id, now, by, "credit_note.issued", held.id, credit_note=note.id)
        return note

    @classmethod
    def of(cls, invoice: Invoice) -> list[Self]:
        """The credit notes of an invoice, oldest first. No query where nothing has happened to it."""
        return cls.of_all([invoice.id])[invoice.id] if invoice.revision else []

    @classmethod
    def of_all(cls, invoice_ids: Sequence[str]) -> dict[str, list[Self]]:
        """The credit notes of each of the invoices, oldest first. One query."""
        found: dict[str, list[Self]] = {id: [] for id in invoice_ids}
        if invoice_ids:
            rows = cls.select().where(cls.invoice.in_(list(invoice_ids)))
            for row in rows.order_by(cls.created_at, fn.LENGTH(cls.number), cls.number):
                found[row.invoice_id].append(row)
        return found

    @classmethod
    def credited(cls, invoice: Invoice, line_id: str) -> int:
        """What notes have credited of a line, in minor units before tax."""
        notes = [note for note in cls.of(invoice) if note.voided_at is None]
        return sum(line["amount"] for note in notes for line in note.lines if line["line_id"] == line_id)

    @classmethod
    def _next_number(cls, account_id: str) -> str:
        """One more than there are, for none is ever deleted; the account is held, so that nobody else counts."""
        account = locked(Account.select().where(Account.id == account_id)).get()
        return f"{account.number_prefix}-CN-{cls.select().where(cls.account == account).count() + 1:05}"

    def _settle(self, invoice: Invoice, customer: Customer, now: datetime) -> None:
        if self.to_balance:
            if customer.currency != self.currency:
                raise IllegalState(f"the customer's balance is in {customer.currency}: it takes no {self.currency}")
            BalanceTransaction.move(
                customer,
                self.to_balance,
                "credit_note_applied",
                now,
                invoice_id=invoice.id,
                description=self.number,  # by which the note is found again
            )
        if self.applied and not invoice.remaining():
            Invoice.update(**changed(invoice, {"status": "paid", "paid_at": now})).where(
                Invoice.id == invoice.id
            ).execute()


def holder(account: Account, line_id: str) -> Invoice | None:
    """The issued invoice of the account that has a line of this id.

    Of lines that were named before ids led to their invoice, documents are read one by one: naming the invoice is
    faster.
    """
    issued = Invoice.select().where(Invoice.account == account, Invoice.status != "draft")
    for invoice in issued.where(may_hold(line_id)).order_by(Invoice.id):
        if _has(invoice, line_id):
            return invoice
    named = f'"id":"{line_id}"'
    holds = fn.STRPOS(Invoice.document, named) if is_postgresql() else fn.INSTR(Invoice.document, named)
    rows = issued.where(holds > 0)
    # The newest first, and no further than the first that names it: credit is mostly given for what is not old.
    found: Invoice | None = rows.order_by(Invoice.invoice_date.desc(), Invoice.id.desc()).first()
    return found if found and _has(found, line_id) else None


def _has(invoice: Invoice, line_id: str) -> bool:
    return any(line["id"] == line_id for line in invoice.document["lines"])


def _lines(invoice: Invoice, wanted: Sequence[Wanted], earlier: Sequence[CreditNote]) -> list[dict[str, Any]]:
    """The note's lines. Raises IllegalState where one is not the invoice's, or has less left."""
    lines = {line["id"]: line for line in invoice.document["lines"]}
    before = [line for note in earlier if note.voided_at is None for line in note.lines]
    return [_line(lines.get(one.line_id), one, before, invoice.currency) for one in wanted]


def _line(
    line: Mapping[str, Any] | None, wanted: Wanted, before: Sequence[Mapping[str, Any]], currency: str
) -> dict[str, Any]:
    if line is None:
        raise IllegalState(f"all lines of a credit note must be of one invoice; {wanted.line_id} is not")
    earlier = [one for one in before if one["line_id"] == wanted.line_id]
    credited = sum(one["amount"] for one in earlier)
    left = max(line["amount"] - credited, 0)
    if wanted.amount > left:
        raise IllegalState(f"{money.wire(left, currency)} of the line {line['name']} can still be credited")
    return {
        "id": new_id(),
        "line_id": line["id"],
        "item_id": line["item"]["id"],
        "name": line["name"],
        "quantity": line["quantity"] if wanted.amount == line["amount"] else None,
        "amount": wanted.amount,
        "taxes": [
            {
                **tax,
                "amount": _tax(tax["amount"], Fraction(credited + wanted.amount, line["amount"]), position, earlier),
            }
            for position, tax in enumerate(line["taxes"])
        ],
        "start": wanted.start.isoformat() if wanted.start else line["start"],
        "end": wanted.end.isoformat() if wanted.end else line["end"],
    }


def _tax(tax: int, credited: Fraction, position: int, earlier: Sequence[Mapping[str, Any]]) -> int:
    """The share of a tax that is credited now: with all of a line credited, all of its tax is."""
    return money.whole(tax * credited) - sum(one["taxes"][position]["amount"] for one in earlier)


def _refuse_more(invoice: Invoice, total: int, earlier: Sequence[CreditNote]) -> None:
    left = invoice.total - sum(note.total for note in earlier if note.voided_at is None)
    if total > left:
        raise IllegalState(f"{money.wire(max(left, 0), invoice.currency)} of this invoice can still be credited")
