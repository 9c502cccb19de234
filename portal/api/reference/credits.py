"""Prepaid credits, the balance and credit notes, described."""

from __future__ import annotations

from portal.api import balance_transactions, credit_blocks, credit_notes, ledger, paging
from portal.api.answers.credit import CreditBlock, CreditNote, LedgerEntry
from portal.api.answers.invoice import BalanceMove
from portal.api.answers.kinds import Page
from portal.api.reference.call import Call, Section

BLOCKS = (
    "Those with something left, which have not expired; all of them with `include_all_blocks=true`. `currency` is "
    "`credits` unless it is named."
)
WRITE = (
    "Adds credits, takes some, moves when they expire, voids or amends a block: `entry_type` says which, and which "
    "other fields belong to it. Amounts are JSON numbers."
)
ADD = {"entry_type": "increment", "amount": 50, "currency": "credits", "expiry_date": "2027-11-01"}
REFUSED = "Nothing is left in this block that could be moved."
MOVE = "Credit for her next invoices (`increment`), or a debt that they add (`decrement`). `amount` is text."
MOVES = "What moved it, the newest first."
GIVEN = {"amount": "25.00", "type": "increment", "description": "Goodwill"}

CREDITS = Section(
    "Credits",
    "Prepaid credits: blocks that expire at midnight where the customer is, and a ledger of all that moved them.",
    {
        credit_blocks.listed: Call("List credit blocks", Page[CreditBlock], BLOCKS, query=credit_blocks.Filters),
        credit_blocks.listed_by_external_id: Call(
            "List credit blocks by your id", Page[CreditBlock], BLOCKS, query=credit_blocks.Filters
        ),
        ledger.listed: Call(
            "List the entries of the ledger", Page[LedgerEntry], "The newest first.", query=ledger.Filters
        ),
        ledger.listed_by_external_id: Call(
            "List the entries of the ledger by your id", Page[LedgerEntry], "The newest first.", query=ledger.Filters
        ),
        ledger.create: Call(
            "Write an entry", LedgerEntry, WRITE, status=201, body=ledger.NewEntry, example=ADD, refused=REFUSED
        ),
        ledger.create_by_external_id: Call(
            "Write an entry by your id",
            LedgerEntry,
            WRITE,
            status=201,
            body=ledger.NewEntry,
            example=ADD,
            refused=REFUSED,
        ),
    },
)

BALANCE = Section(
    "Balance",
    "Money of a customer that her next invoices take, or that they add. It is no prepaid credit: it is used after tax, "
    "and never expires.",
    {
        balance_transactions.create: Call(
            "Move the balance",
            BalanceMove,
            MOVE,
            status=201,
            body=balance_transactions.NewTransaction,
            example=GIVEN,
            refused="This customer has no currency yet: set currency before you move her balance.",
        ),
        balance_transactions.listed: Call(
            "List what moved the balance", Page[BalanceMove], MOVES, query=balance_transactions.Filters
        ),
        balance_transactions.create_by_external_id: Call(
            "Move the balance by your id",
            BalanceMove,
            f"{MOVE} Ours.",
            status=201,
            body=balance_transactions.NewTransaction,
            example=GIVEN,
            refused="This customer has no currency yet: set currency before you move her balance.",
        ),
        balance_transactions.listed_by_external_id: Call(
            "List what moved the balance by your id",
            Page[BalanceMove],
            f"{MOVES} Ours.",
            query=balance_transactions.Filters,
        ),
    },
)

CREDIT_NOTES = Section(
    "Credit notes",
    "Lines of an issued invoice that are taken back, in full or in part. What is owed becomes less; what was paid "
    "goes to the customer's balance.",
    {
        credit_notes.create: Call(
            "Create a credit note",
            CreditNote,
            "Of lines of one invoice. Tax goes back with them.",
            status=201,
            body=credit_notes.NewNote,
            finds=True,
            example={
                "line_items": [{"invoice_line_item_id": "XimGiw3pnsgusvc3", "amount": "10.00"}],
                "reason": "duplicate",
                "memo": "Charged twice",
            },
            refused="Only an issued invoice can be credited; this one is a draft.",
        ),
        credit_notes.listed: Call("List credit notes", Page[CreditNote], "The newest first.", query=paging.Dated),
        credit_notes.fetch: Call("Fetch a credit note", CreditNote),
    },
)
