"""The invoice page: what is to be paid first, then whom, for what and how it adds up; in the customer's own hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import assets
from portal.domain.statuses import SHOWN
from portal.models import moments
from portal.models.account import Account
from portal.models.customer import BalanceTransaction, Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Payment
from portal.tokens import SHAPE
from tests import attempts
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries

Read = Callable[[str], str]
TAG = re.compile(r"<[^>]*>")
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "<div hx-get=//evil.example hx-trigger=load>",
    "{{7*7}}{% raw %}${7*7}",
    "javascript:alert(1)",
    "</title><svg/onload=alert(1)>",
    "\u202egnp.exe",
]


FOREIGN = {"img", "svg", "iframe", "object", "embed", "style", "base"}


class Tags(HTMLParser):
    """What a browser makes of a page: its elements, attributes, addresses and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "hx-get")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def customer(given: Given, acme: Account) -> Customer:
    return given.customer(
        acme,
        name="Zoë & Söhne",
        billing_address={"line1": "Hauptstr. 5", "postal_code": "10115", "city": "Berlin", "country": "DE"},
        tax_id={"country": "DE", "type": "eu_vat", "value": "DE999"},
    )


@pytest.fixture
def show(given: Given, read: Read) -> Callable[[Invoice], str]:
    """The text of an invoice's page, as a reader sees it: without tags, one space between words."""

    def text(invoice: Invoice) -> str:
        return words(read(path(given, invoice)))

    return text


def test_what_remains_to_be_paid_comes_first(given: Given, customer: Customer, show: Any) -> None:
    text = show(given.invoice(customer, due=date(2026, 12, 24)))

    assert "Issued For Onboarding and 1 more To pay $40.00 Due Dec 24, 2026" in text
    assert text.index("To pay") < text.index("Zoë")


def test_both_parties_are_shown_as_they_were_when_it_was_issued(
    given: Given, acme: Account, customer: Customer, clock: Clock, show: Any
) -> None:
    acme.configure({"company": {"name": "Acme Ltd", "address": "1 Road\nTown", "tax_id": "GB 1"}}, clock.now, "test")
    invoice = given.invoice(customer)
    acme.configure({"company": {"name": "Acme Renamed"}}, clock.now, "test")
    customer.change({"name": "Renamed too", "billing_address": None}, clock.now, "test")

    text = show(invoice)

    assert "From Acme Ltd 1 Road Town Tax id GB 1" in text
    assert "To Zoë &amp; Söhne Hauptstr. 5 10115 Berlin Germany Tax id DE999" in text
    assert "Renamed" not in text


@pytest.mark.parametrize(
    ("due", "paid", "voided", "status", "says"),
    [
        (None, 0, False, "Issued", "To pay $40.00 No due date"),
        (0, 0, False, "Issued", "To pay $40.00 Due Nov 23, 2026"),
        (-1, 0, False, "Overdue", "To pay $40.00 Was due Nov 22, 2026"),
        (-1, 1500, False, "Overdue", "To pay $25.00"),
        (-1, 4000, False, "Paid", "Nothing left to pay $0.00 Paid Nov 23, 2026"),
        (-1, 0, True, "Void", "Nothing to pay $40.00 Voided Nov 23, 2026"),
    ],
)
def test_the_status_is_said_in_words_and_colour(
    given: Given,
    customer: Customer,
    clock: Clock,
    read: Read,
    due: int | None,
    paid: int,
    voided: bool,
    status: str,
    says: str,
) -> None:
    day = None if due is None else clock.now.date() + timedelta(days=due)
    invoice = given.invoice(customer, due=day)
    if paid:
        Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=paid, method="Bank transfer")
    if voided:
        moments.void(invoice, clock.now, "test")

    html = read(path(given, invoice))

    assert f'class="status status-{status.lower()}">{status}<' in html
    assert says in words(html)


def test_every_status_has_a_word_and_a_shape_of_its_own(app: Flask) -> None:
    word = app.jinja_env.get_template("invoice/words.html").module.status_words  # type: ignore[attr-defined]  # a macro
    css = assets.folder("static").joinpath("portal.css").read_text("utf-8")
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", css)
    shapes = {
        status: [rule for names, rule in rules if f".status.status-{status}" in names and "-shape:" in rule][-1:]
        or [rule for names, rule in rules if f".status.status-{status}::before" in names and "border:" in rule]
        for status in SHOWN
    }

    assert len({str(word(status)) for status in SHOWN}) == len(SHOWN)
    assert all(shapes.values())
    assert len({re.sub(r"--(?:hue|ground):[^;]*;", "", str(one)) for one in shapes.values()}) == len(SHOWN) - 1
    assert shapes["issued"] == shapes["draft"]  # the two are never side by side: a draft is in no portal


