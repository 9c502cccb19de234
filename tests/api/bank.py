"""A gateway within the test: it does what it is told, keeps the methods of payers, and notes what it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from flask import Flask

from portal.gateways import Failure, Order, PaymentNews, RefundNews, Refused, Saved, Stage, Told, Unreachable
from portal.gateways import Payer as GatewayPayer
from portal.models.base import db
from portal.models.customer import Customer
from portal.models.saved_method import Payer, SavedMethod


class Bank:
    name: Literal["sandbox", "stripe"] = "sandbox"
    live = False

    def __init__(self) -> None:
        self.stage: Stage = "succeeded"  # of what is asked for next
        self.failure: Failure | None = None
        self.refuses = False
        self.answers = True
        self.orders: list[Order] = []
        self.refunds: list[tuple[str, str, int]] = []  # refund, payment, amount
        self.kept: dict[str, list[Saved]] = {}
        self.forgotten: list[str] = []
        self._made: dict[str, PaymentNews] = {}

    def serves(self, method: str, currency: str) -> bool:
        return True

    def minimum(self, currency: str) -> int:
        return 50

    def payer(self, payer: GatewayPayer) -> str:
        return f"cus_{payer.id}"

    def start(self, order: Order) -> PaymentNews:
        self.orders.append(order)
        self._hear()
        made = PaymentNews(
            f"ref_{order.payment_id}",
            order.payment_id,
            self.stage,
            order.amount,
            order.currency,
            self.live,
            order.method,
            failure=self.failure,
        )
        return self._made.setdefault(order.key, made)

    def cancel(self, ref: str) -> PaymentNews:
        self._hear()
        made = next(one for one in self._made.values() if one.ref == ref)
        return PaymentNews(ref, made.payment_id, "canceled", made.amount, made.currency, self.live)

    def refund(self, refund_id: str, key: str, payment_ref: str, amount: int, currency: str) -> RefundNews:
        self.refunds.append((refund_id, payment_ref, amount))
        self._hear()
        return RefundNews(f"re_{refund_id}", payment_ref, None, refund_id, "succeeded", amount, currency, self.live)

    def saved(self, payer_ref: str) -> Sequence[Saved]:
        self._hear()
        return self.kept.get(payer_ref, [])

    def forget(self, method_ref: str) -> None:
        self.forgotten.append(method_ref)
        self._hear()

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Told:
        raise NotImplementedError

    def _hear(self) -> None:
        assert not db.in_transaction(), "a gateway was asked within a transaction"
        if not self.answers:
            raise Unreachable("The bank did not answer.")
        if self.refuses:
            raise Refused("The bank refused.")


def opened(app: Flask) -> Bank:
    """The gateway of this app from now on."""
    bank: Any = app.extensions["portal"]
    bank.gateway = Bank()
    return bank.gateway


def keep(customer: Customer, now: datetime, method: str = "card", ref: str | None = None) -> SavedMethod:
    """A method that the customer let the bank save; her first is her default."""
    Payer.keep(customer.id, "sandbox", f"cus_{customer.id}")
    ref = ref or f"pm_{customer.id}"
    return SavedMethod.keep(customer, "sandbox", ref, now, "test", method=method, label="Visa ending in 4242")
