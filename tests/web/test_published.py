"""An invoice's page is rendered once for each version of what it shows, and is never anything but the present one."""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal import assets, web
from portal.models import moments
from portal.models.account import Account, Logo
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from portal.models.published import AT_ONCE, LEASE, Published
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import GZIP


@pytest.fixture
def invoice(given: Given, acme: Account) -> Invoice:
    return given.invoice(given.customer(acme, locale="en-US"), due=date(2026, 12, 23))


@pytest.fixture
def address(given: Given, invoice: Invoice) -> str:
    link = Link.of_invoice(invoice.id)
    assert link
    return given.url(link)


@pytest.fixture
def publish(app: Flask, invoice: Invoice, clock: Clock) -> Callable[[], bool]:
    return lambda: web.publish(app, "invoice", invoice.id, clock.now)


def text(response: TestResponse) -> str:
    assert response.status_code == 200, response.status
    packed = response.headers.get("Content-Encoding") == "gzip"
    return (gzip.decompress(response.data) if packed else response.data).decode()


def test_a_kept_page_is_what_would_be_rendered_with_every_header(
    client: FlaskClient, address: str, publish: Callable[[], bool], is_kept: Callable[[], bool]
) -> None:
    rendered = client.get(address, headers=GZIP)
    assert not is_kept()

    assert publish()

    assert is_kept()
    kept = client.get(address, headers=GZIP)
    assert text(kept) == text(rendered)
    sent, before = ({**one.headers, "Content-Length": ""} for one in (kept, rendered))
    assert sent == before
    assert kept.content_length <= rendered.content_length


def test_a_kept_page_holds_no_token(address: str, publish: Callable[[], bool], invoice: Invoice) -> None:
    publish()

    page = gzip.decompress(Published.get_by_id(invoice.id).page).decode()
    token, kept_id = address.split("/")[2], Link.of_invoice(invoice.id)
    assert kept_id
    assert not [secret for secret in (token, token[:20], kept_id.token_id, kept_id.id, "/i/") if secret in page]


def test_what_is_out_of_the_ordinary_is_left_to_the_page(
    client: FlaskClient, address: str, publish: Callable[[], bool]
) -> None:
    publish()

    plain = client.get(address)
    assert "Content-Encoding" not in plain.headers
    assert text(plain) == text(client.get(address, headers=GZIP))
    assert "Content-Encoding" not in client.get(address, headers={"Accept-Encoding": "gzip;q=0"}).headers
    assert client.head(address, headers=GZIP).data == b""
    assert client.get(address + "?x=1", headers=GZIP).status_code == 200
    assert client.post(address, headers=GZIP).status_code == 405
    assert client.get(address, headers={**GZIP, "HX-Request": "true"}).status_code == 200


def pay(invoice: Invoice, clock: Clock, amount: int) -> None:
    Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=amount)


def account(**changes: Any) -> Callable[[Invoice, Clock], object]:
    return lambda invoice, _: Account.update(**changes).where(Account.id == invoice.account_id).execute()


