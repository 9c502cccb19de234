"""Fifteen months of Halyard Cloud: its customers, their plans and usage, about fifty invoices of every kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from portal.config import Settings
from portal.demo import catalog, people
from portal.demo.books import Books, Lines
from portal.demo.contract import Contract
from portal.demo.office import Office
from portal.demo.till import Till
from portal.domain import periods
from portal.models.base import connection, db

OPENED = 460  # days ago
USAGE_DAYS = 120  # at least
PAID_LATE = 75  # days that KWD bills wait
SESSION_MINUTES = 180
RETAINER = {"USD": "1800.00", "JPY": "240000", "KWD": "540.000"}
RETAINER_MONTHS = (11, 9, 7)
# What is shown, and the name that we gave the invoice.
SHOWN = {
    "invoice, issued": "issued",
    "invoice, overdue": "late",
    "invoice, partly paid": "partly",
    "invoice, paid": "paid",
    "invoice, void": "workshop",
    "invoice of zero": "free",
    "invoice, negative": "credit",
    "invoice with a credit note": "credited",
    "invoice of 200 lines": "long",
    "invoice with usage by day": "period USD",
    "invoice in JPY": "issued JPY",
    "invoice in JPY, overdue": "late JPY",
    "invoice in JPY, with usage by day": "period JPY",
    "invoice in JPY, of a part of a period": "part JPY",
    "invoice in KWD": "issued KWD",
    "invoice in KWD, partly paid": "partly KWD",
    "invoice in KWD, with usage by day": "period KWD",
    "invoice in EUR": "issued EUR",
    "invoice in EUR, paid by SEPA debit": "debit EUR",
    "invoice by ACH only": "ach only",
    "invoice above the card limit": "above limit",
    "invoice paid by card": "by card",
    "invoice paid by ACH": "by ach",
    "invoice paid in part by card": "part by card",
    "invoice collected by itself": "collected",
    "invoice with a payment on its way": "on its way",
    "invoice whose payment failed": "failed",
    "invoice whose payment was returned": "returned",
    "expired link": "onboarding",
    "revoked link": "load test",
}


def build(settings: Settings, now: datetime, told: Callable[[int], None] = lambda days: None) -> dict[str, str]:
    """Fills an empty database, and names what there is to look at: name, then URL or key.

    `told` hears of the days of OPENED, as they pass.
    """
    office = Office(settings, now.replace(microsecond=0))
    till = Till(office, settings)
    with till.patient(), connection(), db.atomic():
        books = Books(office, OPENED)
        harbor = _customer(books, people.HARBOR, catalog.HARBOR_TERMS)
        sakura = _customer(books, people.SAKURA, catalog.SAKURA_TERMS)
        khalij = _customer(books, people.KHALIJ, catalog.KHALIJ_TERMS)
        nordwind = office.call("POST", "/customers", people.NORDWIND)
        _harbor(books, harbor)
        _harbor_pays(books, till, harbor)
        _sakura(books, sakura)
        _khalij(books, khalij)
        _nordwind(books, till, nordwind)
        office.live(told)
        return _links(books, settings.base_url, [harbor, sakura, khalij, nordwind])


def _customer(books: Books, fields: dict[str, Any], terms: dict[str, Any]) -> dict[str, Any]:
    """A customer with her subscription, its usage and its invoices, and a retainer before it."""
    customer: dict[str, Any] = books.office.call("POST", "/customers", fields)
    currency = customer["currency"]
    today = periods.local_day(books.office.now, customer["timezone"])
    start = periods.month_period(1, today - timedelta(days=USAGE_DAYS)).start
    paid = books.paid_after(21 if currency != "KWD" else PAID_LATE)
    Contract(books.office, customer, start, terms, books.made).begin(paid)
    for month in RETAINER_MONTHS:
        lines = [("Support retainer, one month", 1, RETAINER[currency])]
        books.one_off(f"retainer {currency} {month}", customer, 30 * month, lines, due_in=14, then=books.paid_after(10))
    return customer


# Each customer's own story. Numbers are days before today.


def _harbor(books: Books, customer: dict[str, Any]) -> None:
    onboarding = [("Onboarding and migration", 1, "4800.00"), ("Training, on site", 2, "950.00")]
    review = [("Security review", 1, "2750.00"), ("Retest", 2, "375.00")]
    books.one_off("onboarding", customer, 420, onboarding, then=books.paid_after(20))
    books.one_off("workshop", customer, 40, [("Architecture workshop", 1, "2400.00")], then=books.voided_after(2))
    books.one_off("paid", customer, 38, [("Incident drill", 1, "1150.00")], then=books.paid_after(9))
    books.one_off("free", customer, 35, [("Proof of concept, free of charge", 1, "0.00")])
    books.one_off("late", customer, 52, [("Priority support, one quarter", 1, "3600.00")])
    books.one_off("partly", customer, 24, [("Data migration", 40, "145.00")], due_in=45, then=books.part_paid_after(5))
    books.one_off("load test", customer, 20, [("Load test", 1, "1200.00")], then=books.revoked_after(1))
    recovery = [("Data recovery", 1, "980.00"), ("Courier", 2, "45.00")]
    books.one_off("credited", customer, 16, recovery, then=books.credited_after(3, "180.00", "Took a day too long"))
    books.one_off("long", customer, 12, _rollout(), discount="500.00", item="Hardware")
    books.one_off("credit", customer, 6, [("Service credit for last month's outage", -1, "325.50")])
    books.draft("draft", customer, 1, [("Custom connector, first milestone", 1, "6400.00")])
    # Without the credit, which the next invoice of this customer would take.
    books.one_off("issued", customer, 7, review)


def _harbor_pays(books: Books, till: Till, customer: dict[str, Any]) -> None:
    """What became of her money. Her first payment saves a card, which is her default from then on."""
    card, ach = partial(till.paid_after, method="card"), partial(till.paid_after, method="us_bank_account")
    rota, spares = [("On-call rota, one month", 1, "1980.00")], [("Spare gateways", 6, "342.75")]
    books.one_off("by card", customer, 34, rota, then=card(2, saves=True))
    books.one_off("by ach", customer, 32, spares, then=ach(3, outcome="settles", saves=True))
    standby = [("Standby hours", 9, "140.00")]
    books.one_off("collected", customer, 25, standby, due_in=10, then=till.collected, auto_collection=True)
    books.one_off("part by card", customer, 27, [("Cabling, two floors", 2, "1640.00")], then=card(4, of=2))
    books.one_off(
        "returned", customer, 26, [("Rack rental, one quarter", 1, "1275.00")], then=ach(6, outcome="returned")
    )
    books.one_off("failed", customer, 18, [("Penetration test", 1, "5400.00")], then=ach(5, outcome="fails"))
    books.one_off("on its way", customer, 9, [("Load balancer tuning", 12, "165.00")], then=ach(7, outcome="stays"))
    books.one_off("above limit", customer, 11, [("Private link, one year", 1, "18400.00")])
    only = ["us_bank_account"]
    books.one_off("ach only", customer, 10, [("Data residency review", 1, "2860.00")], payment_methods=only)


def _sakura(books: Books, customer: dict[str, Any]) -> None:
    yearly = [("年間保守契約", 1, "480000"), ("緊急対応", 3, "22000")]
    books.credit(customer, 230, "30000")
    books.one_off("training JPY", customer, 170, [("導入研修", 2, "85000")], then=books.voided_after(3))
    books.one_off("late JPY", customer, 60, yearly)
    books.one_off("issued JPY", customer, 9, [("システム監査", 1, "320000"), ("報告書作成", 1, "45000")])
    books.draft("draft JPY", customer, 1, [("データセンター移設", 1, "1250000")])


def _khalij(books: Books, customer: dict[str, Any]) -> None:
    books.prepay(customer, 420, "25", 180, "To try it out")
    books.prepay(customer, 200, "400", 365, "Paid ahead")
    books.prepay(customer, 12, "60", 45, "For the move to the new region")
    books.prepay(customer, 20, "350", 365, "Paid ahead, second year")
    training = [("تدريب الموظفين", 3, "185.125"), ("دعم فني", 10, "12.345")]
    books.one_off("partly KWD", customer, 33, [("تركيب وتشغيل النظام", 1, "1250.750")], then=books.part_paid_after(5))
    books.one_off("issued KWD", customer, 8, training)
    books.draft("draft KWD", customer, 1, [("توسعة السعة", 4, "310.000")])


def _nordwind(books: Books, till: Till, customer: dict[str, Any]) -> None:
    watch = [("Rufbereitschaft, ein Quartal", 1, "2400.00")]
    debit = till.paid_after(6, "sepa_debit", "settles", saves=True)
    books.one_off("debit EUR", customer, 48, watch, then=debit)
    books.one_off("issued EUR", customer, 9, [("Umzug nach Frankfurt", 1, "3150.00"), ("Schulung", 2, "480.50")])


def _rollout() -> Lines:
    models = (("HG-2", "129.00"), ("HG-4", "189.50"), ("HG-8 rugged", "342.75"))
    return [
        (f"Edge gateway {model}, site {site:03d}", 1 + site % 4, price)
        for site in range(1, 201)
        for model, price in [models[site % 3]]
    ]


def _links(books: Books, base_url: str, customers: list[dict[str, Any]]) -> dict[str, str]:
    """Where it all can be looked at. An invoice's link is the one it was born with, whatever became of it since."""
    session = {"expires_in_minutes": SESSION_MINUTES}
    started = books.office.call("POST", f"/customers/{customers[0]['id']}/portal_sessions", session)
    return {
        **{f"customer portal, {one['currency']}": one["portal_url"] for one in customers},
        f"portal session of {SESSION_MINUTES} minutes": started["url"],
        **{shown: books.made[name]["hosted_invoice_url"] for shown, name in SHOWN.items()},
        "draft invoice, in the API only": f"{base_url}/v1/invoices/{books.made['draft']['id']}",
        "API base": f"{base_url}/v1",
        "API key": books.office.key,
    }
