"""Prepaid credits: blocks that were bought or given, and the ledger of all that was put in and taken out.

Each change of a block writes an entry, so that the blocks of a customer and a currency always add up to where her
ledger stands. Verbs that take `customer` have her held until their transaction ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from peewee import SQL, CharField, Check, ForeignKeyField, IntegerField, TextField

from portal.domain import money
from portal.models.account import Account
from portal.models.base import EPOCH, IdField, InstantField, JsonField, Row, db, tuples
from portal.models.customer import Customer

UNIT = "credits"  # what credits are counted in where no currency is named
BATCH = 100  # customers whose blocks run out at once
TICK = timedelta(microseconds=1)


class IllegalMove(ValueError):
    """The block does not hold, or did not give, what was asked of it. The message says what would do."""


class CreditBlock(Row):
    """Credits of one currency (or of "credits", a unit of its own) that came together and expire together."""

    id = IdField()
    account = ForeignKeyField(Account, index=False)
    account_id: str
    customer = ForeignKeyField(Customer, backref="credit_blocks", index=False)
    customer_id: str
    created_at = InstantField()
    currency = CharField(max_length=64)
    initial = TextField()  # decimal text, like every amount here; zero is always "0"
    balance = TextField()
    effective_at = InstantField()
    expires_at = InstantField(null=True)
    cost_basis = TextField(null=True)  # what a credit was paid with
    source = CharField(max_length=16, default="manual")
    description = TextField(null=True)
    filters = JsonField(default=list)
    metadata = JsonField(default=dict)

    class Meta:
        indexes = ((("customer", "currency", "effective_at", "id"), False),)

    @classmethod
    def running(cls, customer_id: str, currency: str, at: datetime) -> list[Self]:
        """The blocks that count at `at`, in the order in which they are used up. One query."""
        lasts: Any = cls.expires_at.is_null() | (cls.expires_at > at)
        mine = cls.select().where(cls.customer == customer_id, cls.currency == currency)
        return sorted(mine.where(cls.balance != "0", cls.effective_at <= at, lasts), key=cls.order)

    @classmethod
    def available(cls, customer_id: str, currency: str, at: datetime) -> Decimal:
        """What an invoice in `currency` could take at `at`, in major units; never less than nothing. One query."""
        return Decimal(money.wire(cls.at_hand(customer_id, currency, at), currency))

    @classmethod
    def at_hand(cls, customer_id: str, currency: str, at: datetime) -> int:
        """`available` in minor units."""
        return held(cls.running(customer_id, currency, at), currency)

    @classmethod
    def holding(cls, customer_id: str) -> list[Self]:
        """Her blocks that are not used up, those too that count later or no more."""
        return list(cls.select().where(cls.customer == customer_id, cls.balance != "0"))

    def order(self) -> tuple[object, ...]:
        """Soonest expiry, then lowest cost, then oldest, as Orb has it."""
        never, cost = self.expires_at is None, Decimal(self.cost_basis or 0)
        return never, self.expires_at or EPOCH, cost, self.effective_at, self.created_at, self.id

    def counts(self, at: datetime) -> bool:
        return self.effective_at <= at and (self.expires_at is None or at < self.expires_at)

    @classmethod
    def give(cls, customer: Customer, amount: Decimal, currency: str, now: datetime, **fields: Any) -> CreditEntry:
        """A new block, and the entry that puts it in. `metadata` and `description` stand on both."""
        cls.end(customer.id, now)
        block = cls.new(customer, amount, currency, now, **fields)
        said = {name: fields[name] for name in ("description", "metadata") if name in fields}
        return block.enter("increment", amount, now, **said)

    @classmethod
    def take(cls, customer: Customer, amount: Decimal, currency: str, now: datetime, **said: Any) -> CreditEntry:
        """Takes `amount` from the blocks in their order, an entry for each; the last is the answer.

        What they do not hold is owed, by a block that never expires.
        """
        cls.end(customer.id, now)
        shares, missing = shared(cls.running(customer.id, currency, now), amount)
        if missing:
            owing = cls._owing(customer, currency, now)
            shares[owing.id] = (owing, money.EXACT.add(shares.get(owing.id, (owing, Decimal(0)))[1], missing))
        return [block.enter("decrement", -share, now, **said) for block, share in shares.values()][-1]

    @classmethod
    def spend(cls, customer: Customer, minor: int, currency: str, invoice_id: str, now: datetime) -> None:
        """Takes `minor` for an invoice. Raises IllegalMove where that is more than is available."""
        cls.end(customer.id, now)
        amount = worth(minor, currency)
        if amount > cls.available(customer.id, currency, now):
            raise IllegalMove(f"there are fewer prepaid credits than {money.wire(minor, currency)} {currency}")
        for block, share in shared(cls.running(customer.id, currency, now), amount)[0].values():
            block.enter("decrement", -share, now, invoice_id=invoice_id)

    @classmethod
    def give_back(cls, customer: Customer, invoice_id: str, now: datetime) -> None:
        """Puts back into each block what an invoice took from it. What has expired meanwhile then expires."""
        entries = CreditEntry.select(CreditEntry.block, CreditEntry.amount)
        taken: dict[str, Decimal] = {}
        for block_id, amount in tuples(
            entries.where(CreditEntry.invoice_id == invoice_id).order_by(CreditEntry.sequence)
        ):
            taken[block_id] = money.EXACT.subtract(taken.get(block_id, Decimal(0)), Decimal(amount))
        for block_id, amount in taken.items():
            if amount > 0:
                cls.get_by_id(block_id).enter("amendment", amount, now, invoice_id=invoice_id)
        cls.end(customer.id, now)

    @classmethod
    def expire(cls, now: datetime) -> int:
        """Ends the blocks whose time is over, of a batch of customers, and says how many those were."""
        over = cls.select(cls.customer).where(_is_over(now)).distinct().limit(BATCH)
        count = 0
        for (customer_id,) in tuples(over):
            with db.atomic():
                count += cls.end(Customer(id=customer_id).held().id, now)
        return count

    @classmethod
    def end(cls, customer_id: str, now: datetime) -> int:
        """Ends her blocks whose time is over: what is left of them is taken out. She is held."""
        over = cls.select().where(cls.customer == customer_id, _is_over(now)).order_by(cls.expires_at, cls.id)
        return len([block.enter("credit_block_expiry", -Decimal(block.balance), now) for block in list(over)])

    def enter(self, type: str, amount: Decimal, now: datetime, **said: Any) -> CreditEntry:
        """Changes the block by `amount`, and writes it down."""
        self.put(amount)
        return CreditEntry.write(self, type, amount, amount, now, **said)

    def put(self, amount: Decimal) -> None:
        """Changes the block alone: an entry has to say so too."""
        self.leave(-amount)
        CreditBlock.update(balance=self.balance).where(CreditBlock.id == self.id).execute()

    def leave(self, share: Decimal) -> None:
        """Its balance less `share`, in memory."""
        self.balance = text(money.EXACT.subtract(Decimal(self.balance), share))

    @classmethod
    def new(cls, customer: Customer, amount: Decimal, currency: str, now: datetime, **fields: Any) -> Self:
        """A block that is still empty: its entry fills it."""
        named = {"account": customer.account_id, "customer": customer, "created_at": now, "effective_at": now}
        return cls.create(**{**named, **fields}, currency=currency, initial=text(amount), balance="0")

    @classmethod
    def _owing(cls, customer: Customer, currency: str, now: datetime) -> Self:
        """The block that goes below zero: the newest that never expires."""
        mine = cls.select().where(cls.customer == customer, cls.currency == currency, cls.effective_at <= now)
        newest = mine.where(cls.expires_at.is_null()).order_by(cls.created_at.desc(), cls.id).first()
        return newest or cls.new(customer, Decimal(0), currency, now)


def worth(minor: int, currency: str) -> Decimal:
    """Minor units as blocks are counted."""
    return Decimal(money.wire(minor, currency))


def held(blocks: Sequence[CreditBlock], currency: str) -> int:
    left = max(money.total(Decimal(block.balance) for block in blocks), Decimal(0))
    return int(money.EXACT.scaleb(left, money.exponent(currency)))  # what is finer stays


# Spelled out, as what leads a query to this index. Few blocks are in it: those that still hold something.
HOLDS = SQL("balance <> '0'")
CreditBlock.add_index(CreditBlock.index(CreditBlock.expires_at, where=HOLDS, name="credit_block_that_expires"))


class CreditEntry(Row):
    """One line of the ledger; the rows of a customer and a currency chain from one balance to the next."""

    id = IdField()
    customer = ForeignKeyField(Customer, backref="credit_entries", index=False)
    customer_id: str
    block = ForeignKeyField(CreditBlock, backref="entries")
    block_id: str
    created_at = InstantField()
    currency = CharField(max_length=64)
    sequence = IntegerField()  # from 1, for each customer and currency
    type = CharField(max_length=20)
    status = CharField(max_length=9, default="committed", constraints=[Check("status IN ('committed', 'pending')")])
    amount = TextField()  # decimal text, as it changes the balance; of an expiration_change, what was moved
    starting_balance = TextField()
    ending_balance = TextField()
    description = TextField(null=True)
    invoice_id = CharField(max_length=16, null=True, index=True)  # no foreign key: invoices come after credits
    detail = JsonField(default=dict)  # what this type of entry says besides
    metadata = JsonField(default=dict)

    class Meta:
        indexes = ((("customer", "currency", "sequence"), True), (("customer", "created_at", "id"), False))

    @classmethod
    def write(cls, block: CreditBlock, type: str, amount: Decimal, change: Decimal, now: datetime, **said: Any) -> Self:
        """The next line. Raises NotRepresentable where the balance grows longer than a number may be."""
        mine = cls.select().where(cls.customer == block.customer_id, cls.currency == block.currency)
        last = mine.order_by(cls.sequence.desc()).first()
        starting = Decimal(last.ending_balance) if last else Decimal(0)
        return cls.create(
            customer=block.customer_id,
            block=block,
            # Later than the line before it, so that lists by time have the order of the chain.
            created_at=max(now, last.created_at + TICK) if last else now,
            currency=block.currency,
            sequence=last.sequence + 1 if last else 1,
            type=type,
            amount=text(amount),
            starting_balance=text(starting),
            ending_balance=text(money.number(money.EXACT.add(starting, change))),
            **said,
        )


def shared(blocks: Sequence[CreditBlock], amount: Decimal) -> tuple[dict[str, tuple[CreditBlock, Decimal]], Decimal]:
    """How much each block gives of `amount`, and what is missing."""
    shares = {}
    for block in blocks:
        share = min(amount, Decimal(block.balance))
        if share > 0:
            shares[block.id] = (block, share)
            amount = money.EXACT.subtract(amount, share)
    return shares, amount


def _is_over(now: datetime) -> Any:
    return HOLDS & (CreditBlock.expires_at <= now)


def text(amount: Decimal) -> str:
    """As an amount is kept: in digits, without needless zeros."""
    return money.plain(amount.normalize(money.EXACT))
