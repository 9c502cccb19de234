"""Money given back: never more than was paid."""

from __future__ import annotations

from typing import Any

from portal.sandbox import events, payments
from portal.sandbox.book import Entry, ref
from portal.sandbox.disputes import refunded
from portal.sandbox.refusal import NotThere, Refused


def make(entry: Entry, payment: str, refund_id: str | None, amount: int | None, currency: str | None) -> str:
    """Gives back `amount`, or all that is left. `refund_id` is the portal's, None as if made in a dashboard."""
    row = payments.there(entry, payment)
    left = row["amount"] - refunded(entry, payment)
    if row["stage"] != "succeeded":
        raise Refused("Only what was paid can be refunded.")
    if entry.one("SELECT 1 FROM dispute WHERE payment = ? AND stage != 'won'", payment):
        raise Refused("What is disputed or was returned cannot be refunded.")
    if currency not in (None, row["currency"]):
        raise Refused(f"The payment was made in {row['currency']}.")
    if left == 0 or (amount is not None and not 0 < amount <= left):
        raise Refused(f"At most {left} minor units of the payment can be refunded.")
    made = ref("ref")
    # A card is credited at once, an account in days.
    stage = "succeeded" if row["method"] == "card" else "pending"
    entry.add(
        "refund", ref=made, payment=payment, refund_id=refund_id, amount=amount or left, stage=stage, since=entry.now
    )
    _tell(entry, made)
    return made


def shape(entry: Entry, ref: str) -> dict[str, Any]:
    row = _there(entry, ref)
    payment = payments.there(entry, row["payment"])
    return {
        "object": "refund",
        "ref": ref,
        "payment_ref": row["payment"],
        "payment_id": payment["payment_id"],
        "refund_id": row["refund_id"],
        "stage": row["stage"],
        "amount": row["amount"],
        "currency": payment["currency"],
        "live": False,
    }


def settle(entry: Entry, ref: str, stage: str) -> None:
    if _there(entry, ref)["stage"] == "pending":
        entry.change("refund", ref, stage=stage)
        _tell(entry, ref)


def settle_due(entry: Entry, before: int) -> int:
    rows = entry.all("SELECT ref FROM refund WHERE stage = 'pending' AND since <= ? ORDER BY since", before)
    for row in rows:
        settle(entry, row["ref"], "succeeded")
    return len(rows)


def _there(entry: Entry, ref: str) -> Any:
    row = entry.one("SELECT * FROM refund WHERE ref = ?", ref)
    if row is None:
        raise NotThere(f"There is no refund {ref}.")
    return row


def _tell(entry: Entry, ref: str) -> None:
    told = shape(entry, ref)
    payment = payments.there(entry, told["payment_ref"])
    events.tell(entry, f"refund.{told['stage']}", told, payment["notify_url"])
