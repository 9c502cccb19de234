"""An invoice as a table for spreadsheets: a row for each line, and nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from portal.documents.line import Line
from portal.documents.paper import Paper
from portal.domain.money import wire

COLUMNS = (
    "invoice_number",
    "invoice_date",
    "due_date",
    "currency",
    "name",
    "start_date",
    "end_date",  # inclusive
    "quantity",
    "unit",
    "unit_price",
    "share_of_period",  # a fraction, where not all of a period is charged
    "subtotal",
    "adjustments",
    "credits_applied",
    "billed_before",
    "amount",
    "tax",
)
# A cell that begins like this is a formula to some spreadsheet.
ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n")


def written(paper: Paper) -> str:
    """The rows of `paper`, as RFC 4180 has it. Amounts and tax of all rows add up to the invoice's total."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(paper))
    return text.getvalue()


def harmless(text: str) -> str:
    """`text`, so that no spreadsheet takes it for a formula. Not for numbers: they may begin with a minus."""
    return f"'{text}" if text.startswith(ACTIVE) else text


def _rows(paper: Paper) -> Iterator[tuple[str, ...]]:
    due = paper.due_date.isoformat() if paper.due_date else ""
    for line in paper.lines:
        money = (wire(minor, paper.currency) for minor in _amounts(line))
        yield (
            harmless(paper.number),
            paper.invoice_date.isoformat(),
            due,
            paper.currency,
            harmless(line.name),
            line.start.isoformat(),
            line.last.isoformat(),
            line.quantity,
            harmless(line.unit),
            line.unit_price or "",
            line.share.fraction if line.share else "",
            *money,
        )


def _amounts(line: Line) -> tuple[int, ...]:
    changed = sum(one["amount"] for one in line.adjustments)
    return line.subtotal, changed, -line.credits, -line.billed_before, line.amount, line.tax