def test_an_invoice_is_overdue_from_the_customers_own_midnight_on(
    given: Given, acme: Account, clock: Clock, read: Read
) -> None:
    invoice = given.invoice(given.customer(acme, timezone="Pacific/Auckland"), due=date(2026, 11, 24))

    assert "status-issued" in read(path(given, invoice))
    clock.now = clock.now.replace(day=24, hour=11, minute=0)  # 00:00 on the 25th in Auckland
    assert "status-overdue" in read(path(given, invoice))


def test_it_adds_up_from_subtotal_to_what_is_left(given: Given, customer: Customer, clock: Clock, show: Any) -> None:
    BalanceTransaction.move(customer, 500, "manual_adjustment", clock.now)
    invoice = given.invoice(
        customer,
        terms={
            "discounts": [{"type": "percentage_discount", "value": "0.1", "reason": "Early bird"}],
            "tax_rates": [("VAT", "19")],
            "credits": 600,
        },
    )
    Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=1000, method="Bank transfer")

    text = show(invoice)

    assert (
        "Subtotal $40.00 Discount of 10% (Early bird) -$4.00 Prepaid credits -$6.00 VAT 19% $5.70 "
        "Total $35.70 Taken from your balance -$5.00 Payments received -$10.00 Left to pay $20.70"
    ) in text
    assert "2 lines with their tax add up to the total of $35.70" in text
    assert "Paid in part Nov 23, 2026 $10.00 · Bank transfer" in text


def test_a_minimum_says_what_it_added(given: Given, customer: Customer, show: Any) -> None:
    assert "Up to the minimum of $50.00 $10.00 Total $50.00" in show(given.invoice(customer, terms={"minimum": 5000}))


def test_a_line_that_a_minimum_raised_says_what_it_was_before(given: Given, customer: Customer, show: Any) -> None:
    text = show(given.invoice(customer, lines=(("Fee", "2", "15"), ("Extra", "1", "10")), terms={"minimum": 5000}))

    assert "2 × $15.00 $37.50 $30.00 + share of the minimum" in text
    assert "1 × $10.00 $12.50 $10.00 + share of the minimum" in text
    assert "share of" not in show(given.invoice(customer, terms={"minimum": 1000}))


def test_a_line_says_what_its_quantity_counts_and_how_many_prices_it_has(
    given: Given, customer: Customer, acme: Account, show: Any
) -> None:
    tiers = [
        {"first_unit": 0, "last_unit": 100, "unit_amount": "0.50"},
        {"first_unit": 100, "last_unit": None, "unit_amount": "0.25"},
    ]
    price = given.price(given.metric(acme), model_type="tiered", tiered_config={"tiers": tiers})

    text = {used: show(given.usage_invoice(customer, price, {date(2026, 10, 1): used})) for used in ("1290", "60")}

    assert "1,290 calls 2 price steps $347.50" in text["1290"]
    assert "60 calls × $0.50 $30.00" in text["60"]


def test_a_debt_that_was_brought_forward_is_added(given: Given, customer: Customer, clock: Clock, show: Any) -> None:
    BalanceTransaction.move(customer, -700, "manual_adjustment", clock.now)

    assert "Total $40.00 Brought forward from your balance $7.00 Left to pay $47.00" in show(given.invoice(customer))


def test_one_short_line_says_what_it_is_for(given: Given, customer: Customer, show: Any) -> None:
    many = tuple((f"Service {n}", "1", "10") for n in range(5))

    assert "For Service 0 and 4 more To pay" in show(given.invoice(customer, lines=many))
    assert "For Service 0 To pay" in show(given.invoice(customer, lines=many[:1]))
    assert "For" not in show(given.invoice(customer, lines=())).split("To pay")[0]


def test_what_it_is_for_names_the_period_where_that_is_not_the_invoice_date(
    given: Given, acme: Account, show: Any
) -> None:
    days = {date(2026, 10, 1) + timedelta(days=n): "1" for n in range(31)}
    invoice = given.usage_invoice(given.customer(acme), given.price(given.metric(acme)), days)

    assert "For API calls Oct 1, 2026 – Oct 31, 2026 To pay" in show(invoice)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((("Free", "1", "0"),), "Nothing to pay $0.00"),
        ((("Refund", "-1", "20"),), "Nothing to pay $0.00 $20.00 went to your balance"),
    ],
)
def test_an_invoice_that_asks_for_nothing_says_why(
    given: Given, customer: Customer, show: Any, lines: Any, says: str
) -> None:
    assert says in show(given.invoice(customer, lines=lines))


