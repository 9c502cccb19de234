"""Who moves money, and the contract with them: plain values in, plain values out.

A gateway is one module of this package, one template (`templates/payment/_checkout_<name>.html`) and one test file.
It knows no database, no web framework and no other gateway. Whoever calls it holds no transaction.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, cast

Name = Literal["sandbox", "stripe"]
# The furthest heard of counts; a late success is the furthest of all (domain.settlement).
Stage = Literal["begun", "action", "processing", "canceled", "failed", "succeeded"]
Failure = Literal[
    "declined",  # by the bank, which does not say why
    "insufficient_funds",
    "expired_card",
    "wrong_details",  # a number, a code, an account that does not exist
    "not_confirmed",  # the payer did not confirm, or not in time
    "not_authorized",  # she told her bank that she had not agreed
    "not_supported",  # this method does not take this currency or amount
    "gone",  # the saved method is no longer there
    "unknown",
]
FAILURES: tuple[Failure, ...] = Failure.__args__  # type: ignore[attr-defined]  # a Literal keeps them there


class GatewayError(Exception):
    """Something went wrong with a gateway. The message is for the operator, and holds no secret."""


class Unreachable(GatewayError):
    """No answer came, or none that can be read: whether anything happened is not known. Ask again with the same key."""


class Refused(GatewayError):
    """The gateway refused before it made anything; asking again would change nothing."""

    def __init__(self, message: str, failure: Failure = "unknown") -> None:
        super().__init__(message)
        self.failure: Failure = failure


class Unsigned(GatewayError):
    """What claims to be news is not from the gateway, or is too old."""


class Misconfigured(GatewayError):
    """A setting that the gateway needs is missing. The message says which."""


@dataclass(frozen=True, slots=True)
class Payer:
    id: str  # ours
    ref: str | None  # the gateway's, once it knows her
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """What we ask a gateway to collect. The same order with the same key is the same payment, however often sent."""

    payment_id: str  # ours: goes along as metadata, so that news finds its payment whatever overtakes what
    key: str
    amount: int  # minor units of the currency
    currency: str  # ISO 4217, upper case
    method: str  # card, us_bank_account or sepa_debit: no other may be charged
    details: Mapping[str, str]  # what the payer's form gave for this gateway; nothing for a saved method
    saved_ref: str | None  # the saved method to charge
    saves: bool  # keep the method for later
    present: bool  # is the payer there to confirm?
    payer: Payer
    reference: str  # for statements and receipts: the numbers of the invoices
    notify_url: str  # where news may be posted, for a gateway that is told so with each order


@dataclass(frozen=True, slots=True)
class Saved:
    """A method that the gateway keeps for a payer."""

    ref: str
    method: str
    label: str  # for people: "Visa ending in 4242"
    expires: str | None = None  # YYYY-MM, of a card
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """What the payer has to do before a payment goes on."""

    kind: Literal["page", "script", "micro_deposits"]
    url: str | None = None  # page: where she confirms, micro_deposits: where she tells the amounts
    secret: str | None = None  # script: what the gateway's script needs; never kept


@dataclass(frozen=True, slots=True)
class PaymentNews:
    ref: str
    payment_id: str | None  # ours, as the gateway was told
    stage: Stage
    amount: int  # that moved, moves or would have
    currency: str
    live: bool  # real money?
    method: str | None = None  # that was charged
    label: str | None = None  # for people: "Visa ending in 4242"
    failure: Failure | None = None
    action: Action | None = None
    saved: Saved | None = None
    payer_ref: str | None = None


@dataclass(frozen=True, slots=True)
class RefundNews:
    ref: str
    payment_ref: str
    payment_id: str | None
    refund_id: str | None  # ours; None where it was made at the gateway
    stage: Literal["pending", "failed", "succeeded"]
    amount: int
    currency: str
    live: bool


@dataclass(frozen=True, slots=True)
class DisputeNews:
    """Somebody wants money back. An ACH return is a dispute that is lost from the start."""

    ref: str
    payment_ref: str
    payment_id: str | None
    stage: Literal["opened", "lost", "won"]
    amount: int
    currency: str
    live: bool
    reason: str  # as the gateway says it
    is_return: bool = False


@dataclass(frozen=True, slots=True)
class MethodNews:
    """A saved method is no longer there, or was changed."""

    ref: str
    payer_ref: str | None
    live: bool
    saved: Saved | None  # None: it was removed


News = PaymentNews | RefundNews | DisputeNews | MethodNews


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a gateway."""

    id: str
    at: datetime
    type: str  # as the gateway calls it
    news: News | None  # None: nothing that concerns us


@dataclass(frozen=True, slots=True)
class Origins:
    """What the Content-Security-Policy of a page that pays has to open, and no other page."""

    script: tuple[str, ...] = ()
    frame: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    img: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkout:
    """What the gateway's template needs besides the form: public values only."""

    fields: tuple[str, ...]  # names of the form's fields that become Order.details
    values: Mapping[str, str] = field(default_factory=dict)


class Gateway(Protocol):
    name: Name
    live: bool  # does it move real money?
    origins: Origins

    def serves(self, method: str, currency: str) -> bool:
        """Can this method be charged in this currency?"""

    def minimum(self, currency: str) -> int:
        """The smallest amount that can be charged, in minor units."""

    def checkout(self, method: str, amount: int, currency: str) -> Checkout:
        """What its form asks for. Its own minor units are its own affair: hence the amount."""

    def start(self, order: Order) -> PaymentNews:
        """Makes and confirms the payment, once a key. A decline is news: `failed`.

        Raises Refused where nothing was made, Unreachable where that is not known.
        """

    def look(self, ref: str) -> PaymentNews:
        """The payment as it is now. Raises Unreachable, and Refused where there is none."""

    def find(self, payment_id: str) -> PaymentNews | None:
        """The payment that was made for ours, where its answer never came. Raises Unreachable."""

    def cancel(self, ref: str) -> PaymentNews:
        """Ends a payment that waits for its payer; news says what it is now, which may be anything. As `look`."""

    def refund(self, refund_id: str, key: str, payment_ref: str, amount: int, currency: str) -> RefundNews:
        """Gives money back, once a key. Raises Refused where nothing was made, Unreachable where that is not known."""

    def payer(self, payer: Payer) -> str:
        """The ref under which the gateway knows the payer; makes one, once a customer of ours. Raises as `start`."""

    def saved(self, payer_ref: str) -> Sequence[Saved]:
        """The methods it keeps for her. Raises Unreachable, Refused."""

    def forget(self, method_ref: str) -> None:
        """Removes a saved method; one that is gone already is no error. Raises Unreachable, Refused."""

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Told:
        """One event out of a webhook's raw body. Raises Unsigned unless it is signed and within 5 minutes of `now`."""

    def since(self, moment: datetime) -> Iterator[Told]:
        """Every event after `moment`, oldest first, for reconciliation. Raises Unreachable."""


def open_gateway(name: str, settings: Any) -> Gateway | None:
    """The gateway that the settings name, or None. Only then is its module read. Raises Misconfigured."""
    if name == "none":
        return None
    return cast("Gateway", importlib.import_module(f"portal.gateways.{name}").open_gateway(settings))
