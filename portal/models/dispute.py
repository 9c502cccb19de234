"""Money that goes back because the payer's bank wants it to: a return, a dispute. Lost, it reopens its invoices."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from peewee import BigIntegerField, BooleanField, CharField, Check, ForeignKeyField, TextField

from portal.domain.settlement import DISPUTE_STAGES, furthest
from portal.models import reversal
from portal.models.account import Account
from portal.models.base import IdField, InstantField, Row, db
from portal.models.collection import Collection
from portal.models.held import Held
from portal.models.payment import Payment, one_of
from portal.models.record import Record
from portal.models.settling import Foreign, write


class Dispute(Row):
    id = IdField()
    account = ForeignKeyField(Account, index=False)
    account_id: str
    payment = ForeignKeyField(Payment, backref="disputes")
    payment_id: str
    gateway_ref = TextField()
    created_at = InstantField()
    stage = CharField(max_length=6, constraints=[one_of("stage", DISPUTE_STAGES)])
    amount = BigIntegerField(constraints=[Check("amount > 0")])  # minor units
    reason = TextField()
    is_return = BooleanField()

    class Meta:
        indexes = ((("payment", "gateway_ref"), True),)

    @classmethod
    def hear(
        cls,
        payment_id: str,
        *,
        ref: str,
        stage: str,
        amount: int,
        currency: str,
        reason: str,
        is_return: bool,
        now: datetime,
        by: str,
    ) -> Self:
        """Where a dispute stands, as the gateway says. Raises Foreign."""
        with db.atomic():
            held = Held.of(payment_id)
            payment = held.payment
            if payment.currency != currency:
                raise Foreign(f"a dispute in {currency} of a payment in {payment.currency}")
            found = cls.select().where(cls.payment == payment, cls.gateway_ref == ref).first()
            if found is None:
                found = cls.create(
                    account=payment.account_id,
                    payment=payment,
                    gateway_ref=ref,
                    created_at=now,
                    stage="opened",
                    amount=amount,
                    reason=reason,
                    is_return=is_return,
                )
                Record.write(payment.account_id, now, by, "dispute.opened", payment.id, reason=reason)
            after = furthest(found.stage, stage, DISPUTE_STAGES)
            if after != found.stage:
                cls.update(stage=after).where(cls.id == found.id).execute()
                found.stage = after
                Record.write(payment.account_id, now, by, f"dispute.{after}", payment.id, reason=reason)
            found.book(held, now, by)
        return found

    def book(self, held: Held, now: datetime, by: str) -> None:
        """Brings the bookings to where it stands; they wait for money that has not come yet: news may overtake it.

        Nobody is charged again by itself for what her bank took back.
        """
        again = reversal.follow(held, self.id, now, by)
        for invoice_id in again:
            Collection.stop(invoice_id)
        if again:
            write(held, "payment_returned", now, f"dispute:{self.id}:lost", again[0])


def catch_up(payment_id: str, now: datetime, by: str = "system") -> None:
    """Books the disputes that were heard of before the payment's success was."""
    with db.atomic():
        for dispute in Dispute.select().where(Dispute.payment == payment_id, Dispute.stage == "lost"):
            dispute.book(Held.of(payment_id), now, by)
