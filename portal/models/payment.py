"""A payment is one attempt to settle invoices; its allocations say whose share is what, its bookings what moved.

What is booked is only ever added to; what an invoice owes, and how it stands, follows from these rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Self

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    CharField,
    Check,
    ForeignKeyField,
    IntegerField,
    TextField,
    fn,
)

from portal.domain import periods
from portal.domain.settlement import LIVE, STAGES
from portal.models.account import Account
from portal.models.base import DayField, IdField, InstantField, JsonField, Row, db, tuples
from portal.models.customer import Customer
from portal.models.invoice import OWED, IllegalState, Invoice, changed
from portal.models.record import Record

BY_HAND = "hand"  # the gateway of what an operator wrote down
KINDS = ("received", "refunded", "written_off", "returned", "reinstated", "surplus")


def one_of(column: str, names: Iterable[str]) -> Any:
    """The database's own check that `column` is one of `names`."""
    listed = ", ".join(f"'{name}'" for name in names)
    return Check(f"{column} IN ({listed})")


class Payment(Row):
    id = IdField()
    account = ForeignKeyField(Account, index=False)
    account_id: str
    customer = ForeignKeyField(Customer, index=False)
    customer_id: str
    created_at = InstantField()
    created_by = TextField()
    link_id = CharField(max_length=16, null=True)  # through which it was made
    gateway = CharField(max_length=8, default=BY_HAND)
    gateway_ref = TextField(null=True)
    method = CharField(max_length=16, null=True)  # card, us_bank_account, sepa_debit; None by hand
    label = TextField()  # for people: "Visa ending in 4242", "Bank transfer"
    currency = CharField(max_length=3)
    amount = BigIntegerField(constraints=[Check("amount > 0")])  # minor units
    stage = CharField(max_length=10, constraints=[one_of("stage", STAGES)])
    failure = CharField(max_length=24, null=True)  # gateways.FAILURES
    order = JsonField(null=True, column_name="ordered")  # all that it takes to ask the gateway for the very same again
    saved_method_id = CharField(max_length=16, null=True)  # that was charged
    automatic = BooleanField(default=False)
    tries = IntegerField(default=0)  # how often the worker has asked since
    ask_at = InstantField(null=True, index=True)  # when it asks next; None: never again
    gives_up_at = InstantField(null=True)  # until when its payer may still do her part
    ended_at = InstantField(null=True)  # when it failed, was canceled or succeeded
    received_on = DayField(null=True)  # in the customer's time zone
    external_id = TextField(null=True)
    notes = TextField(null=True)  # the operator's own; never shown to the customer

    class Meta:
        indexes = (
            (("account", "created_at", "id"), False),
            (("customer", "created_at", "id"), False),
            (("gateway", "gateway_ref"), True),
        )

    @classmethod
    def of(cls, invoice_id: str) -> list[Self]:
        """The payments that were received for an invoice, oldest first."""
        received = cls.select().join(Allocation).where(Allocation.invoice == invoice_id, cls.stage == "succeeded")
        return list(received.order_by(cls.received_on, cls.created_at))

    @classmethod
    def received(cls, invoice_ids: Sequence[str]) -> dict[str, int]:
        """What was booked on each of the invoices, in minor units. One query."""
        if not invoice_ids:
            return {}
        booked = Booking.select(Booking.invoice, fn.SUM(Booking.amount)).where(Booking.invoice.in_(list(invoice_ids)))
        return {id: int(total) for id, total in tuples(booked.group_by(Booking.invoice)) if total}

    @classmethod
    def record(
        cls,
        invoice: Invoice,
        now: datetime,
        by: str,
        *,
        received_on: date,
        amount: int | None = None,
        method: str = "Recorded by hand",
        external_id: str | None = None,
        notes: str | None = None,
    ) -> Self:
        """Books `amount` (None: all that is owed) that came in by other ways; with nothing left the invoice is paid.

        `method` is a label for people. Raises IllegalState unless the invoice is issued, nothing is on its way, and the
        amount is at most what is owed.
        """
        with db.atomic():
            customer = Customer(id=invoice.customer_id).held()
            held = invoice.held()
            if held.status not in OWED:
                raise IllegalState(f"only an issued invoice can be paid; this one is {held.status}")
            refuse_live(held)
            left = held.remaining()
            amount = left if amount is None else amount
            if not 0 < amount <= left:
                raise IllegalState(f"a payment must be above zero and at most what is owed ({left} in minor units)")
            payment = cls.create(
                account=held.account_id,
                customer=held.customer_id,
                created_at=now,
                created_by=by,
                label=method,
                currency=held.currency,
                amount=amount,
                stage="succeeded",
                ended_at=now,
                received_on=received_on,
                external_id=external_id,
                notes=notes,
            )
            Allocation.create(payment=payment, invoice=held, amount=amount, stage="succeeded", created_at=now)
            Booking.write(payment, held.id, "received", amount, now)
            at = {"payment_received_at": periods.midnight(received_on, customer.timezone)}
            Invoice.update(**changed(invoice, at | settled_status(held, now))).where(Invoice.id == held.id).execute()
            Record.write(held.account_id, now, by, "payment.recorded", held.id, payment=payment.id)
        return payment


