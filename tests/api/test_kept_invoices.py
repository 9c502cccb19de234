"""What is kept of an issued invoice is what its issuing froze: with the rest, read now, it is the invoice of now."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from datetime import date
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import given as examples
from hypothesis import settings as limits
from hypothesis import strategies as st

from portal import api, assets, logs, printing
from portal.api import invoice_shapes, shapes
from portal.compression import Begun
from portal.models import moments
from portal.models.account import Account, ApiKey
from portal.models.base import db
from portal.models.collection import Collection
from portal.models.credit_note import CreditNote, Wanted
from portal.models.customer import BalanceTransaction, Customer
from portal.models.guards import GUARDS
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from portal.models.published_bill import PublishedBill
from tests import attempts
from tests.api.conftest import Call
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries
from tests.web.conftest import queries as queries

GZIP = {"headers": {"Accept-Encoding": "gzip, deflate"}}
ALL = "?include_zero_quantity_line_items=true"


@pytest.fixture
def invoice(given: Given, acme: Account) -> Invoice:
    terms = {
        "billing_address": {"line1": "1 High Street", "country": "GB"},
        "tax_id": {"country": "GB", "type": "gb_vat", "value": "1"},
    }
    customer = given.customer(acme, external_id="crm-7", timezone="America/New_York", **terms)
    return given.invoice(customer, due=date(2026, 12, 23), auto_collection=True, memo="Thank you", metadata={"po": "7"})


@pytest.fixture
def asked(call: Call, invoice: Invoice, queries: Queries) -> Callable[[], tuple[bytes, int]]:
    """The invoice as it is sent, and with how many queries."""

    def ask() -> tuple[bytes, int]:
        with queries() as made:
            response = call("GET", f"/invoices/{invoice.id}", **GZIP)
        assert response.status_code == 200
        return gzip.decompress(response.data), len(made)

    return ask


@pytest.fixture
def fresh(call: Call, invoice: Invoice) -> Callable[[], bytes]:
    """The same with nothing kept."""

    def ask() -> bytes:
        kept = PublishedBill.get_by_id(invoice.id)
        PublishedBill.delete().where(PublishedBill.invoice == invoice.id).execute()
        body = call("GET", f"/invoices/{invoice.id}").data
        PublishedBill.keep(invoice.id, kept.build, kept.body)
        return body

    return ask


def change(invoice: Invoice, now: Any, **changes: Any) -> None:
    Invoice.get_by_id(invoice.id).change(changes, now, "test")


def credit(invoice: Invoice, now: Any) -> None:
    line = invoice.document["lines"][0]["id"]
    CreditNote.issue(Invoice.get_by_id(invoice.id), [Wanted(line, 500)], now, "test", reason="duplicate", memo="Sorry")


def move(invoice: Invoice, now: Any) -> None:
    with db.atomic():
        customer = Customer.get_by_id(invoice.customer_id).held()
        BalanceTransaction.move(customer, 700, "manual_adjustment", now, invoice_id=invoice.id, description="Surplus")


def customer(**changes: Any) -> Callable[[Invoice, Any], object]:
    return lambda invoice, _: Customer.update(**changes).where(Customer.id == invoice.customer_id).execute()


def account(**changes: Any) -> Callable[[Invoice, Any], object]:
    return lambda invoice, _: Account.update(**changes).where(Account.id == invoice.account_id).execute()


def revoke(invoice: Invoice, now: Any) -> None:
    link = Link.of_invoice(invoice.id)
    if link:
        link.revoke(now, "test")


def refresh(invoice: Invoice, now: Any) -> None:
    Link.reissue(Invoice.get_by_id(invoice.id), Account.get_by_id(invoice.account_id), "Etc/UTC", now, "k1", "test")


def try_again(invoice: Invoice, now: Any) -> None:
    Collection.insert(invoice=invoice.id, next_at=now).on_conflict_ignore().execute()
    Collection.get_by_id(invoice.id).tried(now)


def heard(stage: str) -> Callable[[Invoice, Any], object]:
    def tell(invoice: Invoice, now: Any) -> None:
        attempts.tell(attempts.of(attempts.begin(invoice, now=now, amounts=(1000,)), stage), now)

    return tell


def gone_back(invoice: Invoice, now: Any) -> None:
    payment = attempts.paid(invoice, now=now, amounts=(1000,))
    attempts.tell(attempts.dispute(payment, "lost", 1000, is_return=True), now)


DEEDS: dict[str, Callable[[Invoice, Any], object]] = {
    "a part is paid by hand": lambda invoice, now: Payment.record(
        invoice, now, "test", received_on=now.date(), amount=100
    ),
    "all is paid by hand": lambda invoice, now: Payment.record(invoice, now, "test", received_on=now.date()),
    "a payment waits": lambda invoice, now: attempts.begin(invoice, now=now, amounts=(1000,)),
    "a payment is on its way": heard("processing"),
    "a payment failed": heard("failed"),
    "a payment succeeded": heard("succeeded"),
    "more was paid than was owed": lambda invoice, now: attempts.paid(invoice, now=now, moved=9000),
    "a payment went back": gone_back,
    "a line is credited": credit,
    "a credit note is voided": lambda invoice, now: (
        CreditNote.update(voided_at=now).where(CreditNote.invoice == invoice.id).execute()
    ),
    "it is voided": lambda invoice, now: moments.void(Invoice.get_by_id(invoice.id), now, "test"),
    "its metadata": lambda invoice, now: change(invoice, now, metadata={"po": "8", "who": "me"}),
    "its methods": lambda invoice, now: change(invoice, now, payment_methods=["card"]),
    "a movement of the balance": move,
    "the link is revoked": revoke,
    "the link is refreshed": refresh,
    "it was tried to collect it": try_again,
    "it is no longer collected": lambda invoice, _: Collection.stop(invoice.id),
    "the customer's name": customer(name="Globex", email="other@globex.example"),
    "the customer's address and tax id": customer(billing_address={"line1": "2 Low Street"}, tax_id=None),
    "the customer's external id": lambda invoice, now: customer(external_id=f"crm-{now}")(invoice, now),
    "the customer's time zone": customer(timezone="Asia/Tokyo", locale="ja"),
    "the account's settings": account(name="Acme & Daughters", accent_color="#aa0000", timezone="Asia/Tokyo"),
}
REFUSALS = (ValueError,)  # of what an invoice in such a state does not let happen


@pytest.mark.parametrize("deed", DEEDS)
def test_after_any_deed_it_is_what_would_be_made_afresh(
    deed: str, app: Flask, invoice: Invoice, clock: Clock, asked: Any, fresh: Callable[[], bytes]
) -> None:
    assert api.keep(app, invoice.id)
    before, asks = asked()
    assert before == fresh()
    assert asks == 1

    clock.advance(minutes=1)
    DEEDS[deed](invoice, clock.now)

    assert asked()[0] == fresh()


def test_after_any_deeds_in_any_order_it_is_what_would_be_made_afresh(
    app: Flask, given: Given, acme: Account, acme_key: str, client: FlaskClient, clock: Clock
) -> None:
    headers = {"Authorization": f"Bearer {acme_key}", "Accept-Encoding": "gzip"}

    @limits(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @examples(st.lists(st.sampled_from(sorted(DEEDS)), min_size=3, max_size=6))
    def run(deeds: list[str]) -> None:
        invoice = given.invoice(given.customer(acme), due=date(2026, 12, 23), auto_collection=True)
        path = f"/v1/invoices/{invoice.id}"
        assert api.keep(app, invoice.id)
        for deed in deeds:
            clock.advance(hours=1)
            try:
                with db.atomic():
                    DEEDS[deed](invoice, clock.now)
            except REFUSALS:
                continue
        kept = client.get(path, headers=headers)
        PublishedBill.delete().where(PublishedBill.invoice == invoice.id).execute()
        assert gzip.decompress(kept.data) == gzip.decompress(client.get(path, headers=headers).data)

    run()


def test_the_worker_keeps_it_together_with_the_page(app: Flask, invoice: Invoice, clock: Clock, asked: Any) -> None:
    assert asked()[1] > 1

    assert printing.publish(app, "invoice", invoice.id, clock.now)

    assert asked()[1] == 1


def test_a_link_that_expires_is_told_no_more(app: Flask, invoice: Invoice, clock: Clock, asked: Any) -> None:
    api.keep(app, invoice.id)
    assert orjson.loads(asked()[0])["hosted_invoice_url"]

    clock.advance(days=400)

    assert orjson.loads(asked()[0])["hosted_invoice_url"] is None


def test_what_is_kept_holds_no_link_and_depends_on_no_column_that_may_change(app: Flask, invoice: Invoice) -> None:
    """Whatever the triggers let change is made another here; the kept part stays as it is."""
    api.keep(app, invoice.id)
    (frozen,) = [one.condition for one in GUARDS if one.trigger == "invoice_frozen_update"]
    kept = gzip.decompress(Begun.read(bytes(PublishedBill.get_by_id(invoice.id).body)).packed_with(b"}"))
    row = Invoice.select(Invoice, Customer).join(Customer).where(Invoice.id == invoice.id).get()

    for field in Invoice._meta.sorted_fields:
        if f"OLD.{field.column_name} {{differs}}" not in frozen:
            setattr(row, field.name, "another")
    row.customer = Customer(id=row.customer_id)

    with app.test_request_context():
        assert shapes.wire(invoice_shapes.frozen(row)) == kept
    link = Link.of_invoice(invoice.id)
    assert link
    assert not [secret for secret in (link.id, link.token_id, "/i/") if secret.encode() in kept]


def test_what_is_out_of_the_ordinary_is_made_afresh(app: Flask, call: Call, invoice: Invoice, asked: Any) -> None:
    api.keep(app, invoice.id)
    body, path = asked()[0], f"/invoices/{invoice.id}"

    plain = call("GET", path)
    assert "Content-Encoding" not in plain.headers
    assert plain.data == body
    assert call("GET", path + ALL).data == body
    assert orjson.loads(call("GET", f"{path}?include_zero_quantity_line_items=false").data) == orjson.loads(body)
    assert call("GET", f"{path}?odd=1").status_code == 400
    assert call("HEAD", path, **GZIP).data == b""
    assert call("GET", path, key=None, **GZIP).status_code == 401


def test_headers_are_those_of_any_answer(app: Flask, call: Call, invoice: Invoice) -> None:
    before = call("GET", f"/invoices/{invoice.id}", **GZIP)
    api.keep(app, invoice.id)

    after = call("GET", f"/invoices/{invoice.id}", **GZIP)

    assert gzip.decompress(after.data) == gzip.decompress(before.data)
    assert {**after.headers, "Content-Length": ""} == {**before.headers, "Content-Length": ""}
    assert int(after.headers["Content-Length"]) == len(after.data)


def test_a_client_that_reads_one_gzip_file_reads_all_of_it(app: Flask, call: Call, invoice: Invoice) -> None:
    api.keep(app, invoice.id)
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)

    body = reader.decompress(call("GET", f"/invoices/{invoice.id}", **GZIP).data)

    assert reader.eof
    assert not reader.unused_data
    assert orjson.loads(body)["id"] == invoice.id


def test_nobody_reads_another_accounts_kept_invoice(app: Flask, call: Call, invoice: Invoice, bolt_key: str) -> None:
    api.keep(app, invoice.id)

    theirs, none = (call("GET", f"/invoices/{id}", key=bolt_key) for id in (invoice.id, "nosuchinvoice000"))

    assert theirs.status_code == none.status_code == 404
    assert theirs.data == none.data


@pytest.mark.parametrize("end", ["the key is revoked", "the account is closed"])
def test_a_key_that_is_over_reads_no_kept_invoice(
    end: str, app: Flask, call: Call, invoice: Invoice, acme: Account, clock: Clock, asked: Any
) -> None:
    api.keep(app, invoice.id)
    assert asked()[1] == 1

    if end == "the key is revoked":
        ApiKey.update(revoked_at=clock.now).where(ApiKey.account == acme.id).execute()
    else:
        Account.update(closed_at=clock.now).where(Account.id == acme.id).execute()

    assert call("GET", f"/invoices/{invoice.id}", **GZIP).status_code == 401


def test_it_is_written_down_like_any_request(
    app: Flask, call: Call, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[tuple[Any, ...]] = []
    monkeypatch.setattr(logs, "request", lambda *said: noted.append((*said[:3], said[4])))

    for keep in (False, True):
        assert not keep or api.keep(app, invoice.id)
        call("GET", f"/invoices/{invoice.id}", **GZIP)

    assert noted[0] == noted[1]
    assert noted[0][:3] == ("GET", "/v1/invoices/<id>", 200)


def test_a_draft_is_never_kept(app: Flask, given: Given, acme: Account, call: Call) -> None:
    draft = given.invoice(given.customer(acme), issued=False)

    assert not api.keep(app, draft.id)

    PublishedBill.keep(draft.id, assets.build("none"), Begun.of(b'{"id":"old"').dump())
    assert orjson.loads(call("GET", f"/invoices/{draft.id}").data)["id"] == draft.id


def test_what_another_build_wrote_is_not_sent_and_is_written_again(app: Flask, invoice: Invoice, asked: Any) -> None:
    PublishedBill.keep(invoice.id, "another build", Begun.of(b'{"id":"old"').dump())
    body, asks = asked()
    assert orjson.loads(body)["id"] == invoice.id
    assert asks > 1

    assert api.keep(app, invoice.id)

    assert asked() == (body, 1)


def test_a_document_that_leaves_something_to_the_customer_of_today_is_not_kept(
    app: Flask, given: Given, acme: Account
) -> None:
    draft = given.invoice(given.customer(acme), issued=False)
    for n, missing in enumerate(("customer", "timezone", "lines")):
        document = {"customer": {}, "timezone": "Etc/UTC", **draft.document}
        named = {**draft.__data__, "id": f"incomplete{n:06}", "number": f"{acme.number_prefix}-{n}", "status": "issued"}
        named["document"] = {name: value for name, value in document.items() if name != missing}
        Invoice.insert(named).execute()

        assert not api.keep(app, named["id"])


@pytest.mark.parametrize("length", [0, 1, 40_000, 200_000])
def test_a_text_that_was_begun_ahead_is_whole_with_what_follows(length: int) -> None:
    first, rest = b"0123456789"[: length or 0] * (length // 10 or 1), b"and so on" * (length // 9)
    begun = Begun.read(Begun.of(first).dump())

    assert gzip.decompress(begun.packed_with(rest)) == first + rest
