"""Corrections of a block of credits by hand: what is voided, put back, or moved to another date of expiry.

The customer is held until the caller's transaction ends.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from portal.domain import money
from portal.models.base import tuples
from portal.models.credit import CreditBlock, CreditEntry, IllegalMove, text
from portal.models.customer import Customer


def void(block: CreditBlock, amount: Decimal, reason: str | None, now: datetime, **said: Any) -> CreditEntry:
    """Takes credits out without anybody having used them. Raises IllegalMove."""
    _refuse_more(block, amount, "voided")
    return block.enter("void", -amount, now, detail={"void_amount": text(amount), "void_reason": reason}, **said)


def amend(block: CreditBlock, amount: Decimal, now: datetime, **said: Any) -> CreditEntry:
    """Puts back what decrements took. Raises IllegalMove where that is more than they took."""
    entries = CreditEntry.select(CreditEntry.amount).where(CreditEntry.block == block.id)
    moves = tuples(entries.where(CreditEntry.type.in_(["decrement", "amendment"])))
    taken = -money.total(Decimal(moved) for (moved,) in moves)
    most = min(taken, money.EXACT.subtract(Decimal(block.initial), Decimal(block.balance)))
    if block.expires_at and block.expires_at <= now:
        raise IllegalMove("this block has expired: add credits with an increment instead")
    if amount > most:
        raise IllegalMove(f"decrements took {text(most)} from this block: no more can be put back")
    return block.enter("amendment", amount, now, **said)


def move(block: CreditBlock, amount: Decimal, expires_at: datetime, now: datetime, **said: Any) -> CreditEntry:
    """Puts credits into a new block of the same terms that expires at another time. Raises IllegalMove."""
    _refuse_more(block, amount, "moved")
    if expires_at < block.effective_at:
        raise IllegalMove("target_expiry_date must not be before the date from which the block can be used")
    terms = {"effective_at": block.effective_at, "cost_basis": block.cost_basis, "filters": block.filters}
    customer = Customer(id=block.customer_id, account=block.account_id)
    new = CreditBlock.new(customer, amount, block.currency, now, expires_at=expires_at, **terms)
    new.put(amount)
    block.put(-amount)
    detail = {"new_block_id": new.id, "new_block_expiry_date": expires_at.isoformat()}
    entry = CreditEntry.write(block, "expiration_change", amount, Decimal(0), now, detail=detail, **said)
    CreditBlock.end(block.customer_id, now)
    return entry


def _refuse_more(block: CreditBlock, amount: Decimal, done: str) -> None:
    if amount > Decimal(block.balance):
        raise IllegalMove(f"{block.balance} is left in this block: no more can be {done}")