class Allocation(Row):
    """The share of a payment that belongs to one invoice."""

    id = IdField()
    payment = ForeignKeyField(Payment, backref="allocations", index=False)
    payment_id: str
    invoice = ForeignKeyField(Invoice, backref="allocations", index=False)
    invoice_id: str
    created_at = InstantField()
    amount = BigIntegerField(constraints=[Check("amount > 0")])
    stage = CharField(max_length=10, constraints=[one_of("stage", STAGES)])  # the payment's, by the database (notices)
    returned = BooleanField(default=False)  # its money went back, by a return or a lost dispute

    class Meta:
        indexes = ((("payment", "invoice"), True), (("invoice", "created_at", "id"), False))

    @classmethod
    def of(cls, payment_id: str) -> list[Self]:
        """The allocations of a payment, in the order in which their invoices are locked."""
        return list(cls.select().where(cls.payment == payment_id).order_by(cls.invoice))

    @classmethod
    def live(cls, invoice_ids: Sequence[str]) -> list[Self]:
        """Those whose money may still come. One query."""
        return list(cls.select().where(cls.invoice.in_(list(invoice_ids)), IS_LIVE)) if invoice_ids else []


# Spelled out, so that the query finds the index. Nothing else holds so well against paying twice.
IS_LIVE = Allocation.stage.in_([SQL(f"'{stage}'") for stage in LIVE])
Allocation.add_index(
    Allocation.index(Allocation.invoice, unique=True, where=IS_LIVE, name="allocation_one_live_an_invoice")
)


class Booking(Row):
    """Money that moved on an invoice, or a debt that was given up. Never changed, never deleted (models.guards)."""

    id = IdField()
    payment = ForeignKeyField(Payment, backref="bookings", index=False)
    payment_id: str
    invoice = ForeignKeyField(Invoice, backref="bookings")
    invoice_id: str
    created_at = InstantField()
    kind = CharField(max_length=11, constraints=[one_of("kind", KINDS)])
    amount = BigIntegerField(constraints=[Check("amount <> 0")])  # positive: less is owed
    ref = TextField(default="")  # what caused it, where one payment may have many such: a refund, a dispute

    class Meta:
        indexes = ((("payment", "invoice", "kind", "ref"), True),)

    @classmethod
    def write(cls, payment: Payment, invoice_id: str, kind: str, amount: int, now: datetime, ref: str = "") -> None:
        """Books `amount`, unless it is nothing. The database refuses the same booking twice."""
        if amount:
            cls.create(payment=payment, invoice=invoice_id, created_at=now, kind=kind, amount=amount, ref=ref)

    @classmethod
    def sums(cls, payment_id: str) -> dict[tuple[str, str], int]:
        """What was booked of a payment: (invoice id, kind) to minor units. One query."""
        query = cls.select(cls.invoice, cls.kind, fn.SUM(cls.amount)).where(cls.payment == payment_id)
        return {(invoice, kind): int(sum) for invoice, kind, sum in tuples(query.group_by(cls.invoice, cls.kind))}


def refuse_live(invoice: Invoice) -> None:
    """Raises IllegalState while money for the invoice, which is held, may still come."""
    if Allocation.live([invoice.id]):
        raise IllegalState("a payment of this invoice is on its way: wait for it, or cancel it first")


def settled_status(invoice: Invoice, now: datetime) -> dict[str, Any]:
    """What changes of an invoice, which is held, now that its bookings have: it is paid, or asks for money again."""
    asks = invoice.status in OWED
    if asks and invoice.remaining() == 0:
        return {"status": "paid", "paid_at": now}
    if invoice.status == "paid" and Invoice(id=invoice.id, status="issued", amount_due=invoice.amount_due).remaining():
        return {"status": "issued", "paid_at": None}
    return {}
