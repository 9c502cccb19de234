"""An invoice, as it is answered: whole, and in the summary of a list."""

from __future__ import annotations

from typing import Any, Literal

from portal.api.answers.customer import Method
from portal.api.answers.kinds import (
    Address,
    Answer,
    Count,
    Currency,
    Id,
    Money,
    Named,
    Number,
    Page,
    Pairs,
    Stamp,
    TaxId,
    UnitPrice,
    Url,
    said,
)
from portal.api.answers.line import LineItem


class CustomerName(Answer):
    id: Id
    external_customer_id: str | None = said("", "crm-7")


class Collection(Answer):
    enabled: bool | None
    next_attempt_at: Stamp | None = said("Null before issue, and once nothing is tried by itself any more.")
    num_attempts: Count | None = said("How often it was tried by itself.")
    previously_attempted_at: Stamp | None


class BalanceMove(Answer):
    """What the invoice took from the customer's balance, or gave to it."""

    id: Id
    action: str = said("What caused it.", "applied_to_invoice")
    type: Literal["increment", "decrement"]
    amount: Money
    starting_balance: Money
    ending_balance: Money
    description: str | None
    created_at: Stamp
    invoice: Named | None
    credit_note: Named | None


class CreditNoteName(Answer):
    id: Id
    credit_note_number: str = said("", "CN-JYEFHK-00001")
    memo: str | None
    reason: str | None
    total: Money
    type: str
    voided_at: Stamp | None


class Attempt(Answer):
    """A payment through a gateway, as far as it is for this invoice."""

    id: Id = said("Of the payment.")
    amount: Money
    created_at: Stamp
    payment_provider: Literal["stripe"] | None = said("Null where it was the sandbox.")
    payment_provider_id: str | None = said("What the gateway calls it.", "pi_3OqT1b2eZvKYlo2C")
    receipt_pdf: Url | None
    succeeded: bool = said("False while it is on its way, and again once its money went back.")


class InvoiceHead(Answer):
    """What an invoice has besides its lines and its date."""

    id: Id
    status: Literal["draft", "issued", "paid", "synced", "void"]
    invoice_number: str = said("Given at issue, without gaps; empty before.", "JYEFHK-00001")
    invoice_source: Literal["one_off", "subscription", "partial"]
    currency: Currency
    memo: str | None
    metadata: Pairs
    subscription: Named | None
    will_auto_issue: bool
    payment_methods: list[Method] | None = said("Narrows the customer's. Ours.", ["card"])
    hosted_invoice_url: Url | None = said("The link to send; null while it does not open.")
    invoice_pdf: Url | None
    created_at: Stamp
    due_date: Stamp | None = said("Midnight of the day it is due, where the customer is.")
    eligible_to_issue_at: Stamp | None = said("When a draft may be issued.")
    scheduled_issue_at: Stamp | None = said("When a draft issues itself.")
    issued_at: Stamp | None
    paid_at: Stamp | None = said("Null again once the money went back.")
    voided_at: Stamp | None
    payment_received_at: Stamp | None
    issue_failed_at: Stamp | None
    payment_failed_at: Stamp | None = said("When the latest attempt that failed did, or its money went back.")
    payment_started_at: Stamp | None = said("When the latest attempt began.")
    sync_failed_at: Stamp | None
    customer: CustomerName
    billing_address: Address | None
    shipping_address: Address | None
    customer_tax_id: TaxId | None
    total: Money = said("After discounts, minimums, credits and tax.", "40.00")
    amount_due: Money = said("The total less the balance that was used, as of issue.", "40.00")
    amount_remaining: Money = said("What is still owed. Ours.", "40.00")
    auto_collection: Collection
    customer_balance_transactions: list[BalanceMove] = said("", [])
    credit_notes: list[CreditNoteName] = said("", [])
    payment_attempts: list[Attempt] = said("Through gateways, oldest first.", [])


class InvoiceSummary(InvoiceHead):
    """An invoice without its lines."""

    invoice_date: Stamp | None


class InvoiceDiscount(Answer):
    """A discount on the whole invoice: the key named by its kind holds its value."""

    discount_type: Literal["percentage", "amount", "usage", "trial", "tiered_percentage"]
    percentage_discount: Number | None = said("A share between 0 and 1.", 0.1, default=None)
    amount_discount: UnitPrice | None = None
    usage_discount: Number | None = None
    applies_to_price_ids: list[Id] | None
    filters: list[Any] | None
    reason: str | None


class InvoiceMinimum(Answer):
    minimum_amount: Money
    applies_to_price_ids: list[Id]
    filters: list[Any] = said("Always empty here.", [])


class InvoiceMaximum(Answer):
    maximum_amount: Money
    applies_to_price_ids: list[Id]
    filters: list[Any] = said("Always empty here.", [])


class Bill(Answer):
    """What is charged, line by line."""

    subtotal: Money = said("Before discounts, minimums and tax.", "44.00")
    line_items: list[LineItem]
    hidden_line_item_count: Count = said("Lines without a quantity that were left out, as was asked.", 0)
    discount: InvoiceDiscount | None
    discounts: list[InvoiceDiscount] = said("Discounts on all of it, or on several lines.", [])
    minimum: InvoiceMinimum | None
    minimum_amount: Money | None
    maximum: InvoiceMaximum | None
    maximum_amount: Money | None


class Invoice(Bill, InvoiceSummary):
    """A bill. A draft may change; an issued one is frozen, and only payment and link change afterwards."""


class UpcomingInvoice(Bill, InvoiceHead):
    """What a subscription will be billed next, as far as it has come."""

    target_date: Stamp = said("When its period ends.")


class Letter(Answer):
    """A letter that waits for the worker."""

    id: Id
    status: Literal["queued"]
    invoice_id: Id
    created_at: Stamp


InvoicePage = Page[Invoice]
InvoiceSummaryPage = Page[InvoiceSummary]
