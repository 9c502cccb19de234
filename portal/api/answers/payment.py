"""Payments, refunds and saved methods, as they are answered."""

from __future__ import annotations

from typing import Literal

from portal.api.answers.kinds import Answer, Currency, Id, Money, Page, Stamp, said

Charged = Literal["card", "us_bank_account", "sepa_debit"]
Through = Literal["sandbox", "stripe"]
REF = "pi_3OqT1b2eZvKYlo2C"


class RefundShare(Answer):
    invoice_id: Id
    amount: Money


class Refund(Answer):
    """Money that goes back because you want it to. It never reopens an invoice."""

    id: Id
    payment_id: Id
    created_at: Stamp
    created_by: str = said("Who asked for it.", "api:XimGiw3pnsgusvc3")
    stage: Literal["begun", "pending", "succeeded", "failed"] = said(
        "begun: the gateway has not answered yet, and is asked again. failed: it refused, or the bank sent it back."
    )
    currency: Currency
    amount: Money
    allocations: list[RefundShare] = said("What it takes from which invoice's share.")
    reason: str | None
    gateway_id: str | None = said("What the gateway calls it.", "re_3OqT1b2eZvKYlo2C")


class Allocation(Answer):
    """The share of a payment that belongs to one invoice."""

    invoice_id: Id
    invoice_number: str = said("", "JYEFHK-00001")
    amount: Money
    returned: bool = said("Did its money go back, by a return or a lost dispute?", False)


class Dispute(Answer):
    """The payer's bank wants money back: a dispute, or the return of a bank debit. Lost, it reopens invoices."""

    id: Id
    created_at: Stamp
    stage: Literal["opened", "lost", "won"]
    amount: Money
    reason: str = said("As the gateway says it.", "insufficient_funds")
    is_return: bool
    gateway_id: str = said("What the gateway calls it.", "du_3OqT1b2eZvKYlo2C")


class Payment(Answer):
    """One attempt to pay one or several invoices."""

    id: Id
    customer_id: Id
    created_at: Stamp
    created_by: str = said("Who began it.", "customer:XimGiw3pnsgusvc3")
    stage: Literal["begun", "action", "processing", "canceled", "failed", "succeeded"] = said(
        "The furthest that was heard. begun: the gateway has not answered yet; action: it waits for its payer."
    )
    failure: str | None = said("Why it failed, in a word.", "insufficient_funds")
    gateway: Through | None = said("Null for what was recorded by hand.", "stripe")
    gateway_id: str | None = said("What the gateway calls it.", REF)
    method: Charged | None
    label: str = said("The method, for people.", "Visa ending in 4242")
    currency: Currency
    amount: Money
    automatic: bool = said("Was it collected by itself, on a due date or after one?", False)
    gives_up_at: Stamp | None = said("Until when its payer may do her part.")
    ended_at: Stamp | None = said("When it succeeded, failed or was given up.")
    received_on: str | None = said("The day the money came, where the customer is.", "2026-11-23")
    external_id: str | None = said("Your own reference of one that was recorded by hand.", "wire-123")
    notes: str | None
    allocations: list[Allocation]
    refunds: list[Refund] = said("", [])
    disputes: list[Dispute] = said("", [])


class SavedMethod(Answer):
    """A method that a gateway keeps for a customer."""

    id: Id
    customer_id: Id
    created_at: Stamp
    gateway: Through
    gateway_id: str = said("What the gateway calls it.", "pm_1OqT1b2eZvKYlo2C")
    method: Charged
    label: str = said("For people.", "Visa ending in 4242")
    expires: str | None = said("Year and month, of a card.", "2028-04")
    default: bool = said("Is it charged where nobody chooses?", True)


PaymentPage = Page[Payment]
SavedMethodPage = Page[SavedMethod]