def test_what_the_balance_paid_is_said(given: Given, customer: Customer, clock: Clock, show: Any) -> None:
    BalanceTransaction.move(customer, 9000, "manual_adjustment", clock.now)

    assert "Nothing left to pay $0.00 Paid from your balance Nov 23, 2026" in show(given.invoice(customer))


def test_what_happened_stands_in_its_order_with_every_payment(
    given: Given, customer: Customer, clock: Clock, show: Any
) -> None:
    invoice = given.invoice(customer, due=date(2026, 11, 10), invoice_date=clock.now - timedelta(days=30))
    for day, amount, method in ((3, 1000, "Card"), (12, 3000, "Bank transfer")):
        Payment.record(invoice, clock.now, "test", received_on=date(2026, 11, day), amount=amount, method=method)

    assert (
        "What happened when Issued Oct 24, 2026 Paid in part Nov 3, 2026 $10.00 · Card · Receipt "
        "Due Nov 10, 2026 Paid Nov 12, 2026 $30.00 · Bank transfer · Receipt"
    ) in show(invoice)


def test_what_was_paid_in_full_and_taken_back_was_not_a_part(
    given: Given, customer: Customer, clock: Clock, show: Any
) -> None:
    invoice = given.invoice(customer)
    payment = attempts.paid(invoice, now=clock.now, method="us_bank_account")
    attempts.tell(attempts.dispute(payment, "lost", 4000, is_return=True), clock.now)

    text = show(invoice)

    assert "Paid Nov 23, 2026 $40.00" in text
    assert "Taken back Nov 23, 2026 $40.00" in text
    assert "was received" not in text  # nothing of it is here


def test_a_due_date_that_was_never_reached_did_not_happen(
    given: Given, customer: Customer, clock: Clock, show: Any
) -> None:
    paid, void = (given.invoice(customer, due=date(2026, 12, 24)) for _ in range(2))
    Payment.record(paid, clock.now, "test", received_on=date(2026, 11, 23))
    moments.void(void, clock.now, "test")

    steps = [show(invoice).split("What happened when ")[1] for invoice in (paid, void)]
    assert steps[0].startswith("Issued Nov 23, 2026 Paid Nov 23, 2026 $40.00 · Recorded by hand")
    assert steps[1].startswith("Issued Nov 23, 2026 Voided Nov 23, 2026")
    assert not any("Due" in step for step in steps)


def test_a_part_of_it_that_came_in_is_said_beside_what_is_left(
    given: Given, customer: Customer, clock: Clock, show: Any
) -> None:
    invoice = given.invoice(customer, due=date(2026, 12, 24))
    Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=1500)

    assert "To pay $25.00 Due Dec 24, 2026 of $40.00; $15.00 was received" in show(invoice)


def test_lines_that_do_not_add_up_are_said_not_to_and_by_how_much(
    given: Given, customer: Customer, clock: Clock, kid: str, read: Read
) -> None:
    draft = given.invoice(customer, issued=False)
    draft.document["lines"][0]["amount"] += 7
    draft.save()

    html = read(path(given, moments.issue(draft, clock.now, kid, "test")))

    assert "✗ 2 lines add up to the total of $40.07: $0.07 more than the $40.00 of this invoice" in words(html)
    assert html.count("✓") == 1  # of the subtotal, which holds


def test_whom_to_write_to_stands_with_the_seller_as_it_was_when_the_invoice_was_issued(
    given: Given, acme: Account, customer: Customer, clock: Clock, read: Read
) -> None:
    acme.configure({"support_email": "then@acme.example"}, clock.now, "test")
    invoice = given.invoice(customer)
    acme.configure({"support_email": "now@acme.example"}, clock.now, "test")

    seller = read(path(given, invoice)).partition("<h2>From</h2>")[2].partition("<h2>To</h2>")[0]

    assert '<a href="mailto:then@acme.example">then@acme.example</a>' in seller


@pytest.mark.parametrize(("count", "leads"), [(20, False), (21, True)])
def test_above_many_lines_a_link_leads_to_the_totals(
    given: Given, customer: Customer, read: Read, count: int, leads: bool
) -> None:
    html = read(path(given, given.invoice(customer, lines=tuple((f"Line {n}", "1", "2") for n in range(count)))))

    assert ('<a href="#totals">Go to the totals</a>' in html) is leads
    assert html.count('id="totals"') == 1


