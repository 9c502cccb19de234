"""A payment as far as a link may see it: all of it under its customer's links, its own share under an invoice's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from werkzeug.exceptions import NotFound

from portal.domain.settlement import LIVE
from portal.models.base import tuples
from portal.models.invoice import Invoice
from portal.models.opening import Opened
from portal.models.payment import BY_HAND, Allocation, Booking, Payment
from portal.web.access import Scope
from portal.web.payment_form import LABELS


@dataclass(frozen=True, slots=True)
class Share:
    """What of the payment is for one invoice."""

    invoice_id: str
    number: str
    amount: int
    returned: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A payment as far as a link may see it."""

    payment: Payment
    place: str  # where it stands below the link
    whole: bool  # all of it, or only what is for the link's own invoice?
    shares: list[Share]
    label: str

    @classmethod
    def of(cls, scope: Scope, payment_id: str, invoice_id: str | None) -> Self:
        """Raises NotFound, also where none of its invoices is one that the link reaches."""
        link = scope.link
        mine = (Payment.customer == link.customer_id) & (Payment.account == link.account_id)
        payment = Payment.select().where(Payment.id == payment_id, mine).first()
        only = scope.invoice(invoice_id).id if payment and (link.kind == "invoice" or invoice_id) else None
        shares = _shares(payment, scope) if payment else []
        if not shares or (only and only not in {one.invoice_id for one in shares}):
            raise NotFound
        all_of_it = link.kind != "invoice"
        seen = [one for one in shares if all_of_it or one.invoice_id == only]
        return cls(payment, place_of(invoice_id), all_of_it, seen, _label(payment, link))

    @property
    def amount(self) -> int:
        return self.payment.amount if self.whole else sum(one.amount for one in self.shares)

    @property
    def state(self) -> str:
        """A stage, or that its money went back."""
        returned = self.payment.stage == "succeeded" and all(one.returned for one in self.shares)
        return "returned" if returned else self.payment.stage

    @property
    def is_open(self) -> bool:
        return self.state in LIVE

    @property
    def tail(self) -> str:
        return f"{self.place}payments/{self.payment.id}"

    @property
    def again(self) -> str:
        """What of the address of a form says that all of these invoices are to be paid."""
        if self.place or not self.whole:
            return ""
        return "?" + urlencode([("invoice", one.invoice_id) for one in self.shares])

    def moved(self, kind: str) -> int:
        """What was booked as `kind` on the invoices that may be seen, without its sign."""
        ids = {one.invoice_id for one in self.shares}
        sums = Booking.sums(self.payment.id)
        return abs(sum(amount for (invoice, booked), amount in sums.items() if booked == kind and invoice in ids))


@dataclass(frozen=True, slots=True)
class Late:
    """A payment as far as it may be seen once the session through which it began has expired."""

    payment: Payment
    place: str

    @property
    def state(self) -> str:
        """Nobody can confirm it from here any more, and who comes back from there may have."""
        return "begun" if self.payment.stage == "action" else str(self.payment.stage)

    @property
    def is_open(self) -> bool:
        return self.state in LIVE

    @property
    def tail(self) -> str:
        return f"{self.place}payments/{self.payment.id}"


def place_of(invoice_id: str | None) -> str:
    """Where a payment stands below its link."""
    return f"invoices/{invoice_id}/" if invoice_id else ""


def _shares(payment: Payment, scope: Scope) -> list[Share]:
    columns = (Invoice.id, Invoice.number, Allocation.amount, Allocation.returned)
    rows = Allocation.select(*columns).join(Invoice).where(Allocation.payment == payment)
    reached = rows.where(Invoice.status.not_in(scope.hidden)).order_by(Invoice.number)
    return [Share(id, number, amount, bool(returned)) for id, number, amount, returned in tuples(reached)]


def _label(payment: Payment, link: Opened) -> str:
    """How it was paid; through an invoice link nothing that others have stored."""
    if link.kind == "invoice" and payment.gateway != BY_HAND and payment.link_id != link.id:
        return LABELS.get(str(payment.method), "Online")
    return str(payment.label)
