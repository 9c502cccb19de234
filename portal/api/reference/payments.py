"""Payments and saved methods, described."""

from __future__ import annotations

from portal.api import invoices, paging, payment_methods, payments, refunds
from portal.api.answers.payment import Payment, PaymentPage, Refund, SavedMethodPage
from portal.api.reference.call import Call, Section

SYNC = "Brings in the methods that the gateway keeps for her, and takes away what it no longer keeps."
NO_GATEWAY = "No payment gateway is set up here."

PAYMENTS = Section(
    "Payments",
    "One row an attempt, whoever began it: a payer, an operator, or the portal on a due date. A payment stands at the "
    "furthest stage that was heard. Ours.",
    {
        payments.listed: Call(
            "List payments",
            PaymentPage,
            "All payments, also those that were recorded by hand, the newest first.",
            query=payments.Filters,
        ),
        payments.fetch: Call("Fetch a payment", Payment, "With its allocations, refunds and disputes."),
        refunds.refund: Call(
            "Refund a payment",
            Refund,
            "So much of it, named shares of it, or without either all that is left. The invoice stays paid: what goes "
            "back is written off in the same moment. Where the gateway refuses, the refund's stage is `failed`.",
            status=201,
            body=refunds.WantedRefund,
            example={"amount": "10.00", "reason": "Two seats too many"},
            refused="Only a payment that a gateway has collected can be refunded.",
        ),
        payments.cancel: Call(
            "Give up a payment",
            Payment,
            "One that waits for its payer: cancelled at the gateway first, then here; its invoices can be paid again. "
            "What the gateway answers counts, so it may have succeeded meanwhile.",
            body=invoices.Nothing,
            example={},
            refused="Only a payment that waits for its payer (stage action) can be cancelled; this one is processing.",
        ),
    },
)

METHODS = Section(
    "Payment methods",
    "What a gateway keeps for a customer. The default is what `pay` and the due date charge; "
    "`default_payment_method_id` of the customer changes it.",
    {
        payment_methods.listed: Call(
            "List saved payment methods", SavedMethodPage, "The newest first. Ours.", query=paging.Paged
        ),
        payment_methods.remove: Call(
            "Remove a saved payment method",
            None,
            "Here at once, so that it is never charged again; then at the gateway. May be repeated. Ours.",
            status=204,
        ),
        payment_methods.sync: Call(
            "Bring in payment methods from the gateway",
            None,
            SYNC,
            status=204,
            body=invoices.Nothing,
            example={},
            refused=NO_GATEWAY,
        ),
        payment_methods.sync_by_external_id: Call(
            "Bring in payment methods by your id",
            None,
            SYNC,
            status=204,
            body=invoices.Nothing,
            example={},
            refused=NO_GATEWAY,
        ),
    },
)
