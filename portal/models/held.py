"""A payment and all that it touches, locked together, in the one order that everybody locks them in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.domain.settlement import Share
from portal.models.base import locked
from portal.models.customer import BalanceTransaction, Customer
from portal.models.invoice import Invoice
from portal.models.payment import Allocation, Payment, settled_status

SURPLUS = "external_payment"  # how Orb names a movement of the balance that money from outside caused


@dataclass(slots=True)
class Held:
    """A payment and all that it touches, locked until the transaction ends: customer, invoices by id, payment."""

    customer: Customer
    invoices: dict[str, Invoice]
    payment: Payment
    allocations: list[Allocation]

    @classmethod
    def of(cls, payment_id: str) -> Held:
        payment = Payment.get_by_id(payment_id)
        customer = locked(Customer.select().where(Customer.id == payment.customer_id)).get()  # also one who was deleted
        allocations = Allocation.of(payment_id)
        ids = [one.invoice_id for one in allocations]
        invoices = locked(Invoice.select().where(Invoice.id.in_(ids)).order_by(Invoice.id))
        held = {one.id: one for one in invoices}
        payment = locked(Payment.select().where(Payment.id == payment_id)).get()
        return cls(customer, held, payment, Allocation.of(payment_id))

    @property
    def shares(self) -> list[Share]:
        return [Share(one.invoice_id, one.amount) for one in self.allocations]

    def update(self, invoice_id: str, now: datetime, **more: Any) -> None:
        """The invoice's status follows from what is booked on it."""
        invoice = self.invoices[invoice_id]
        changes = more | settled_status(invoice, now)
        if changes:
            Invoice.update(**changes).where(Invoice.id == invoice_id).execute()
            for name, value in changes.items():
                setattr(invoice, name, value)

    def to_balance(self, amount: int, invoice_id: str, now: datetime) -> bool:
        """Moves `amount` into the customer's balance. False where that is in another currency, or she was deleted."""
        customer = self.customer
        if customer.deleted_at or customer.currency not in (None, self.payment.currency):
            return False
        if customer.currency is None:
            customer.currency = self.payment.currency
            Customer.update(currency=customer.currency).where(Customer.id == customer.id).execute()
        BalanceTransaction.move(customer, amount, SURPLUS, now, invoice_id=invoice_id)
        return True
