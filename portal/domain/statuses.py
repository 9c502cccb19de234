"""The status that a reader sees; overdue, processing and payment failed are stored nowhere but follow from the rest."""

from __future__ import annotations

from datetime import date

from portal.domain.settlement import has_failed, is_on_its_way

# What is stored is Orb's: draft, issued, paid, synced, void. Synced was sent on to another system, and is issued here.
STORED = ("draft", "issued", "paid", "synced", "void")

# What is shown, the most pressing first.
SHOWN = ("payment_failed", "overdue", "issued", "processing", "draft", "paid", "void")


class UnknownStatus(ValueError):
    """A status that no invoice has."""


def shown(status: str, due: date | None, today: date, remaining: int, standing: str | None = None) -> str:
    """One of SHOWN, for an invoice stored as `status` that still owes `remaining` minor units.

    `today` is the day in the customer's time zone; on its due date an invoice is not overdue yet. `standing` is where
    its latest payment stands (domain.settlement: a stage, or that it was returned). Money on its way
    comes before a payment that failed, which says more than overdue does. Raises UnknownStatus.
    """
    if status not in STORED:
        raise UnknownStatus(f"an invoice's status must be one of {', '.join(STORED)}.")
    if status not in ("issued", "synced"):
        return status
    if remaining <= 0:
        return "paid"
    if is_on_its_way(standing):
        return "processing"
    if has_failed(standing):
        return "payment_failed"
    return "overdue" if due is not None and due < today else "issued"
