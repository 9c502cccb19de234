"""What is to be paid together: one invoice, or several of a customer's in one currency, as they stand now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from urllib.parse import urlencode

from werkzeug.exceptions import NotFound

from portal import current
from portal.domain.methods import Offer, Payable
from portal.models import offering
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import OPEN, Invoice, owed, settled
from portal.models.paying import Part
from portal.models.payment import Allocation
from portal.web.access import Scope, can_be_named
from portal.web.stamped import Bound

MOST = 100  # invoices in one payment
MOST_LOOKED_AT = 1000  # open invoices, the first due first: of those on their way nothing is paid
STORED = ("customer", "session")  # the kinds of link under which stored methods may be seen and charged
COLUMNS = (
    Invoice.id,
    Invoice.number,
    Invoice.currency,
    Invoice.status,
    Invoice.amount_due,
    Invoice.due_date,
    Invoice.revision,
    Invoice.payment_methods,
)


@dataclass(frozen=True, slots=True)
class Open:
    """An invoice that can be paid now."""

    invoice: Invoice
    remaining: int  # minor units

    @property
    def due(self) -> date:
        return self.invoice.due_date or date.max


@dataclass(frozen=True, slots=True)
class Bundle:
    scope: Scope
    invoice_id: str | None  # of the one that is paid below the customer's link
    account: Account
    customer: Customer
    open: list[Open]  # in one currency, unless one has still to be chosen
    on_their_way: list[tuple[Invoice, Allocation]]  # asked for, but a payment of theirs may still succeed
    left_out: int = 0  # at least, of those that could be paid, because they are too many
    total: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", sum(one.remaining for one in self.open))

    @property
    def state(self) -> Literal["open", "on_its_way", "currencies", "nothing"]:
        if len(self.currencies) > 1:
            return "currencies"
        if self.open:
            return "open"
        return "on_its_way" if self.on_their_way else "nothing"

    @property
    def waits_for_payer(self) -> bool:
        """Has she herself to do something before any of them goes on?"""
        return any(allocation.stage == "action" for _, allocation in self.on_their_way)

    @property
    def currencies(self) -> list[str]:
        return sorted({one.invoice.currency for one in self.open})

    @property
    def currency(self) -> str:
        return self.currencies[0]

    @property
    def invoices(self) -> list[Invoice]:
        return [one.invoice for one in self.open]

    @property
    def numbers(self) -> list[str]:
        return [str(one.invoice.number) for one in self.open]

    @property
    def place(self) -> str:
        """Where its payments stand below the link."""
        return f"invoices/{self.invoice_id}/" if self.invoice_id else ""

    @property
    def is_one(self) -> bool:
        """Is it paid below an invoice's own page?"""
        return self.invoice_id is not None or self.scope.link.kind == "invoice"

    def query(self, currency: str | None = None) -> str:
        """What of the address of its form names its invoices, or those of one currency."""
        ids = [one.id for one in self.invoices if currency in (None, one.currency)]
        return "" if self.is_one else "?" + urlencode([("invoice", id) for id in ids])

    @property
    def may_use_stored(self) -> bool:
        """Is this a link that belongs to the customer alone? An invoice link may be forwarded."""
        return self.scope.link.kind in STORED

    def offer(self, amount: int | None = None) -> Offer:
        """By what `amount`, or all of it, may be paid."""
        whole = self.total if amount is None else amount
        return offering.offered(self.account, self.customer, self.invoices, current.gateway(), whole, self.currency)

    def payable(self, method: str) -> Payable:
        """Which amounts may be paid by `method`; of several invoices only all of them."""
        if len(self.open) > 1:
            return Payable(self.total, self.currency, None)
        return offering.payable(self.account, current.gateway(), method, self.total, self.currency)

    def parts(self, amount: int) -> list[Part]:
        """What of `amount` each invoice gets."""
        if len(self.open) == 1:
            return [Part(self.open[0].invoice.id, amount, self.open[0].remaining)]
        return [Part(one.invoice.id, one.remaining, one.remaining) for one in self.open]

    def bound(self) -> Bound:
        """What a form to pay it is made for."""
        whose = (self.scope.link.id, self.place, sorted(one.invoice.id for one in self.open))
        seen = [(one.invoice.id, one.remaining, one.invoice.currency, one.invoice.revision) for one in self.open]
        return Bound("payment", whose, (sorted(seen), self.offer().accepted))


def of_invoice(scope: Scope, id: str | None) -> Bundle:
    """One invoice. Raises NotFound."""
    return _bundle(scope, id, [scope.invoice(id)])


def of_customer(scope: Scope, ids: Sequence[str], currency: str | None) -> Bundle:
    """These invoices, or else all that can be paid; of `currency`, where one is named. Raises NotFound."""
    if not can_be_named(*ids, currency or ""):
        raise NotFound
    query = Invoice.select(*COLUMNS).where(
        Invoice.customer == scope.link.customer_id,
        Invoice.account == scope.link.account_id,
        Invoice.status.not_in(scope.hidden),
    )
    wanted = sorted(set(ids))[: MOST + 1]
    if wanted:
        found = list(query.where(Invoice.id.in_(wanted)))
        if len(found) != len(wanted):
            raise NotFound
    else:
        open_ = query.where(OPEN, Invoice.currency == currency) if currency else query.where(OPEN)
        found = list(open_.order_by(Invoice.due_date.asc(nulls="LAST"), Invoice.invoice_date).limit(MOST_LOOKED_AT))
    return _bundle(scope, None, [one for one in found if currency in (None, one.currency)])


def _bundle(scope: Scope, invoice_id: str | None, invoices: Sequence[Invoice]) -> Bundle:
    asked = [one.id for one in invoices]
    paid, live = settled(asked), {one.invoice_id: one for one in Allocation.live(asked)}
    left = [Open(one, owed(one.status, one.amount_due, paid[one.id])) for one in invoices if one.id not in live]
    found = sorted((one for one in left if one.remaining), key=lambda one: (one.due, str(one.invoice.number)))
    account: Any = Account.get_by_id(scope.link.account_id)
    customer: Any = Customer.get_by_id(scope.link.customer_id)
    on_their_way = [(one, live[one.id]) for one in invoices if one.id in live]
    return Bundle(scope, invoice_id, account, customer, found[:MOST], on_their_way, max(len(found) - MOST, 0))
