"""A customer's prepaid credits as she sees them: what counts today in each currency, and what happened to it lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any, Self

from peewee import JOIN

from portal.domain import money
from portal.domain.periods import local_day
from portal.models.credit import CreditBlock, CreditEntry
from portal.models.invoice import Invoice


@dataclass(frozen=True, slots=True)
class Block:
    """What is left of credits that came together; days are those where the customer is."""

    left: Decimal
    initial: Decimal
    start: date
    end: date | None  # exclusive; None: they stay

    @classmethod
    def of(cls, row: CreditBlock, timezone: str) -> Self:
        end = None if row.expires_at is None else local_day(row.expires_at, timezone)
        return cls(Decimal(row.balance), Decimal(row.initial), local_day(row.effective_at, timezone), end)


@dataclass(frozen=True, slots=True)
class Held:
    """The blocks of one currency or unit: those that count today, in the order of their use, and those to come."""

    unit: str
    today: date
    blocks: list[Block]
    to_come: list[Block]

    @property
    def is_money(self) -> bool:
        return self.unit in money.EXPONENTS

    @property
    def balance(self) -> Decimal:
        return money.total(block.left for block in self.blocks)

    @classmethod
    def of(cls, unit: str, rows: Sequence[CreditBlock], timezone: str, today: date) -> Self:
        blocks = [Block.of(row, timezone) for row in sorted(rows, key=CreditBlock.order)]
        lasting = [block for block in blocks if block.end is None or block.end > today]
        running = [block for block in lasting if block.start <= today]
        return cls(unit, today, running, sorted((b for b in lasting if b.start > today), key=lambda b: b.start))


@dataclass(frozen=True, slots=True)
class Moved:
    """One line of the ledger, and the invoice behind it where the customer may see that."""

    day: date
    unit: str
    type: str
    amount: Decimal
    ending_balance: Decimal
    invoice_id: str | None
    number: str | None

    @property
    def is_money(self) -> bool:
        return self.unit in money.EXPONENTS


@dataclass(frozen=True, slots=True)
class Prepaid:
    held: list[Held]
    moves: list[Moved]  # newest first

    @classmethod
    def of(cls, customer_id: str, timezone: str, today: date, size: int, *, hides_void: bool) -> Self:
        """With the latest `size` moves. Two queries, and one where the customer never had credits."""
        moves = _moves(customer_id, timezone, size, ("draft", "void") if hides_void else ("draft",))
        if not moves:
            return cls([], [])
        holding = CreditBlock.select().where(CreditBlock.customer == customer_id, CreditBlock.balance != "0")
        rows = sorted(holding, key=_unit)
        held = [Held.of(unit, list(same), timezone, today) for unit, same in groupby(rows, key=_unit)]
        return cls([one for one in held if one.blocks or one.to_come], moves)


def _moves(customer_id: str, timezone: str, size: int, hidden: tuple[str, ...]) -> list[Moved]:
    seen: Any = (Invoice.id == CreditEntry.invoice_id) & Invoice.status.not_in(hidden)
    told = (
        CreditEntry.created_at,
        CreditEntry.currency,
        CreditEntry.type,
        CreditEntry.amount,
        CreditEntry.ending_balance,
    )
    rows: Any = (
        CreditEntry.select(*told, Invoice.id, Invoice.number)
        .join(Invoice, JOIN.LEFT_OUTER, on=seen)
        .where(CreditEntry.customer == customer_id)
        .order_by(CreditEntry.created_at.desc(), CreditEntry.id.desc())
        .limit(size)
    )
    return [
        Moved(local_day(at, timezone), unit, type, Decimal(amount), Decimal(after), id, number)
        for at, unit, type, amount, after, id, number in rows.tuples()
    ]


def _unit(row: CreditBlock) -> str:
    return row.currency
