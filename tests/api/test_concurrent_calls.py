"""Calls at the same moment on the same things: each is answered, none waits for ever, and the rules still hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from portal.models import base
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from tests.given import Given

Ask = tuple[str, str, Any]
AtOnce = Callable[[list[Ask]], list[int]]
WORKERS = 8


@pytest.fixture
def at_once(app: Flask, acme_key: str) -> AtOnce:
    """Makes calls from threads of their own, and says their statuses."""

    def ask(call: Ask) -> int:
        method, path, body = call
        headers = {"Authorization": f"Bearer {acme_key}"}
        try:
            return app.test_client().open(f"/v1{path}", method=method, json=body, headers=headers).status_code
        finally:
            if not base.db.is_closed():
                base.db.close()

    def run(calls: list[Ask]) -> list[int]:
        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(ask, calls))

    return run


@pytest.fixture
def customer(acme: Account, given: Given) -> Customer:
    return given.customer(acme)


def test_numbers_are_unique_and_without_a_gap(at_once: AtOnce, acme: Account, customer: Customer, given: Given) -> None:
    drafts = [given.invoice(one, issued=False).id for one in (customer, given.customer(acme)) for _ in range(10)]

    statuses = at_once([("POST", f"/invoices/{id}/issue", {}) for id in [*drafts, *drafts]])

    assert Counter(statuses) == {200: 20, 400: 20}
    numbers = {row.number for row in Invoice.select().where(Invoice.account == acme)}
    assert numbers == {f"{acme.number_prefix}-{n:05d}" for n in range(1, 21)}


def test_one_of_paying_and_voiding_happens(at_once: AtOnce, customer: Customer, given: Given) -> None:
    ids = [given.invoice(customer).id for _ in range(12)]
    paid = {"payment_received_date": "2026-11-23"}

    calls = [
        call
        for id in ids
        for call in (("POST", f"/invoices/{id}/void", {}), ("POST", f"/invoices/{id}/mark_paid", paid))
    ]
    statuses = at_once(calls)

    assert Counter(statuses) == {200: 12, 400: 12}
    assert {Invoice.get_by_id(id).status for id in ids} <= {"paid", "void"}


def test_every_deed_on_one_invoice_at_once_is_answered(at_once: AtOnce, customer: Customer, given: Given) -> None:
    id = given.invoice(customer).id
    deeds: list[Ask] = [
        ("POST", f"/invoices/{id}/portal_link", {}),
        ("POST", f"/invoices/{id}/send", {}),
        ("PUT", f"/invoices/{id}", {"metadata": {"a": "1"}}),
        ("DELETE", f"/invoices/{id}/portal_link", {}),
        ("POST", f"/customers/{customer.id}/portal_link", {}),
        ("POST", f"/customers/{customer.id}/portal_sessions", {}),
        ("PUT", f"/customers/{customer.id}", {"name": "Another"}),
        ("PATCH", "/account", {"memo": "Another"}),
        ("GET", f"/invoices/{id}", None),
    ]

    statuses = at_once([*deeds * 12, ("POST", f"/invoices/{id}/void", {}), *deeds * 12])

    assert set(statuses) <= {200, 201, 202, 400}
    assert Link.select().where(Link.invoice == id, Link.ended_at.is_null()).count() <= 1
    assert len(list(Link.live_sessions(customer.id, given.now()))) == 1


def test_a_first_currency_is_decided_once(at_once: AtOnce, acme: Account, given: Given) -> None:
    free = given.customer(acme, currency=None)
    line = {
        "name": "One",
        "item_id": given.item(acme).id,
        "model_type": "unit",
        "quantity": 1,
        "unit_config": {"unit_amount": "5"},
        "start_date": "2026-11-01",
        "end_date": "2026-12-01",
    }
    body = {"customer_id": free.id, "invoice_date": "2026-11-23", "line_items": [line], "will_auto_issue": True}

    statuses = at_once([("POST", "/invoices", {**body, "currency": code}) for code in ("USD", "EUR") * 6])

    assert Counter(statuses) == {201: 6, 400: 6}
    assert {row.currency for row in Invoice.select().where(Invoice.customer == free)} == {
        Customer.get_by_id(free.id).currency
    }
