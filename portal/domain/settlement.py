"""How far a payment has come, and whose money it was: news may come twice, late and out of order.

A payment, a refund and a dispute each stand at the furthest stage that was heard of. What is booked follows from
where they stand, never from how often or in which order they were told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# What is told later in these lists is believed over what is told earlier. A gateway that took the money after all
# is believed over everything: a payment that failed or was given up may still succeed.
STAGES = ("begun", "action", "processing", "canceled", "failed", "succeeded")
REFUND_STAGES = ("begun", "pending", "succeeded", "failed")  # a bank may send one back after it had gone out
DISPUTE_STAGES = ("opened", "lost", "won")  # one that was lost can still be won, by the last word of a bank
LIVE = ("begun", "action", "processing")  # the money may still come: nothing else may be charged meanwhile
ON_ITS_WAY = ("begun", "processing")
RETURNED = "returned"  # what an invoice's latest payment is called once its money went back
FAILED = ("failed", RETURNED)


class UnknownStage(ValueError):
    """A stage that no payment, refund or dispute has."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one invoice has of an amount, in minor units."""

    invoice_id: str
    amount: int


def furthest(stage: str, heard: str, stages: Sequence[str] = STAGES) -> str:
    """The one of the two that comes later in `stages`. Raises UnknownStage."""
    try:
        return stages[max(stages.index(stage), stages.index(heard))]
    except ValueError:
        raise UnknownStage(f"a stage is one of {', '.join(stages)}.") from None


def is_on_its_way(standing: str | None) -> bool:
    """Is money on its way, where the latest payment of an invoice stands at `standing`?"""
    return standing in ON_ITS_WAY


def has_failed(standing: str | None) -> bool:
    """Did the latest payment of an invoice fail, or go back?"""
    return standing in FAILED


def spread(amount: int, shares: Sequence[Share]) -> tuple[list[Share], int]:
    """`amount` over `shares`, the first ones filled first, and what is left over when all are full."""
    found = []
    for share in shares:
        part = min(share.amount, amount)
        amount -= part
        if part:
            found.append(Share(share.invoice_id, part))
    return found, amount


def takes(moved: int, remaining: int) -> tuple[int, int]:
    """What of `moved` an invoice with `remaining` left still takes, and the surplus."""
    taken = min(moved, max(remaining, 0))
    return taken, moved - taken


def went_back(received: int, surplus: int, refunded: int, returned: int) -> dict[str, int]:
    """What the bookings of one invoice's share come to, by kind, in minor units, beside what was received.

    `surplus` of the `received` became the customer's balance. Refunds eat a share from its end, where the surplus is;
    what they take of the invoice's own part is written off. Returns eat it from its beginning, and that is owed again.
    So it does not matter which of them was heard of first.
    """
    from_surplus = min(refunded, surplus)
    own = received - surplus
    return {
        "refunded": -refunded,
        "returned": -returned,
        "written_off": refunded - from_surplus,
        "surplus": from_surplus + max(returned - own, 0) - surplus,
    }