CHANGES: dict[str, Callable[[Invoice, Clock], object]] = {
    "a part of it is paid": lambda invoice, clock: pay(invoice, clock, 100),
    "it is paid": lambda invoice, clock: pay(invoice, clock, 4000),
    "it is voided": lambda invoice, clock: moments.void(invoice, clock.now, "test"),
    "the language": lambda invoice, _: Customer.update(locale="de").where(Customer.id == invoice.customer_id).execute(),
    "the name": account(name="Acme & Daughters"),
    "the contact": account(support_email="other@acme.example"),
    "the colour": account(accent_color="#aa0000"),
    "lines without usage": account(hide_zero_quantity_lines=True),
    "the logo": lambda invoice, clock: Logo.create(
        account=invoice.account_id,
        digest=f"{secrets.randbits(256):064x}",
        png=b"-",
        width=1,
        height=1,
        created_at=clock.now,
    ),
    "its due date is past": lambda _, clock: clock.advance(days=31),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_page_is_never_that_of_another_time(
    change: str,
    client: FlaskClient,
    clock: Clock,
    invoice: Invoice,
    address: str,
    publish: Callable[[], bool],
    is_kept: Callable[[], bool],
) -> None:
    publish()
    before = text(client.get(address, headers=GZIP))

    CHANGES[change](invoice, clock)

    # At once it is rendered anew; the worker is told, renders it, and then it is sent as it is kept.
    assert not is_kept()
    now = text(client.get(address, headers=GZIP))
    assert now == text(client.get(address))
    assert (now == before) == (change == "lines without usage")
    due = Published.get_by_id(invoice.id).due_at
    assert due is not None
    assert due <= clock.now
    assert publish()
    assert is_kept()
    assert text(client.get(address, headers=GZIP)) == now


ENDINGS: dict[str, Callable[[Link, Invoice, Account, Clock], object]] = {
    "revoked": lambda link, _, __, clock: link.revoke(clock.now, "test"),
    "refreshed": lambda link, invoice, account, clock: Link.reissue(
        invoice, account, "Etc/UTC", clock.now, link.kid, "test"
    ),
    "expired": lambda _, __, ___, clock: clock.advance(days=400),
    "of a closed account": lambda _, __, account, clock: (
        Account.update(closed_at=clock.now).where(Account.id == account.id).execute()
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_kept_page_is_sent_to_nobody_whose_link_is(
    ending: str,
    client: FlaskClient,
    invoice: Invoice,
    acme: Account,
    clock: Clock,
    address: str,
    publish: Callable[[], bool],
) -> None:
    publish()
    assert client.get(address, headers=GZIP).status_code == 200
    link = Link.of_invoice(invoice.id)
    assert link

    ENDINGS[ending](link, invoice, acme, clock)

    publish()
    assert client.get(address, headers=GZIP).status_code == 410


def test_a_kept_page_opens_for_no_other_kind_of_link_and_no_forged_one(
    client: FlaskClient, address: str, publish: Callable[[], bool]
) -> None:
    publish()

    for wrong in (address.replace("/i/", "/c/"), address[:-2] + ("A/" if address[-2] != "A" else "E/"), "/i/-/"):
        assert client.get(wrong, headers=GZIP).status_code == 404


def test_a_page_that_was_overtaken_while_it_was_rendered_is_not_kept(invoice: Invoice, clock: Clock) -> None:
    shown = Published.shown(invoice.id)
    assert shown
    version = shown.version("a build", clock.now)

    pay(invoice, clock, 100)

    assert not Published.keep(invoice.id, "a build", clock.now, version, b"page")
    row = Published.get_by_id(invoice.id)
    assert (row.page, row.due_at) == (None, AT_ONCE)


def test_what_one_worker_took_no_other_takes_until_it_has_had_its_time(invoice: Invoice, clock: Clock) -> None:
    Published.update(due_at=None).where(Published.invoice != invoice.id).execute()

    assert invoice.id in Published.take(clock.now, 10)
    assert invoice.id not in Published.take(clock.now, 10)
    assert invoice.id in Published.take(clock.now + LEASE, 10)


def test_a_draft_has_no_page_and_an_issued_invoice_is_put_down_for_one(
    given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    draft = given.invoice(given.customer(acme), issued=False)
    assert Published.get_or_none(Published.invoice == draft.id) is None

    moments.issue(draft, clock.now, kid, "test")

    assert Published.get_by_id(draft.id).due_at == AT_ONCE


def test_pages_of_another_build_are_put_down_again(invoice: Invoice, publish: Callable[[], bool], clock: Clock) -> None:
    publish()
    assert Published.get_by_id(invoice.id).due_at > clock.now

    Published.overtaken(assets.build())
    assert Published.get_by_id(invoice.id).due_at > clock.now
    Published.overtaken("another build")
    assert Published.get_by_id(invoice.id).due_at == AT_ONCE


def test_an_invoice_that_cannot_be_shown_is_dropped_and_stops_nobody(
    app: Flask, given: Given, acme: Account, clock: Clock
) -> None:
    broken = given.invoice(given.customer(acme), issued=False)
    document = {name: value for name, value in broken.document.items() if name != "lines"}
    number = f"{acme.number_prefix}-broken"
    Invoice.update(status="issued", number=number, document=document).where(Invoice.id == broken.id).execute()

    assert not web.publish(app, "invoice", broken.id, clock.now)

    row = Published.get_by_id(broken.id)
    assert (row.page, row.due_at) == (None, None)


def test_a_page_is_looked_at_again_when_its_due_date_is_over(
    invoice: Invoice, publish: Callable[[], bool], clock: Clock
) -> None:
    publish()
    assert Published.get_by_id(invoice.id).due_at == clock.now.replace(month=12, day=24, hour=0)

    clock.advance(days=31)
    publish()
    assert Published.get_by_id(invoice.id).due_at is None


def test_payments_of_long_ago_are_counted_too(invoice: Invoice, clock: Clock) -> None:
    assert Invoice.get_by_id(invoice.id).revision == 0

    pay(invoice, clock, 100)
    Payment.update(received_on=clock.now.date() - timedelta(days=1)).execute()

    assert Invoice.get_by_id(invoice.id).revision == 2  # an allocation and a booking
