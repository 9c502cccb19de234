"""Prepaid credits, the balance and credit notes, as they are answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

from portal.api.answers.invoice import CustomerName
from portal.api.answers.kinds import Answer, Id, Money, Nothing, Number, Pairs, Stamp, UnitPrice, Url, said
from portal.api.answers.line import Tax


class CreditBlock(Answer):
    """Prepaid credits that came together and expire together."""

    id: Id
    balance: Number = said("What is left.", 50)
    maximum_initial_balance: Number = said("What there was at first.", 50)
    credit_block_source: str = said("", "manual")
    effective_date: Stamp | None
    expiry_date: Stamp | None = said("Null: they do not expire.")
    per_unit_cost_basis: UnitPrice | None = said("What one of them cost.", "1.00")
    filters: list[Any] = said("", [])
    metadata: Pairs
    status: Literal["active", "pending_payment"]
    credit_allocation: Nothing
    credit_commitment: Nothing


class BlockName(Answer):
    id: Id
    expiry_date: Stamp | None
    filters: list[Any] = said("", [])
    per_unit_cost_basis: UnitPrice | None = said("", "1.00")


class AnyEntry(Answer):
    id: Id
    entry_status: Literal["committed", "pending"]
    ledger_sequence_number: int = said("Without gaps for a customer and a currency.", 1)
    amount: Number = said("Signed as it changes the balance.", 50)
    starting_balance: Number = said("", 0)
    ending_balance: Number = said("", 50)
    currency: str = said("A currency, or what is counted.", "credits")
    created_at: Stamp
    customer: CustomerName
    credit_block: BlockName
    description: str | None
    metadata: Pairs


class Increment(AnyEntry):
    entry_type: Literal["increment"]
    created_invoices: Nothing


class Decrement(AnyEntry):
    entry_type: Literal["decrement"]
    invoice_id: Id | None
    event_id: str | None
    price_id: Id | None


class ExpirationChange(AnyEntry):
    entry_type: Literal["expiration_change"]
    new_block_expiry_date: Stamp | None


class BlockExpiry(AnyEntry):
    entry_type: Literal["credit_block_expiry"]


class Void(AnyEntry):
    entry_type: Literal["void"]
    void_amount: Number
    void_reason: str | None


class Amendment(AnyEntry):
    entry_type: Literal["amendment"]


LedgerEntry = TypeAliasType(
    "LedgerEntry",
    Annotated[
        Increment | Decrement | ExpirationChange | BlockExpiry | Void | Amendment, Field(discriminator="entry_type")
    ],
)


class CreditedLine(Answer):
    """A line of an invoice that was taken back, in full or in part."""

    id: Id
    item_id: Id
    name: str = said("", "Onboarding")
    quantity: Number | None
    subtotal: Money
    amount: Money
    tax_amounts: list[Tax] = said("", [])
    discounts: list[Any] = said("Always empty here.", [])
    start_time_inclusive: Stamp | None
    end_time_exclusive: Stamp | None


class CreditNote(Answer):
    """What was taken back of an issued invoice."""

    id: Id
    created_at: Stamp
    credit_note_number: str = said("", "CN-JYEFHK-00001")
    credit_note_pdf: Url | None
    customer: CustomerName
    invoice_id: Id
    type: Literal["refund", "adjustment"]
    reason: str | None = said("", "Duplicate")
    memo: str | None
    subtotal: Money
    total: Money
    line_items: list[CreditedLine]
    discounts: list[Any] = said("Always empty here.", [])
    maximum_amount_adjustment: Nothing
    minimum_amount_refunded: Money | None
    voided_at: Stamp | None
