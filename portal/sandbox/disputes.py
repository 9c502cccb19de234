"""Money that somebody wants back: disputes, and the returns of bank debits."""

from __future__ import annotations

from typing import Any

from portal.sandbox import events
from portal.sandbox.book import Entry, ref
from portal.sandbox.refusal import Refused


def returned(entry: Entry, payment: Any) -> dict[str, Any] | None:
    """The payer's bank takes back what is left of it, if anything: lost from the start."""
    left = payment["amount"] - refunded(entry, payment["ref"])
    return _told(entry, payment, "lost", left, "insufficient_funds", True) if left else None


def dispute(entry: Entry, payment: Any, stage: str, amount: int | None) -> dict[str, Any]:
    """Opens, loses or wins the dispute about a payment. Raises Refused where nothing was paid."""
    if payment["stage"] != "succeeded":
        raise Refused("Only what was paid can be disputed.")
    return _told(entry, payment, stage, amount or payment["amount"], "fraudulent", False)


def refunded(entry: Entry, payment: str) -> int:
    """What has gone back, or is on its way back."""
    row = entry.one(
        "SELECT COALESCE(SUM(amount), 0) AS sum FROM refund WHERE payment = ? AND stage != 'failed'", payment
    )
    return int(row["sum"]) if row else 0


def _told(entry: Entry, payment: Any, stage: str, amount: int, reason: str, is_return: bool) -> dict[str, Any]:
    """One a payment, which later news is about as well."""
    row = entry.one("SELECT * FROM dispute WHERE payment = ?", payment["ref"])
    if row:
        made, amount, reason, is_return = row["ref"], row["amount"], row["reason"], bool(row["is_return"])
        entry.change("dispute", made, stage=stage)
    else:
        made = ref("dsp")
        entry.add(
            "dispute",
            ref=made,
            payment=payment["ref"],
            stage=stage,
            amount=amount,
            reason=reason,
            is_return=is_return,
        )
    told = {
        "object": "dispute",
        "ref": made,
        "payment_ref": payment["ref"],
        "payment_id": payment["payment_id"],
        "stage": stage,
        "amount": amount,
        "currency": payment["currency"],
        "live": False,
        "reason": reason,
        "is_return": is_return,
    }
    events.tell(entry, f"dispute.{stage}", told, payment["notify_url"])
    return told
