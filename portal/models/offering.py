"""What an account, a customer and her invoices say about methods, and who of theirs could carry a payment out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from portal.domain.methods import DEFAULT, Charging, Means, Offer, Payable, Said, excluded, offer, partial
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice


class Gateway(Charging, Protocol):
    """What of a gateway (portal.gateways) counts here."""

    live: bool


def offered(
    account: Account,
    customer: Customer,
    invoices: Iterable[Invoice],
    gateway: Gateway | None,
    amount: int,
    currency: str,
) -> Offer:
    """By what `amount` of what the customer owes for `invoices`, all in `currency`, may be paid."""
    return offer(said(account, customer, invoices), means(account, gateway), amount, currency)


def said(account: Account, customer: Customer, invoices: Iterable[Invoice]) -> Said:
    return Said(
        account.payment_methods,
        account.payment_method_limits,
        customer.payment_methods,
        excluded(customer.payment_configuration),
        [invoice.payment_methods for invoice in invoices],
    )


def payable(account: Account, gateway: Gateway | None, method: str, owed: int, currency: str) -> Payable:
    """Which amounts of `owed` may be paid by `method`."""
    return partial(owed, currency, account.partial_payments, means(account, gateway).least(method, currency))


def methods(account: Account, gateway: Gateway | None) -> list[str]:
    """What the account has chosen; until it has, the default less what could not be carried out."""
    if account.payment_methods is not None:
        return list(account.payment_methods)
    able = means(account, gateway)
    return [method for method in DEFAULT if able.serve_at_all(method)]


def means(account: Account, gateway: Gateway | None) -> Means:
    """Test money pays no live account's invoices, and live money no test account's."""
    own = gateway if gateway is not None and gateway.live == (account.mode == "live") else None
    return Means(own, {bank["currency"] for bank in account.bank_accounts})
