"""An invoice: while a draft it may change; once issued it is a frozen document, and only payment state moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    Check,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Table,
    TextField,
    fn,
)

from portal.domain import periods
from portal.models.account import Account
from portal.models.base import DayField, IdField, InstantField, JsonField, Row, db, locked, tuples
from portal.models.customer import Customer
from portal.models.record import Record
from portal.models.subscription import Subscription

NOTES = Table("credit_note")  # models.credit_note and models.payment, which come after invoices
BOOKINGS = Table("booking")
STATUSES = ("draft", "issued", "paid", "synced", "void")
OWED = ("issued", "synced")  # the statuses in which something may still be owed


class IllegalState(ValueError):
    """The invoice is in no state for what was asked. The message says which state it is in, and what would do."""


class Invoice(Row):
    id = IdField()
    account = ForeignKeyField(Account, backref="invoices", index=False)
    account_id: str
    customer = ForeignKeyField(Customer, backref="invoices", index=False)
    customer_id: str
    subscription = ForeignKeyField(Subscription, null=True, backref="invoices")
    subscription_id: str | None
    created_at = InstantField()
    source = CharField(max_length=12, constraints=[Check("source IN ('subscription', 'partial', 'one_off')")])
    status = CharField(
        max_length=6, default="draft", constraints=[Check("status IN ('draft', 'issued', 'paid', 'synced', 'void')")]
    )
    number = CharField(max_length=32, null=True)
    currency = CharField(max_length=3)
    invoice_date = InstantField()
    due_date = DayField(null=True)  # in the customer's time zone
    net_terms = IntegerField(null=True)  # days
    issued_at = InstantField(null=True)
    paid_at = InstantField(null=True)
    voided_at = InstantField(null=True)
    payment_received_at = InstantField(null=True)
    will_auto_issue = BooleanField(default=False)
    eligible_to_issue_at = InstantField(null=True)
    auto_collection = BooleanField(default=False)
    payment_methods = JsonField(null=True)  # narrows the customer's
    memo = TextField(null=True)
    metadata = JsonField(default=dict)
    subtotal = BigIntegerField()  # minor units, like every amount here
    total = BigIntegerField()
    balance_applied = BigIntegerField(default=0)  # positive: taken from the customer's balance
    amount_due = BigIntegerField()
    document = JsonField()  # domain.billing.Document, and the two parties as they were
    # Counted by the database: what happened to the payments (models.guards).
    revision = IntegerField(default=0, constraints=[SQL("DEFAULT 0")])
    billing_date = DayField(null=True)  # where two periods of its subscription meet: it bills up to there
    manual_lines = JsonField(null=True)  # lines that were put on the draft by hand: domain.billing.Charged as JSON

    class Meta:
        indexes = (
            (("account", "number"), True),
            (("account", "invoice_date", "id"), False),
            (("customer", "invoice_date", "id", "status", "number"), False),  # a number is looked for in the index
            (("customer", "status", "invoice_date", "id"), False),
        )

    @classmethod
    def draft(
        cls,
        customer: Customer,
        now: datetime,
        by: str,
        *,
        document: dict[str, Any],
        days: dict[str, list[dict[str, str]]],
        **fields: Any,
    ) -> Self:
        """A new draft of the bill `document`, with the days of its lines."""
        with db.atomic():
            invoice = cls(account=customer.account_id, customer=customer, created_at=now, **fields)
            invoice.currency = document["currency"]
            invoice.subtotal, invoice.total = document["subtotal"], document["total"]
            invoice.amount_due = document["total"]
            invoice.document = document
            invoice.eligible_to_issue_at = invoice.eligible_to_issue_at or now
            invoice.save(force_insert=True)
            for line_id, line_days in days.items():
                LineDays.create(invoice=invoice, line_id=line_id, days=line_days)
            Record.write(customer.account_id, now, by, "invoice.created", invoice.id)
        return invoice

    @classmethod
    def of(cls, account: Account, id: str) -> Self | None:
        """The account's own invoice with its customer, or None."""
        return cls.select(cls, Customer).join(Customer).where(cls.account == account, cls.id == id).first()

    def held(self) -> Self:
        """This invoice, locked until the transaction ends. Where the customer is locked too, she comes first."""
        return locked(type(self).select().where(Invoice.id == self.id)).get()

    def change(self, changes: dict[str, Any], now: datetime, by: str) -> None:
        """Changes what may still change: everything but the bill on a draft, metadata and methods for ever."""
        with db.atomic():
            status = self.held().status
            barred = sorted(set(changes) - {"metadata", "payment_methods"})
            if status != "draft" and barred:
                raise IllegalState(
                    f"{', '.join(barred)} can only be changed while the invoice is a draft; it is {status}"
                )
            if status in ("paid", "void") and "payment_methods" in changes:
                raise IllegalState(f"payment_methods can only be changed while something may be paid; it is {status}")
            if changes:
                Invoice.update(**changed(self, changes)).where(Invoice.id == self.id).execute()
                Record.write(self.account_id, now, by, "invoice.changed", self.id, changed=sorted(changes))

    def settle_terms(self, timezone: str) -> None:
        """Works out the due date from the net terms, where no due date was named."""
        if self.net_terms is not None:
            self.due_date = periods.local_day(self.invoice_date, timezone) + timedelta(days=self.net_terms)

    def remaining(self) -> int:
        """What is still owed, in minor units: derived from rows, never kept."""
        return owed(self.status, self.amount_due, settled([self.id])[self.id])


