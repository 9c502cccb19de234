"""By which methods a payer may pay, and which amounts: the account allows, and whoever comes after can only narrow."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

from portal.domain import money

METHODS = ("card", "us_bank_account", "sepa_debit", "bank_transfer")
BY_GATEWAY = METHODS[:3]  # a bank transfer needs none
DEFAULT = ("card", "us_bank_account", "bank_transfer")  # of an account that has chosen nothing
PAYMENTS = {
    "card": "Card payments",
    "us_bank_account": "ACH payments",
    "sepa_debit": "SEPA direct debits",
    "bank_transfer": "Bank transfers",
}

Limits = Mapping[str, Mapping[str, str | None]]  # method: {minimum, maximum} in major units of whatever currency


class NotOffered(ValueError):
    """This method may not be paid by. The message is for the payer."""


class NotPayable(ValueError):
    """This amount may not be paid. The message is for the payer; `kind` and `amount` say it in her language."""

    Kind = Literal["nothing", "too_much", "only_all", "too_little", "leaves_too_little"]

    def __init__(self, kind: Kind, amount: int, sentence: str) -> None:
        super().__init__(sentence)
        self.kind: NotPayable.Kind = kind
        self.amount = amount  # what would do, in minor units: at least, at most or exactly


class Charging(Protocol):
    """What of a gateway (portal.gateways) counts here."""

    def serves(self, method: str, currency: str) -> bool: ...
    def minimum(self, currency: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Means:
    """Who could carry a payment out: a gateway, and bank accounts in some currencies."""

    gateway: Charging | None = None
    banks: Collection[str] = ()  # their currencies

    def serve(self, method: str, currency: str) -> bool:
        if method in BY_GATEWAY:
            return self.gateway is not None and self.gateway.serves(method, currency)
        return currency in self.banks

    def serve_at_all(self, method: str) -> bool:
        """In any currency?"""
        return any(self.serve(method, currency) for currency in money.EXPONENTS)

    def least(self, method: str, currency: str) -> int:
        """The smallest amount that can be paid by `method`, in minor units."""
        if self.gateway is None or method not in BY_GATEWAY:
            return 1
        return max(self.gateway.minimum(currency), 1)


@dataclass(frozen=True, slots=True)
class Said:
    """What was said about methods: first the account, then ever more narrowly. None is nothing said."""

    account: Sequence[str] | None = None
    limits: Limits = field(default_factory=dict)
    customer: Sequence[str] | None = None
    excluded: Collection[str] = ()  # for the customer, on Orb's wire
    invoices: Sequence[Sequence[str] | None] = ()  # of several invoices what all of them allow

    @property
    def own(self) -> tuple[str, ...]:
        """What the account allows, before anybody narrowed it."""
        return tuple(DEFAULT if self.account is None else self.account)

    @property
    def allowed(self) -> tuple[str, ...]:
        """In the account's order."""
        return tuple(method for method in self.own if self.taken_away(method) is None)

    def taken_away(self, method: str) -> Literal["customer", "invoice"] | None:
        """Who narrowed `method` away, of those after the account."""
        if method in self.excluded or (self.customer is not None and method not in self.customer):
            return "customer"
        return "invoice" if any(names is not None and method not in names for names in self.invoices) else None


@dataclass(frozen=True, slots=True)
class Withheld:
    """A method of the account that is not offered, and why: a limit that this amount passes, or who took it away."""

    method: str
    kind: Literal["above", "below", "customer", "invoice"]
    limit: int  # minor units; 0 where it is no limit
    currency: str

    @property
    def sentence(self) -> str:
        why = {"customer": "for this customer", "invoice": "for this invoice"}.get(
            self.kind, f"{self.kind} {_said(self.limit, self.currency)}"
        )
        return f"{PAYMENTS[self.method]} are not accepted {why}."


