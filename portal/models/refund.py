"""Money that goes back because the operator wants it to. It never reopens an invoice: what goes back is written off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

from peewee import BigIntegerField, CharField, Check, ForeignKeyField, IntegerField, TextField

from portal.domain import money
from portal.domain.settlement import REFUND_STAGES, Share, furthest, spread
from portal.models import reversal
from portal.models.account import Account
from portal.models.base import IdField, InstantField, JsonField, Row, db
from portal.models.credit_note import CreditNote
from portal.models.held import Held
from portal.models.invoice import IllegalState
from portal.models.payment import BY_HAND, Booking, Payment, one_of
from portal.models.record import Record
from portal.models.settling import FIRST_ASK, HOUR, PAUSES, Foreign, write

GONE = ("pending", "succeeded")  # the money has left
HERE = ("received", "refunded", "returned", "reinstated")  # what of a payment is still here is the sum of these


class Refund(Row):
    id = IdField()
    account = ForeignKeyField(Account, index=False)
    account_id: str
    payment = ForeignKeyField(Payment, backref="refunds")
    payment_id: str
    created_at = InstantField()
    created_by = TextField()
    amount = BigIntegerField(constraints=[Check("amount > 0")])  # minor units
    shares = JsonField()  # [[invoice id, minor units]]: which allocations it takes from
    reason = TextField(null=True)
    stage = CharField(max_length=9, constraints=[one_of("stage", REFUND_STAGES)])
    gateway_ref = TextField(null=True)
    tries = IntegerField(default=0)
    ask_at = InstantField(null=True, index=True)  # when the worker asks the gateway; None: it has answered

    class Meta:
        indexes = ((("payment", "gateway_ref"), True),)

    @classmethod
    def begin(
        cls, payment_id: str, shares: Sequence[Share] | int | None, now: datetime, by: str, reason: str | None = None
    ) -> Self:
        """A refund of these shares, of so much in all, or of all that is still here, before the gateway hears of it.

        Raises IllegalState unless the payment succeeded and has that much left on these allocations.
        """
        with db.atomic():
            held = Held.of(payment_id)
            payment = held.payment
            if payment.gateway == BY_HAND or payment.stage != "succeeded":
                raise IllegalState("only a payment that a gateway has collected can be refunded")
            left = refundable(held)
            parts = _parts(shares, left, payment.currency)
            refund = cls.create(
                account=payment.account_id,
                payment=payment,
                created_at=now,
                created_by=by,
                amount=sum(part.amount for part in parts),
                shares=[[part.invoice_id, part.amount] for part in parts],
                reason=reason,
                stage="begun",
                ask_at=now + FIRST_ASK,
            )
            Record.write(payment.account_id, now, by, "refund.begun", payment.id, refund=refund.id)
        return refund

    @classmethod
    def hear(
        cls,
        payment_id: str,
        *,
        id: str | None,
        ref: str,
        stage: str,
        amount: int,
        currency: str,
        now: datetime,
        by: str,
    ) -> Self | None:
        """Where a refund stands, as the gateway says; one that was made there is new to us. Raises Foreign.

        None where there is nothing left that it could have taken.
        """
        with db.atomic():
            held = Held.of(payment_id)
            if held.payment.currency != currency:
                raise Foreign(f"a refund in {currency} of a payment in {held.payment.currency}")
            refund = cls._known(payment_id, id, ref) or cls._found(held, ref, amount, now)
            if refund is None:
                return None
            before, refund.stage = refund.stage, furthest(refund.stage, stage, REFUND_STAGES)
            refund.gateway_ref, refund.ask_at = ref, None
            if before == "begun" and amount != refund.amount:
                refund._is_of(amount, now, by)
            refund.save(only=[cls.stage, cls.gateway_ref, cls.ask_at, cls.amount, cls.shares])
            if refund.stage != before:
                Record.write(held.payment.account_id, now, by, f"refund.{refund.stage}", payment_id, refund=refund.id)
            if refund.stage in GONE and before not in GONE:
                write(held, "refund", now, f"refund:{refund.id}", refund.shares[0][0])
            reversal.follow(held, refund.id, now, by)
        return refund

    def put_off(self, now: datetime) -> None:
        """No answer came: it is asked for again."""
        pause = PAUSES[self.tries] if self.tries < len(PAUSES) else HOUR
        mine = (Refund.id == self.id) & (Refund.stage == "begun")
        Refund.update(tries=Refund.tries + 1, ask_at=now + pause).where(mine).execute()

    def refuse(self, now: datetime, by: str) -> None:
        """The gateway would not make it."""
        with db.atomic():
            Held.of(self.payment_id)
            begun = (Refund.id == self.id) & (Refund.stage == "begun")
            if Refund.update(stage="failed", ask_at=None).where(begun).execute():
                Record.write(self.account_id, now, by, "refund.failed", self.payment_id, refund=self.id)

    @classmethod
    def _known(cls, payment_id: str, id: str | None, ref: str) -> Self | None:
        """By the gateway's name for it; by ours for as long as it has none."""
        of_payment = cls.select().where(cls.payment == payment_id)
        found: Self | None = of_payment.where(cls.gateway_ref == ref).first()
        return found or of_payment.where(cls.id == id, cls.gateway_ref.is_null()).first()

    @classmethod
    def _found(cls, held: Held, ref: str, amount: int, now: datetime) -> Self | None:
        """One that was made at the gateway. It went before what a bank took back, whichever was heard of first.

        What of ours it has not answered yet takes nothing from it: that may still be refused.
        """
        parts, _ = spread(amount, _left(held, ("received", "refunded"), {}))
        if not parts:
            return None
        payment = held.payment
        return cls.create(
            account=payment.account_id,
            payment=payment,
            created_at=now,
            created_by=payment.gateway,
            amount=sum(part.amount for part in parts),
            shares=[[part.invoice_id, part.amount] for part in parts],
            stage="begun",
            gateway_ref=ref,
        )

    def _is_of(self, amount: int, now: datetime, by: str) -> None:
        """What moved counts, not what was asked for; but never more than this payment has left."""
        Record.write(self.account_id, now, by, "refund.other_amount", self.payment_id, refund=self.id, moved=amount)
        if parts := spread(amount, [Share(*share) for share in self.shares])[0]:
            self.amount = sum(part.amount for part in parts)
            self.shares = [[part.invoice_id, part.amount] for part in parts]


