"""Invoices, described."""

from __future__ import annotations

from portal.api import invoice_draft, invoice_filters, invoice_line_items, invoices, paying, upcoming
from portal.api.answers.invoice import Invoice, InvoicePage, InvoiceSummary, InvoiceSummaryPage, Letter, UpcomingInvoice
from portal.api.answers.line import LineItem
from portal.api.reference.call import Call, Section

ISSUE = (
    "Gives it its number and its first link, and queues its letter; from then on it is frozen. Credit on her "
    "balance pays it; what then asks for nothing is paid at once."
)

INVOICES = Section(
    "Invoices",
    "Made as drafts, issued, paid, voided and sent. An issued invoice is frozen: lines, prices, daily "
    "quantities, names and addresses stay as they were.",
    {
        invoices.create: Call(
            "Create an invoice",
            Invoice,
            "A one-off invoice, as a draft. With `will_auto_issue: true` and a date that is not in the future it is "
            "issued in the same call.",
            status=201,
            body=invoice_draft.Wanted,
            finds=True,
            refused="currency must be USD, the customer's own: an invoice in EUR is not possible.",
            example={
                "external_customer_id": "crm-7",
                "currency": "USD",
                "invoice_date": "2026-11-01",
                "net_terms": 30,
                "will_auto_issue": True,
                "line_items": [
                    {
                        "name": "Onboarding",
                        "item_id": "XimGiw3pnsgusvc3",
                        "model_type": "unit",
                        "quantity": 2,
                        "unit_config": {"unit_amount": "20.00"},
                        "start_date": "2026-10-01",
                        "end_date": "2026-11-01",
                    }
                ],
            },
        ),
        invoices.listed: Call(
            "List invoices",
            InvoicePage,
            "By invoice date, the newest first. Without `status`: issued, paid and synced ones.",
            query=invoice_filters.LineFilters,
        ),
        invoices.list_summary: Call(
            "List invoices in summary",
            InvoiceSummaryPage,
            "The same list without lines, discounts and minimums.",
            query=invoice_filters.Filters,
        ),
        invoices.fetch: Call("Fetch an invoice", Invoice, query=invoices.Fetching),
        upcoming.fetch_upcoming: Call(
            "Fetch the upcoming invoice",
            UpcomingInvoice,
            "What the subscription will be billed next, as far as it has come: the same calculation as the invoice "
            "that will be issued.",
            query=upcoming.Wanted,
            finds=True,
            refused="This subscription has no upcoming invoice: it has ended, or cannot be worked out.",
        ),
        invoices.update: Call(
            "Change an invoice",
            Invoice,
            "Of a draft its dates, terms and collection; of any invoice its `metadata`; while something may be paid, "
            "`payment_methods`.",
            body=invoices.Changes,
            example={"net_terms": 14, "metadata": {"order": "4711"}},
            refused="Only on a draft can net_terms be changed; this invoice is issued.",
        ),
        invoices.issue: Call(
            "Issue an invoice",
            Invoice,
            ISSUE,
            body=invoices.Issuing,
            example={"synchronous": True},
            refused="This invoice cannot be issued before 2026-12-01T05:00:00+00:00.",
        ),
        invoices.issue_summary: Call(
            "Issue an invoice, answered in summary",
            InvoiceSummary,
            ISSUE,
            body=invoices.Issuing,
            example={"synchronous": True},
            refused="This invoice cannot be issued before 2026-12-01T05:00:00+00:00.",
        ),
        invoices.void: Call(
            "Void an invoice",
            Invoice,
            "Works until a payment was received or is on its way, and gives credit back. The link keeps opening.",
            body=invoices.Nothing,
            example={},
            refused="Only an issued invoice can be voided; this one is paid.",
        ),
        paying.pay: Call(
            "Pay an invoice",
            Invoice,
            "Charges what is left to the customer's default payment method, and answers the invoice as it is after the "
            "gateway's answer: paid, still on its way (`payment_started_at`), or with a failed attempt. Send an "
            "Idempotency-Key: the same request then never charges twice, whatever breaks in between.",
            body=paying.Paying,
            example={},
            refused="This customer has no default payment method: she saves one when she pays in her portal.",
        ),
        invoices.mark_paid: Call(
            "Mark an invoice as paid",
            Invoice,
            "All that is left is taken as received. Refused while a payment is on its way.",
            body=invoices.Received,
            example={"payment_received_date": "2026-11-20", "external_id": "wire-123"},
            refused="Only an issued invoice can be paid; this one is void.",
        ),
        invoice_line_items.create: Call(
            "Add a line to a draft",
            LineItem,
            "`amount` is that of the whole line. An item of that name is used, or made, where `item_id` names none.",
            status=201,
            body=invoice_line_items.NewLine,
            finds=True,
            example={
                "invoice_id": "XimGiw3pnsgusvc3",
                "name": "Travel",
                "amount": "120.00",
                "quantity": 1,
                "start_date": "2026-10-01",
                "end_date": "2026-11-01",
            },
            refused="Only a draft can be given a line; this invoice is issued.",
        ),
        invoice_line_items.delete: Call(
            "Take a line off a draft",
            None,
            "Only one that was put there by hand.",
            status=204,
            refused="Only off a draft can a line be taken; this invoice is issued.",
        ),
        invoices.send: Call(
            "Send an invoice once more",
            Letter,
            "Queues its letter; the worker sends it. Ours.",
            status=202,
            body=invoices.Nothing,
            example={},
            refused="Only an issued invoice can be sent; this one is void.",
        ),
    },
)
