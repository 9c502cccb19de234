"""Paying against voiding, against revoking the link and against its end: one comes first, and no money is lost.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from tests.proofs import invariants, payer
from tests.proofs.payer import Tab
from tests.proofs.shop import Shop, scaled
from tests.proofs.wire import Answer

pytestmark = pytest.mark.proof

RACES = 500
AT_ONCE = 5
APART_SECONDS = 0.02  # by which one is ahead of the other, at most
LEAST = 20


@pytest.fixture
def customer(shop: Shop):
    return shop.given.customer(shop.account, email_delivery=False)


def begun(shop: Shop, invoices: list[Invoice]) -> list[Tab]:
    """The form of each, open under its own link."""
    return [payer.opened(shop, payer.link_of(shop, invoice)) for invoice in invoices]


def raced(
    shop: Shop, invoices: list[Invoice], tabs: list[Tab], other: Callable[[Invoice], bytes | None], dice: random.Random
) -> list[tuple[Answer, Answer | None]]:
    """What paying was answered and what the other deed was, both sent at nearly the same moment."""
    requests, delays = [], []
    for invoice, tab in zip(invoices, tabs, strict=True):
        method = dice.choice(["card", "us_bank_account"])
        for request in (tab.click(method), other(invoice)):
            if request:
                requests.append(request)
                delays.append(dice.uniform(0, APART_SECONDS))
    answers = shop.volley(requests, delays)
    if len(answers) == len(invoices):
        return [(answer, None) for answer in answers]
    return list(zip(answers[::2], answers[1::2], strict=True))


def batches(shop: Shop, customer, count: int) -> list[list[Invoice]]:
    invoices = [shop.given.invoice(customer) for _ in range(count)]
    return [invoices[at : at + AT_ONCE] for at in range(0, count, AT_ONCE)]


def check(shop: Shop, paid: dict[str, bool], numbers: dict[str, Invoice]) -> None:
    """Who was told that she pays does, once, and nobody else; what the gateway took is in the books."""
    charges = Counter(row["reference"] for row in shop.charges(*numbers.values()))
    assert charges == Counter(number for number, is_paid in paid.items() if is_paid)
    assert len(shop.orders(*numbers.values())) == sum(charges.values())
    assert invariants.unbooked(shop, list(numbers.values())) == []
    assert invariants.broken(shop, books=False) == []


def test_an_invoice_is_paid_or_voided(shop: Shop, customer) -> None:
    dice, seen, paid, numbers = random.Random(7), Counter[str](), {}, {}
    began = time.monotonic()

    for invoices in batches(shop, customer, scaled(RACES, LEAST)):
        tabs = begun(shop, invoices)
        answers = raced(shop, invoices, tabs, lambda one: shop.api("POST", f"/v1/invoices/{one.id}/void"), dice)
        for invoice, (pays, voids) in zip(invoices, answers, strict=True):
            assert voids
            seen[f"paying {pays.status}, voiding {voids.status}"] += 1
            assert (pays.status == 303) != (voids.status == 200), (pays, voids)
            assert pays.status == 303 or pays.status in payer.CLEAN, pays
            assert voids.status in (200, 400, 409), voids
            status = Invoice.get_by_id(invoice.id).status
            assert (status == "void") == (voids.status == 200)
            paid[invoice.number], numbers[invoice.number] = pays.status == 303, invoice

    shop.say(f"{len(paid)} times paying against voiding in {time.monotonic() - began:.0f} s: {dict(seen)}")
    check(shop, paid, numbers)


def test_nothing_is_charged_once_a_link_is_revoked(shop: Shop, customer) -> None:
    dice, seen, paid, numbers = random.Random(8), Counter[str](), {}, {}
    began, reason = time.monotonic(), json.dumps({"reason": "proof"})

    for invoices in batches(shop, customer, scaled(RACES, LEAST)):
        tabs = begun(shop, invoices)

        def revoke(one: Any) -> Any:
            return shop.api("DELETE", f"/v1/invoices/{one.id}/portal_link", reason)

        answers = raced(shop, invoices, tabs, revoke, dice)
        again = shop.volley([tab.click("card") for tab in tabs])
        for invoice, (pays, revokes), late in zip(invoices, answers, again, strict=True):
            assert revokes
            seen[f"paying {pays.status}, and after it {late.status}"] += 1
            assert (pays.status, revokes.status, late.status) in ((303, 200, 410), (410, 200, 410)), (pays, revokes)
            paid[invoice.number], numbers[invoice.number] = pays.status == 303, invoice

    shop.say(f"{len(paid)} times paying against revoking in {time.monotonic() - began:.0f} s: {dict(seen)}")
    check(shop, paid, numbers)


def test_nothing_is_charged_once_a_link_has_ended(shop: Shop, customer) -> None:
    dice, seen, paid, numbers = random.Random(9), Counter[str](), {}, {}
    began = time.monotonic()

    for invoices in batches(shop, customer, scaled(RACES, LEAST)):
        tabs, ends = begun(shop, invoices), {}
        for invoice in invoices:
            ends[invoice.id] = datetime.now(UTC) + timedelta(seconds=dice.uniform(0.01, 0.05))
            Link.update(expires_at=ends[invoice.id]).where(Link.invoice == invoice.id).execute()
        answers = raced(shop, invoices, tabs, lambda _: None, dice)
        time.sleep(max(0.0, (max(ends.values()) - datetime.now(UTC)).total_seconds()))
        again = shop.volley([tab.click("card") for tab in tabs])
        for invoice, (pays, _), late in zip(invoices, answers, again, strict=True):
            seen[f"paying {pays.status}, and after it {late.status}"] += 1
            assert (pays.status, late.status) in ((303, 410), (410, 410)), (pays, late)
            paid[invoice.number], numbers[invoice.number] = pays.status == 303, invoice
            made = Payment.select().where(Payment.link_id == Link.of_invoice(invoice.id).id)
            assert all(payment.created_at < ends[invoice.id] for payment in made)

    shop.say(f"{len(paid)} times paying against the end of a link in {time.monotonic() - began:.0f} s: {dict(seen)}")
    check(shop, paid, numbers)