@dataclass(frozen=True, slots=True)
class Offer:
    """By what one amount may be paid. Of what the company never offers, or cannot carry out, nothing is said."""

    accepted: tuple[str, ...] = ()
    withheld: tuple[Withheld, ...] = ()

    def check(self, method: str) -> None:
        """Raises NotOffered."""
        if method in self.accepted:
            return
        for one in self.withheld:
            if one.method == method:
                raise NotOffered(one.sentence)
        raise NotOffered("This payment method is not offered here. Choose one that is.")


def offer(said: Said, means: Means, amount: int, currency: str) -> Offer:
    """What `amount`, in minor units, may be paid by. Ask again for the amount that is really paid."""
    if amount <= 0:
        return Offer()
    served = [method for method in said.own if means.serve(method, currency)]
    found = {method: _withheld(method, said, means, amount, currency) for method in served}
    return Offer(
        tuple(method for method, withheld in found.items() if withheld is None),
        tuple(withheld for withheld in found.values() if withheld is not None),
    )


def excluded(configuration: Mapping[str, Any] | None) -> frozenset[str]:
    """The types that a customer's `payment_configuration` (Orb's wire) excludes, at whatever provider."""
    providers = (configuration or {}).get("payment_providers") or ()
    return frozenset(name for one in providers for name in one.get("excluded_payment_method_types") or ())


@dataclass(frozen=True, slots=True)
class Payable:
    """Which amounts may be paid: all that is owed, or a part between the least and the most, both included."""

    owed: int
    currency: str
    parts: tuple[int, int] | None  # None: only all of it

    def check(self, amount: int) -> None:
        """Raises NotPayable."""
        if amount == self.owed and amount > 0:
            return
        owed = _said(self.owed, self.currency)
        if amount <= 0:
            raise NotPayable("nothing", 0, "The amount must be above zero.")
        if amount > self.owed:
            raise NotPayable("too_much", self.owed, f"The amount must be at most {owed}, which is what is owed.")
        if self.parts is None:
            raise NotPayable("only_all", self.owed, f"This can only be paid in full: {owed}.")
        least, most = self.parts
        if amount < least:
            raise NotPayable("too_little", least, f"A part must be at least {_said(least, self.currency)}.")
        if amount > most:
            at_most = _said(most, self.currency)
            sentence = f"What would remain is too little to be paid: pay at most {at_most}, or all of {owed}."
            raise NotPayable("leaves_too_little", most, sentence)


def partial(owed: int, currency: str, settings: Mapping[str, Any], least: int = 1) -> Payable:
    """What of `owed` may be paid, as the account's `partial_payments` {allowed, minimum} has it.

    `least` is the smallest amount that can be paid at all (Means.least): neither a part nor what remains is smaller.
    """
    if not settings.get("allowed"):
        return Payable(owed, currency, None)
    first = max(_minor(settings.get("minimum") or "0", currency, math.ceil), least, 1)
    last = owed - max(least, 1)
    return Payable(owed, currency, (first, last) if first <= last else None)


def _withheld(method: str, said: Said, means: Means, amount: int, currency: str) -> Withheld | None:
    narrower = said.taken_away(method)
    if narrower is not None:
        return Withheld(method, narrower, 0, currency)
    limit = said.limits.get(method) or {}
    least = max(_minor(limit.get("minimum") or "0", currency, math.ceil), means.least(method, currency))
    if amount < least:
        return Withheld(method, "below", least, currency)
    maximum = limit.get("maximum")
    most = amount if maximum is None else _minor(maximum, currency, math.floor)
    return Withheld(method, "above", most, currency) if amount > most else None


def _minor(major: str, currency: str, whole: Callable[[Decimal], int]) -> int:
    """A limit, which may be finer than the currency, in minor units. Raises UnknownCurrency."""
    return whole(money.EXACT.scaleb(Decimal(major), money.exponent(currency)))


def _said(minor: int, currency: str) -> str:
    """For readers of plain English: USD 10,000.00."""
    return f"{currency} {Decimal(money.wire(minor, currency)):,f}"
