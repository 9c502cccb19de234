"""Every address that the app serves, with the ids of somebody's things in it. A rule unknown here is a failing test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

from flask import Flask
from PIL import Image
from werkzeug.routing import Rule

from portal.models import backfill, ingestion, moments
from portal.models.account import Account, ApiKey, Logo
from portal.models.arrival import Arrival
from portal.models.base import db, micros
from portal.models.catalog import Item, Price
from portal.models.coupon import Coupon
from portal.models.credit_note import CreditNote, Wanted
from portal.models.customer import Customer
from portal.models.event import Backfill
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Allocation, Payment
from portal.models.saved_method import SavedMethod
from portal.models.subscription import Subscription
from tests.given import Given

KINDS = {"i": "invoice", "c": "customer", "s": "session"}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
COLOR = "0b5cad"
SHAPELESS = "0" * 16  # an id that nothing has
# What a call needs in order to be carried out. Whatever is not named here takes {}; "" is no body at all.
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/customers"): {"name": "New", "email": "new@customer.example"},
    ("PUT", "/v1/customers/<id>"): {"metadata": {"a": "b"}},
    ("PUT", "/v1/customers/external_customer_id/<external:external_id>"): {"metadata": {"a": "b"}},
    ("POST", "/v1/items"): {"name": "New"},
    ("PUT", "/v1/items/<id>"): {"metadata": {"a": "b"}},
    ("PUT", "/v1/invoices/<id>"): {"metadata": {"a": "b"}},
    ("POST", "/v1/invoices/<id>/mark_paid"): {"payment_received_date": "2026-11-23"},
    ("PATCH", "/v1/account"): {"memo": "New"},
}

# What a call cannot do without.
QUERIES = {
    "/v1/events/volume": "?timeframe_start=2026-11-23T09:00:00Z",
    "/v1/invoices/upcoming": "?subscription_id=<subscription_id>",
}


@dataclass
class Home:
    """One customer and one thing of every kind that is hers; her account's key."""

    account: Account
    key: str
    customer: Customer
    item: Item
    subscription: Subscription
    metric_id: str
    invoices: list[Invoice]  # open ones first, then a draft and a void one
    sessions: list[Link]
    urls: dict[str, list[str]]  # "i", "c", "s": the paths of live links
    logo: str
    upcoming_line: str = ""
    price_id: str = ""
    plan_id: str = ""
    coupon_id: str = ""
    note_id: str = ""
    event_key: str = ""
    payment_id: str = ""
    method_id: str = ""
    backfill_id: str = ""
    tried: dict[str, str] = field(default_factory=dict)  # an invoice's id to that of a payment of it, which failed

    @property
    def open(self) -> list[Invoice]:
        return [invoice for invoice in self.invoices if invoice.status == "issued"]

    @property
    def draft(self) -> Invoice:
        return next(invoice for invoice in self.invoices if invoice.status == "draft")

    def token(self, prefix: str, n: int = 0) -> str:
        return self.urls[prefix][n].split("/")[2]

    def line(self, invoice: Invoice) -> str:
        return str(invoice.document["lines"][0]["id"])


def move_in(given: Given, account: Account, key: str, item: Item, n: int) -> Home:
    """A new customer with four invoices, a subscription with usage, a permanent link and a session."""
    now = given.now()
    customer = given.customer(account, external_id=f"crm/{account.id}/{n}", timezone="Etc/UTC")
    metric = given.metric(account, f"Calls {n}")
    price = given.price(metric)
    discount = {"discount_type": "percentage", "percentage_discount": "0.1", "reason": None}
    coupon = Coupon.create(account=account, created_at=now, code=f"C{n}", discount=discount)
    plan = given.plan(price, external_id=customer.external_id)
    Price.update(external_id=customer.external_id).where(Price.id == price.id).execute()
    days = {date(2026, 11, day): "3" for day in (1, 2, 3)}
    given.usage(customer, metric, days)
    subscription = given.subscription(customer, price)
    invoices = [given.invoice(customer), given.usage_invoice(customer, price, days)]
    links = [link for link in (Link.of_invoice(invoice.id) for invoice in invoices) if link]
    invoices += [given.invoice(customer, issued=False), moments.void(given.invoice(customer), now, "test")]
    session = Link.start_session(customer, now, given.kid, "test")
    noted = given.invoice(customer)
    credited = [Wanted(noted.document["lines"][0]["id"], 100)]
    note = CreditNote.issue(noted, credited, now, "test", reason="duplicate", memo=None)
    paid = Payment.record(noted, now, "test", received_on=now.date(), amount=100)
    saved = SavedMethod.keep(customer, "sandbox", f"pm_{customer.id}", now, "test", method="card", label="Visa")
    permanent = Link.of_customer(customer.id)
    assert permanent
    urls = {
        "i": [given.url(link) for link in links],
        "c": [given.url(permanent)],
        "s": [given.url(session)],
    }
    line = f"{subscription.id}-{price.id}"
    logo = Logo.get(Logo.account == account.id).digest
    return Home(
        account,
        key,
        customer,
        item,
        subscription,
        metric.id,
        invoices,
        [session],
        urls,
        logo,
        line,
        price.id,
        plan.id,
        coupon.id,
        note.id,
        told(customer, now, f"event/{customer.id}"),
        paid.id,
        saved.id,
        filled(account, customer, now).id,
        {invoice.id: tried(invoice, now) for invoice in invoices[:2]},
    )