# Spelled out, for a bound value does not lead a query to the indexes of what is open: a few rows beside very many.
OPEN = Invoice.status.in_([SQL(f"'{status}'") for status in OWED])
Invoice.add_index(
    Invoice.index(
        Invoice.customer,
        Invoice.due_date,
        Invoice.invoice_date,
        Invoice.id,
        where=OPEN,
        name="invoice_open_by_due_date",
    )
)
Invoice.add_index(
    Invoice.index(Invoice.customer, Invoice.invoice_date, Invoice.id, where=OPEN, name="invoice_open_by_date")
)
# A period is billed once.
Invoice.add_index(
    Invoice.index(
        Invoice.subscription,
        Invoice.billing_date,
        unique=True,
        where=(Invoice.source == SQL("'subscription'")) & Invoice.billing_date.is_null(False),
        name="invoice_one_a_period",
    )
)
# With all that decides in it, what is owed is added up without a look at the invoices.
Invoice.add_index(
    Invoice.index(
        Invoice.customer,
        Invoice.currency,
        Invoice.id,
        Invoice.amount_due,
        Invoice.status,
        Invoice.revision,
        where=OPEN,
        name="invoice_open_by_currency",
    )
)
# Issuing takes the moment away: only drafts are here.
Invoice.add_index(
    Invoice.index(
        Invoice.will_auto_issue,
        Invoice.eligible_to_issue_at,
        Invoice.id,
        where=Invoice.eligible_to_issue_at.is_null(False),
        name="invoice_waiting",
    )
)


def changed(row: Row, changes: dict[str, Any]) -> dict[str, Any]:
    """`changes`, set on `row` too."""
    for name, value in changes.items():
        setattr(row, name, value)
    return changes


def owed(status: str, amount_due: int, settled: int) -> int:
    """What an invoice in `status` still asks for; never less than nothing."""
    return max(amount_due - settled, 0) if status in OWED else 0


def settlement() -> Any:
    """In a query of invoices: what no longer has to be paid, for payments or credit notes have settled it.

    The database has the same rule for what a customer owes in all: models.notices.OWING.
    """
    paid = BOOKINGS.select(fn.SUM(BOOKINGS.c.amount)).where(BOOKINGS.c.invoice_id == Invoice.id)
    noted = NOTES.select(fn.SUM(NOTES.c.applied)).where(NOTES.c.invoice_id == Invoice.id, NOTES.c.voided_at.is_null())
    # One that has counted nothing has neither, as most that are open.
    return Case(None, [(Invoice.revision == 0, 0)], fn.COALESCE(paid, 0) + fn.COALESCE(noted, 0))


def settled(invoice_ids: Sequence[str]) -> dict[str, int]:
    """What payments and credit notes have settled of each of the invoices, in minor units. One query."""
    query = Invoice.select(Invoice.id, settlement()).where(Invoice.id.in_(list(invoice_ids)))
    return {id: int(minor) for id, minor in tuples(query)} if invoice_ids else {}


class LineDays(Row):
    """The daily quantities and amounts of one line; read only when somebody opens it."""

    invoice = ForeignKeyField(Invoice, index=False)
    invoice_id: str
    line_id = CharField(max_length=16)
    days = JsonField()  # [{day, quantity, amount}], amounts in major units, exact

    class Meta:
        primary_key = CompositeKey("invoice", "line_id")

    @classmethod
    def of(cls, invoice_id: str, line_id: str) -> list[dict[str, str]] | None:
        row = cls.select(cls.days).where(cls.invoice == invoice_id, cls.line_id == line_id).first()
        return row.days if row else None
