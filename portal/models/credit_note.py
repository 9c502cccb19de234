"""Credit notes: what an issued invoice asks for less, without a change to its document."""

from __future__ import annotations

from peewee import BigIntegerField, CharField, ForeignKeyField, TextField

from portal.models.account import Account
from portal.models.base import IdField, InstantField, JsonField, Row
from portal.models.customer import Customer
from portal.models.invoice import Invoice

REASONS = ("duplicate", "fraudulent", "order_change", "product_unsatisfactory")


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
    lines = JsonField()  # [{id, line_id, name, quantity, amount, tax, start, end}]
    voided_at = InstantField(null=True)

    class Meta:
        indexes = ((("account", "number"), True), (("account", "created_at", "id"), False))