def told(customer: Customer, now: datetime, key: str) -> str:
    """An event of hers."""
    arrival = Arrival(key, customer.id, None, "call", micros(now), {"bytes": 1})
    with db.atomic():
        ingestion.share(customer.account_id)
        ingestion.ingest(customer.account_id, [arrival], now)
    return key


def tried(invoice: Invoice, now: datetime) -> str:
    """A payment of hers that came to nothing."""
    whose = {"account": invoice.account_id, "customer": invoice.customer_id, "created_at": now, "created_by": "test"}
    what = {"method": "card", "label": "Card", "currency": invoice.currency, "amount": 100}
    payment = Payment.create(gateway="sandbox", stage="failed", failure="declined", ended_at=now, **whose, **what)
    Allocation.create(payment=payment, invoice=invoice, created_at=now, amount=100, stage="failed")
    return str(payment.id)


def filled(account: Account, customer: Customer, now: datetime) -> Backfill:
    """A backfill of hers, which is open."""
    days = {"start": now - timedelta(days=9), "end": now - timedelta(days=8)}
    how = {"close_at": None, "replaces": False, "deprecation_filter": None}
    return backfill.begin(account, now, "test", customer=customer, **days, **how)


def street(given: Given, account: Account, customers: int) -> list[Home]:
    """The customers of one account, which has a logo and an item."""
    _, key = ApiKey.mint(account, given.now(), "test")
    item = given.item(account)
    Logo.create(account=account, png=picture(), width=1, height=1, digest="0" * 64, created_at=given.now())
    return [move_in(given, account, key, item, n) for n in range(customers)]


def rules(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=str)


def methods(rule: Rule) -> set[str]:
    return (rule.methods or set()) - {"HEAD", "OPTIONS"}


def names(rule: Rule) -> list[str]:
    return PARAMETER.findall(rule.rule + QUERIES.get(rule.rule, ""))


def prefix(rule: Rule) -> str | None:
    """ "i", "c" or "s", where the rule stands below a link."""
    first = rule.rule.split("/")[1]
    return first if first in KINDS else None


def fill(rule: Rule | str, **ids: str) -> str:
    path = str(rule.rule if isinstance(rule, Rule) else rule)
    return PARAMETER.sub(lambda found: ids[found[1]], path + QUERIES.get(path, ""))


def ids(rule: Rule, home: Home, invoice: Invoice | None = None) -> dict[str, str]:
    """What stands for each parameter of the rule when `home` asks for her own. Raises KeyError for a new parameter."""
    invoice = invoice or home.invoices[0]
    mark = prefix(rule)
    found = {}
    for name in names(rule):
        if name == "id":
            found[name] = {
                "customers": home.customer.id,
                "invoices": invoice.id,
                "items": home.item.id,
                "metrics": home.metric_id,
                "prices": home.price_id,
                "plans": home.plan_id,
                "coupons": home.coupon_id,
                "subscriptions": home.subscription.id,
                "credit_notes": home.note_id,
                "payments": home.payment_id,
                "events": home.backfill_id if "/backfills/" in rule.rule else home.event_key,
            }[rule.rule.split("/")[2]]
        else:
            found[name] = {
                "token": lambda: home.token(mark or "", home.invoices.index(invoice) if mark == "i" else 0),
                "invoice_id": lambda: invoice.id,
                "line_id": lambda: home.upcoming_line if "/upcoming/" in rule.rule else home.line(invoice),
                "external_id": lambda: home.customer.external_id,
                "method_id": lambda: home.method_id,
                "gateway": lambda: "sandbox",
                "payment_id": lambda: home.tried.get(invoice.id, home.payment_id),
                "session_id": lambda: home.sessions[0].id,
                "subscription_id": lambda: home.subscription.id,
                "digest": lambda: home.logo,
                "color": lambda: COLOR,
                "section": lambda: "customers",
            }[name]()
    return found


def body(method: str, rule: Rule, home: Home) -> dict[str, Any]:
    """What a test client sends along, so that the call can be carried out."""
    if rule.rule == "/v1/account/logo":
        return {"data": picture()} if method == "PUT" else {}
    if (method, rule.rule) == ("POST", "/v1/invoices"):
        return {"json": new_invoice(home)}
    if method in ("GET", "DELETE") or not rule.rule.startswith("/v1/"):
        return {}
    return {"json": BODIES.get((method, rule.rule), {})}


def new_invoice(home: Home, **changes: Any) -> dict[str, Any]:
    line = {
        "name": "One",
        "item_id": home.item.id,
        "model_type": "unit",
        "quantity": 1,
        "unit_config": {"unit_amount": "5"},
        "start_date": "2026-11-01",
        "end_date": "2026-12-01",
    }
    whole = {"customer_id": home.customer.id, "currency": "USD", "invoice_date": "2026-11-23", "line_items": [line]}
    return {**whole, **changes}


def picture() -> bytes:
    drawn = BytesIO()
    Image.new("RGB", (4, 4), "red").save(drawn, "PNG")
    return drawn.getvalue()


def tables() -> Iterator[tuple[str, list[str]]]:
    """Everything that is remembered."""
    for table in sorted(db.get_tables()):
        yield table, sorted(map(repr, db.execute_sql(f'SELECT * FROM "{table}"').fetchall()))


LATER = datetime(2030, 1, 1, tzinfo=UTC)  # when every link but the permanent ones has expired
