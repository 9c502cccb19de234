"""What the rows of an account, a customer and her invoices say comes together in what she may pay by."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models import offering
from portal.models.account import Account
from portal.models.base import new_id
from portal.models.customer import Customer
from portal.models.invoice import Invoice

BANK = {"currency": "EUR", "holder": "Acme GmbH", "iban": "DE89370400440532013000"}


class Gateway:
    def __init__(self, *, live: bool = False) -> None:
        self.live = live

    def serves(self, method: str, currency: str) -> bool:
        return True

    def minimum(self, currency: str) -> int:
        return 50


def accepted(
    account: dict[str, Any] | None = None,
    customer: dict[str, Any] | None = None,
    invoices: tuple[Any, ...] = (None,),
    *,
    amount: int = 4000,
    gateway: Gateway | None = None,
    mode: str = "test",
) -> tuple[str, ...]:
    rows = [Invoice(id=new_id(), payment_methods=methods) for methods in invoices]
    acme = Account(mode=mode, **{"bank_accounts": [BANK], **(account or {})})
    found = offering.offered(acme, Customer(**(customer or {})), rows, gateway or Gateway(), amount, "EUR")
    return found.accepted


def test_who_says_nothing_leaves_the_default() -> None:
    assert accepted() == ("card", "us_bank_account", "bank_transfer")


def test_each_of_them_narrows() -> None:
    everything = {"payment_methods": ["sepa_debit", "card", "us_bank_account", "bank_transfer"]}
    stripe = {"provider_type": "stripe", "excluded_payment_method_types": ["card", "link"]}

    assert accepted(everything) == ("sepa_debit", "card", "us_bank_account", "bank_transfer")
    assert accepted(everything, {"payment_methods": ["card", "sepa_debit"]}) == ("sepa_debit", "card")
    assert accepted(everything, {"payment_configuration": {"payment_providers": [stripe]}}) == (
        "sepa_debit",
        "us_bank_account",
        "bank_transfer",
    )
    assert accepted(everything, invoices=(["us_bank_account"],)) == ("us_bank_account",)
    assert accepted(everything, invoices=(["card", "bank_transfer"], None, ["card"])) == ("card",)
    assert accepted({"payment_method_limits": {"card": {"minimum": None, "maximum": "39.99"}}}) == (
        "us_bank_account",
        "bank_transfer",
    )


def test_a_gateway_of_the_other_mode_serves_nothing() -> None:
    assert accepted(gateway=Gateway(live=True)) == accepted(mode="live") == ("bank_transfer",)
    assert accepted(gateway=Gateway(live=True), mode="live") == ("card", "us_bank_account", "bank_transfer")


@pytest.mark.parametrize(("method", "parts"), [("card", (1000, 3950)), ("bank_transfer", (1000, 3999))])
def test_a_remainder_is_as_large_as_the_method_needs_it(method: str, parts: tuple[int, int]) -> None:
    acme = Account(mode="test", partial_payments={"allowed": True, "minimum": "10.00"})

    assert offering.payable(acme, Gateway(), method, 4000, "EUR").parts == parts
