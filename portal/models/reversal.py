"""What of a payment went back, and who bears it: worked out from its refunds and disputes, never counted up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from portal.domain.settlement import Share, spread, went_back
from portal.models.base import rows
from portal.models.held import Held
from portal.models.invoice import settled
from portal.models.payment import Allocation, Booking
from portal.models.settling import to_surplus

OVER = ":over"  # how the ref of surplus ends that came with money that came back


def follow(held: Held, cause: str, now: datetime, by: str) -> list[str]:
    """Brings the bookings of a payment to where its refunds and disputes stand; `cause` is the one that has changed.

    The ids of the invoices of which something is newly returned.
    """
    booked = _booked(held)
    received = {id: sum(row.amount for row in there if row.kind == "received") for id, there in booked.items()}
    refunded = _refunded(held.payment.id)
    returned = _returned(held.payment.id, received, refunded)
    for id, there in booked.items():
        _bring(held, id, there, refunded.get(id, 0), returned.get(id, 0), cause, now, by)
    return _flag(held, returned)


def _booked(held: Held) -> dict[str, list[Booking]]:
    """The bookings of each invoice, in the order of their ids."""
    found: dict[str, list[Booking]] = {id: [] for id in sorted(held.invoices)}
    for row in Booking.select().where(Booking.payment == held.payment):
        found[row.invoice_id].append(row)
    return found


def _refunded(payment_id: str) -> dict[str, int]:
    found: dict[str, int] = {}
    gone = rows("SELECT shares FROM refund WHERE payment_id = ? AND stage IN ('pending', 'succeeded')", payment_id)
    for (shares,) in gone:
        for invoice_id, amount in json.loads(shares):
            found[invoice_id] = found.get(invoice_id, 0) + amount
    return found


def _returned(payment_id: str, received: dict[str, int], refunded: dict[str, int]) -> dict[str, int]:
    """Of what is lost at most what was there: a bank takes back no more than it has brought."""
    ((lost,),) = rows("SELECT SUM(amount) FROM dispute WHERE payment_id = ? AND stage = 'lost'", payment_id)
    left = [Share(id, max(amount - refunded.get(id, 0), 0)) for id, amount in received.items()]
    return {share.invoice_id: share.amount for share in spread(int(lost or 0), left)[0]}


def _bring(
    held: Held, id: str, there: Sequence[Booking], refunded: int, returned: int, cause: str, now: datetime, by: str
) -> None:
    received = sum(row.amount for row in there if row.kind == "received")
    wanted = went_back(received, _surplus(there), refunded, returned)
    booked = {kind: sum(row.amount for row in there if _kind(row) == kind) for kind in wanted}
    change = {kind: wanted[kind] - booked[kind] for kind in wanted}
    if not any(change.values()):
        return
    ref = f"{cause}:{len({row.ref for row in there if row.ref.startswith(cause)})}"
    for kind, amount in change.items():
        name = "reinstated" if kind == "returned" and amount > 0 else kind
        Booking.write(held.payment, id, name, amount, now, ref)
    if change["surplus"]:
        held.to_balance(-change["surplus"], id, now)
    held.update(id, now)
    if change["returned"] > 0 and (over := _overpaid(held, id)):
        to_surplus(held, id, over, now, by, f"{ref}{OVER}")
        _bring(held, id, _booked(held)[id], refunded, returned, cause, now, by)


def _kind(row: Booking) -> str:
    return "returned" if row.kind == "reinstated" else row.kind


def _surplus(there: Sequence[Booking]) -> int:
    """What went to the balance: as the money came in, or as it came back to an invoice that was paid meanwhile."""
    came_in = {row.ref for row in there if row.kind == "received"}
    return -sum(row.amount for row in there if row.kind == "surplus" and (row.ref in came_in or row.ref.endswith(OVER)))


def _overpaid(held: Held, id: str) -> int:
    """What is settled of an invoice beyond what it asks for; one that is void asks for nothing."""
    invoice = held.invoices[id]
    return max(settled([id])[id] - (0 if invoice.status == "void" else invoice.amount_due), 0)


def _flag(held: Held, returned: dict[str, int]) -> list[str]:
    newly = []
    for one in held.allocations:
        is_back = bool(returned.get(one.invoice_id))
        if is_back != one.returned:
            Allocation.update(returned=is_back).where(Allocation.id == one.id).execute()
            one.returned = is_back
            newly += [one.invoice_id] if is_back else []
    return newly