def test_memo_and_footer_keep_their_lines(
    given: Given, acme: Account, customer: Customer, clock: Clock, read: Read
) -> None:
    acme.configure({"footer": "Line one\nLine two"}, clock.now, "test")

    html = read(path(given, given.invoice(customer, memo="Hello\r\nthere")))

    assert "Hello<br>there" in html
    assert "Line one<br>Line two" in html


def test_lines_without_usage_are_left_out_and_counted_where_the_account_says_so(
    given: Given, acme: Account, customer: Customer, clock: Clock, show: Any
) -> None:
    invoice = given.invoice(customer, lines=(("Used", "1", "5"), ("Idle", "0", "5"), ("Free", "3", "0.00")))
    assert "Idle" in show(invoice)

    acme.configure({"hide_zero_quantity_lines": True}, clock.now, "test")

    text = show(invoice)
    assert "Idle" not in text
    assert "Free" in text
    assert "1 line without usage is not shown." in text


def test_an_invoice_without_lines_says_so(given: Given, customer: Customer, show: Any) -> None:
    assert "There are no lines on this invoice." in show(given.invoice(customer, lines=()))


def test_each_line_opens_by_htmx_and_as_a_plain_link(given: Given, customer: Customer, read: Read) -> None:
    invoice = given.invoice(customer)

    html = read(path(given, invoice))

    for line in invoice.document["lines"]:
        address, slot = f"./lines/{line['id']}", f"pf-line-{line['id']}"
        (place,) = re.findall(rf'<div id="{slot}"[^>]*></div>', html)
        assert f'hx-get="{address}"' in place
        assert "toggle from:" in place
        assert 'hx-target="this" hx-swap="outerHTML"' in place
        assert f'<a href="{address}">Link to this line</a>' in html


def test_inside_the_account_a_line_is_not_offered_as_something_to_hand_on(
    given: Given, links: dict[str, Link], read: Read
) -> None:
    for kind in ("customer", "session"):
        html = read(f"{given.url(links[kind])}invoices/{links['invoice'].invoice_id}/")

        assert "Open this line by itself" in html
        assert "Link to this line" not in html


@pytest.mark.parametrize(
    ("locale", "currency", "shown", "day"),
    [
        (None, "USD", "$40.00", "Dec 24, 2026"),
        ("de-DE", "EUR", "40,00\xa0€", "24.12.2026"),
        ("fr", "KWD", "40,000\xa0KWD", "24 déc. 2026"),
        ("xx-nonsense", "USD", "$40.00", "Dec 24, 2026"),
    ],
)
def test_numbers_and_days_are_written_as_the_customer_writes_them(
    given: Given, acme: Account, show: Any, locale: str | None, currency: str, shown: str, day: str
) -> None:
    invoice = given.invoice(given.customer(acme, locale=locale, currency=currency), due=date(2026, 12, 24))

    text = show(invoice)

    assert f"To pay {shown} Due {day}" in text


def test_under_a_customers_link_the_page_leads_back_to_the_account(
    client: FlaskClient, given: Given, links: dict[str, Link], read: Read
) -> None:
    own = read(given.url(links["invoice"]))
    below = f"{given.url(links['session'])}invoices/{links['invoice'].invoice_id}"

    assert "Back to the account" not in own
    assert '<a href="../">Back to the account</a>' in read(below)
    assert '<a href="../../">Back to the account</a>' in read(f"{below}/")
    for address in (below, f"{below}/"):
        for line in re.findall(r'href="([^"]+/lines/[^"]+)"', read(address)):
            assert client.get(urljoin(address, line)).status_code == 200


@pytest.mark.parametrize("kind", ["invoice", "customer", "session"])
def test_no_page_holds_a_token_or_an_address_that_is_not_relative(
    client: FlaskClient, given: Given, links: dict[str, Link], kind: str
) -> None:
    invoice = links["invoice"]
    line = Invoice.get_by_id(invoice.invoice_id).document["lines"][0]["id"]
    root = given.url(links[kind])
    here = root if kind == "invoice" else f"{root}invoices/{invoice.invoice_id}/"

    for address in (here, here.rstrip("/") if kind != "invoice" else here, f"{here}lines/{line}", f"{root}nowhere"):
        html = client.get(address).text
        assert not SHAPE.search(html)
        found = re.findall(r'\s(?:href|src|action|hx-[a-z]+)="([^"]*)"', html)
        assert found
        assert not [one for one in found if "://" in one or one.startswith(("/i/", "/c/", "/s/", "//"))]


