"""Payers in proofs: each has a payment form open in a tab of her own, and sends what a browser would, or worse."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from html import unescape
from typing import Any
from urllib.parse import urlencode

from portal.gateways import Payer
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.saved_method import Payer as OurPayer
from portal.models.saved_method import SavedMethod
from tests.proofs.shop import Shop
from tests.proofs.wire import Answer

STAMP = re.compile(r'name="stamp" value="([^"]*)"')
METHOD = re.compile(r'type="radio" name="method" value="([^"]*)"')
GOOD = {"card": "4242", "us_bank_account": "settles", "sepa_debit": "settles"}
CLEAN = range(400, 500)  # a refusal that says what is wrong


@dataclass(frozen=True)
class Tab:
    """A payment form as it was shown."""

    shop: Shop
    path: str  # that it is sent to
    stamp: str
    offered: tuple[str, ...]
    status: int

    def fields(self, method: str | None, outcome: str | None = None, **more: Any) -> list[tuple[str, str]]:
        """What the last step sends; None leaves a field out, and a list sends it several times."""
        named = {"stamp": self.stamp, "method": method, "step": "pay"}
        named["sandbox_outcome"] = outcome if outcome is not None else GOOD.get(method or "", "4242")
        pairs = []
        for name, given in {**named, **more}.items():
            pairs += [(name, value) for value in (given if isinstance(given, list) else [given]) if value is not None]
        return pairs

    def click(self, method: str, outcome: str | None = None, **more: Any) -> bytes:
        """The request of a click on Pay."""
        return self.sent(urlencode(self.fields(method, outcome, **more)))

    def sent(self, body: str) -> bytes:
        form = {"content_type": "application/x-www-form-urlencoded", "sec_fetch_site": "same-origin"}
        return self.shop.request("POST", self.path, body.encode(), **form)

    def pay(self, method: str, outcome: str | None = None, **more: Any) -> Answer:
        return self.shop.volley([self.click(method, outcome, **more)])[0]

    def at(self, path: str) -> Tab:
        return replace(self, path=path)


def opened(shop: Shop, url: str, query: str = "") -> Tab:
    """A tab with the payment form below the link `url`, which ends in a slash."""
    answer = shop.call("GET", f"{url}payments/new{query}")
    stamp = STAMP.search(answer.body)
    offered = tuple(METHOD.findall(answer.body))
    return Tab(shop, f"{url}payments", unescape(stamp[1]) if stamp else "", offered, answer.status)


def link_of(shop: Shop, invoice: Invoice) -> str:
    link = Link.of_invoice(invoice.id)
    assert link
    return shop.given.url(link)


def link_of_customer(shop: Shop, customer: Customer) -> str:
    link = Link.of_customer(customer.id)
    assert link
    return shop.given.url(link)


def keep(shop: Shop, customer: Customer, method: str = "card", outcome: str | None = None) -> SavedMethod:
    """A method that the gateway keeps for her; the first is what she is charged by without being asked."""
    ref = shop.gateway.payer(Payer(customer.id, None, customer.name, customer.email))
    OurPayer.keep(customer.id, shop.gateway.name, ref)
    kept = shop.bank.keep(ref, method, outcome or GOOD[method])
    described = {"method": method, "label": kept["label"], "expires": kept["expires"]}
    return SavedMethod.keep(customer, shop.gateway.name, kept["ref"], shop.given.now(), "proof", **described)