def refundable(held: Held) -> list[Share]:
    """What of each allocation is still here and not yet asked back, in minor units.

    What a credit note gave of an invoice to the customer's balance is not given a second time.
    """
    notes = CreditNote.of_all(sorted(held.invoices))
    given = {id: sum(note.to_balance for note in of if note.voided_at is None) for id, of in notes.items()}
    here = _left(held, HERE, _asked(held))
    left = [Share(share.invoice_id, share.amount - given[share.invoice_id]) for share in here]
    return [share for share in left if share.amount > 0]


def _asked(held: Held) -> dict[str, int]:
    """What was asked back of each invoice, and not answered yet."""
    asked: dict[str, int] = {}
    for refund in Refund.select().where(Refund.payment == held.payment, Refund.stage == "begun"):
        for invoice_id, amount in refund.shares:
            asked[invoice_id] = asked.get(invoice_id, 0) + amount
    return asked


def _left(held: Held, kinds: Sequence[str], asked: Mapping[str, int]) -> list[Share]:
    sums = Booking.sums(held.payment.id)
    left = [
        Share(id, sum(sums.get((id, kind), 0) for kind in kinds) - asked.get(id, 0)) for id in sorted(held.invoices)
    ]
    return [share for share in left if share.amount > 0]


def _parts(shares: Sequence[Share] | int | None, left: Sequence[Share], currency: str) -> list[Share]:
    here = {share.invoice_id: share.amount for share in left}
    if shares is None:
        parts = list(left)
    elif isinstance(shares, int):
        parts, over = spread(shares, left)
        if over or shares <= 0:
            most = money.wire(sum(here.values()), currency)
            raise IllegalState(f"a refund is above zero and at most what is left of the payment, {currency} {most}")
    else:
        parts = list(shares)
        if len({part.invoice_id for part in parts}) < len(parts):
            raise IllegalState("name each invoice once")
        for part in parts:
            most = money.wire(here.get(part.invoice_id, 0), currency)
            if not 0 < part.amount <= here.get(part.invoice_id, 0):
                raise IllegalState(
                    f"a refund is above zero and at most what is left for the invoice {part.invoice_id}, "
                    f"{currency} {most}"
                )
    if not parts:
        raise IllegalState("nothing of this payment is left to refund")
    return parts