def test_the_title_tells_invoices_apart_and_names_no_customer_and_no_amount(
    given: Given, customer: Customer, read: Read
) -> None:
    invoice = given.invoice(customer)

    head = read(path(given, invoice)).partition("</head>")[0]

    assert f"<title>Invoice {invoice.number} · Acme</title>" in head
    assert "Zo" not in head
    assert "40" not in re.sub(r"\?v=\w+", "", head).replace(invoice.number, "")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_whatever_people_typed_comes_out_as_text(
    client: FlaskClient, given: Given, acme: Account, clock: Clock, payload: str
) -> None:
    company = {"name": payload, "address": {"line1": payload, "city": payload, "country": payload}, "tax_id": payload}
    settings = {"name": payload, "company": company, "footer": payload, "support_email": payload}
    acme.configure(settings, clock.now, "test")
    tax_id = {"country": payload, "type": payload, "value": payload}
    customer = given.customer(acme, name=payload, billing_address=company["address"], tax_id=tax_id)
    terms = {
        "discounts": [{"type": "percentage_discount", "value": "0.1", "reason": payload}],
        "tax_rates": [(payload, "1")],
    }
    invoice = given.invoice(customer, lines=((payload, "1", "5"),), memo=payload, terms=terms)
    Payment.record(invoice, clock.now, "test", received_on=clock.now.date(), amount=100, method=payload)
    here = path(given, invoice)

    pages = [client.get(here).text, client.get(f"{here}lines/{invoice.document['lines'][0]['id']}").text]
    Account.update(closed_at=clock.now).where(Account.id == acme.id).execute()
    pages.append(client.get(here).text)

    for html in pages:
        tags = Tags(html)
        assert FOREIGN.isdisjoint(tags.names)
        assert tags.names.count("form") == html.count('<form method="dialog">') == html.count("<form")
        assert tags.names.count("script") == len(re.findall(r'<script src="[^"]+" defer></script>', html))
        assert not [name for name in tags.attributes if name.startswith("on") or name == "style"]
        assert all(link.startswith(("/", ".", "?", "#", "mailto:")) for link in tags.links)
        assert payload in tags.text
        assert "49" not in tags.text.replace(invoice.number, "")


def test_the_page_takes_two_queries_however_long_the_invoice_and_three_more_once_something_was_paid(
    client: FlaskClient, given: Given, acme: Account, clock: Clock, queries: Queries
) -> None:
    short = given.invoice(given.customer(acme))
    long = given.invoice(given.customer(acme), lines=tuple((f"Line {n}", "1", "2") for n in range(200)))
    for _ in range(5):
        Payment.record(long, clock.now, "test", received_on=clock.now.date(), amount=100)

    for address, count in ((path(given, short), 2), (path(given, long), 5)):
        with queries() as made:
            assert client.get(address).status_code == 200
        assert len(made) == count


def test_test_mode_carries_a_band(given: Given, acme: Account, clock: Clock, read: Read) -> None:
    live = Account.open("Live", clock.now, mode="live", by="test")

    assert "Test mode." in read(path(given, given.invoice(given.customer(acme))))
    assert "Test mode." not in read(path(given, given.invoice(given.customer(live))))


def test_nobody_to_write_to_is_no_empty_address(given: Given, clock: Clock, read: Read) -> None:
    silent = Account.open("Silent", clock.now, mode="test", by="test")

    assert "mailto:" not in read(path(given, given.invoice(given.customer(silent))))


def test_nobody_is_sent_to_pay_where_there_is_no_way_to(given: Given, acme: Account, read: Read) -> None:
    invoice = given.invoice(given.customer(acme))
    assert "payments/new" not in read(path(given, invoice))

    banks = [{"currency": "USD", "holder": "Acme", "account_number": "000123", "routing_number": "110000000"}]
    Account.update(bank_accounts=banks).where(Account.id == acme.id).execute()
    assert "payments/new" in read(path(given, invoice))

    Account.update(payment_methods=[]).where(Account.id == acme.id).execute()
    assert "payments/new" not in read(path(given, invoice))


def path(given: Given, invoice: Invoice) -> str:
    link = Link.of_invoice(invoice.id)
    assert link
    return given.url(link)


def words(html: str) -> str:
    body = html.partition("</head>")[2]
    return re.sub(r" +", " ", re.sub(r"[ \n\t]+", " ", TAG.sub(" ", body)))
