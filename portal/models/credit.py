"""Prepaid credits: blocks that were bought or given, and the ledger of all that was put in and taken out."""

from __future__ import annotations

from peewee import CharField, Check, ForeignKeyField, IntegerField, TextField

from portal.models.account import Account
from portal.models.base import IdField, InstantField, JsonField, Row
from portal.models.customer import Customer

ENTRY_TYPES = (
    "increment",
    "decrement",
    "expiration_change",
    "credit_block_expiry",
    "void",
    "void_initiated",
    "amendment",
)


class CreditBlock(Row):
    """Credits of one currency (or of "credits", a unit of its own) that came together and expire together."""

    id = IdField()
    account = ForeignKeyField(Account, index=False)
    account_id: str
    customer = ForeignKeyField(Customer, backref="credit_blocks", index=False)
    customer_id: str
    created_at = InstantField()
    currency = CharField(max_length=64)
    initial = TextField()  # decimal text, like every amount here
    balance = TextField()
    effective_at = InstantField()
    expires_at = InstantField(null=True)
    cost_basis = TextField(null=True)  # what a credit was paid with
    source = CharField(max_length=16, default="manual")
    description = TextField(null=True)
    filters = JsonField(default=list)
    metadata = JsonField(default=dict)

    class Meta:
        indexes = ((("customer", "currency", "effective_at", "id"), False),)


class CreditEntry(Row):
    """One line of the ledger; the rows of a customer and a currency chain from one balance to the next."""

    id = IdField()
    customer = ForeignKeyField(Customer, backref="credit_entries", index=False)
    customer_id: str
    block = ForeignKeyField(CreditBlock, backref="entries")
    block_id: str
    created_at = InstantField()
    currency = CharField(max_length=64)
    sequence = IntegerField()  # from 1, for each customer and currency
    type = CharField(max_length=20)
    status = CharField(max_length=9, default="committed", constraints=[Check("status IN ('committed', 'pending')")])
    amount = TextField()  # decimal text, as it changes the balance
    starting_balance = TextField()
    ending_balance = TextField()
    description = TextField(null=True)
    invoice_id = CharField(max_length=16, null=True, index=True)  # no foreign key: invoices come after credits
    detail = JsonField(default=dict)  # what this type of entry says besides
    metadata = JsonField(default=dict)

    class Meta:
        indexes = ((("customer", "currency", "sequence"), True), (("customer", "created_at", "id"), False))
