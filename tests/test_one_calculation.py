"""One calculation: the portal's upcoming bill, the API's, the costs and the invoice agree to the minor unit on any day.

Plans are drawn at random over all models and metrics, their events over a month in which a clock is put back or
forward, and what they must come to is worked out from the raw events in fractions (tests.oracle).
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from portal.domain import money, reconciling
from portal.domain.cycles import Cycle
from portal.domain.periods import local_day, midnight
from portal.models import drafting, moments, threshold
from portal.models.account import Account
from portal.models.catalog import Metric, Price
from portal.models.credit import CreditBlock
from portal.models.customer import Customer
from portal.models.invoice import Invoice, LineDays
from portal.models.link import Link
from portal.models.subscription import Subscription
from portal.models.usage import UsageDay
from portal.web import filters
from tests import oracle
from tests.conftest import Clock
from tests.given import Given
from tests.proofs import test_billing_truth as any_bill
from tests.web.test_invoice_page import words

SEEDS = range(8)
DAY = timedelta(days=1)
# A time zone, and a day on which its clock jumps. At midnight in Cairo and Beirut: their days begin at one.
JUMPS = [
    ("America/New_York", date(2026, 11, 1)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Santiago", date(2026, 4, 5)),
    ("Asia/Kathmandu", date(2026, 2, 14)),
    ("Pacific/Auckland", date(2026, 9, 27)),
]
SQL = {
    "count": "SELECT COUNT(*) FROM events WHERE event_name = 'call'",
    "sum": "SELECT SUM(size) FROM events WHERE event_name = 'call'",
    "max": "SELECT MAX(size) FROM events WHERE event_name = 'call'",
    "min": "SELECT MIN(size) FROM events WHERE event_name = 'call'",
    "average": "SELECT AVG(size) FROM events WHERE event_name = 'call'",
    "latest": "SELECT LAST(size) FROM events WHERE event_name = 'call'",
    "distinct": "SELECT COUNT(DISTINCT member) FROM events WHERE event_name = 'call'",
}
REGIONS = ("eu", "us", "asia", None)


@dataclass(frozen=True)
class Told:
    """An event as it is sent."""

    key: str
    at: datetime
    name: str
    properties: dict[str, Any]


@dataclass
class World:
    """One subscription of a customer, the events that she will send, and the same in numbers for the oracle."""

    client: FlaskClient
    given: Given
    clock: Clock
    key: str
    customer: Customer
    subscription: Subscription
    prices: list[tuple[Price, str | None]]  # with the kind of what is counted; None: a fee
    terms: dict[str, Any]
    events: list[Told]
    start: date
    end: date  # the boundary at which the first invoice is made
    share: Fraction  # of a full period
    sent: list[Told] = field(default_factory=list)
    billed: Counter[str] = field(default_factory=Counter)  # of each price, before its time; minor units

    @property
    def timezone(self) -> str:
        return self.customer.timezone

    def get(self, path: str) -> Any:
        answer = self.client.get(f"/v1/{path}", headers={"Authorization": f"Bearer {self.key}"})
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def send(self, until: datetime) -> None:
        """Everything that happened before `until` and is not told yet."""
        new = [one for one in self.events if one.at < until and one not in self.sent]
        self.sent += new
        if not new:
            return
        body = {
            "events": [
                {
                    "idempotency_key": one.key,
                    "event_name": one.name,
                    "timestamp": one.at.isoformat(),
                    "customer_id": self.customer.id,
                    "properties": one.properties,
                }
                for one in new
            ]
        }
        answer = self.client.post("/v1/ingest", json=body, headers={"Authorization": f"Bearer {self.key}"})
        assert answer.json == {"validation_failed": []}, answer.text

    def bill_early(self) -> None:
        """An invoice of what was used and is not billed, where it comes to the threshold."""
        part = threshold.draft_part(self.subscription.id, self.customer.id, 1, self.clock.now, "test")
        if part is None:
            return
        issued = moments.issue(part, self.clock.now, self.given.kid, "test")
        for line in issued.document["lines"]:
            self.billed[line["price"]["id"]] += line["adjusted_subtotal"] - line["partially_invoiced"]
        # What was soonest gone is used first.
        at, currency = midnight(self.end, self.timezone), self.subscription.currency
        self.terms["credits"] = CreditBlock.at_hand(self.customer.id, currency, at)

    def lines(self) -> list[oracle.Wanted]:
        """What goes into each line, from the events that were sent."""
        return [
            oracle.Wanted(price.wire, [self._used(price, kind)], self._share(price), False, self.billed[price.id])
            for price, kind in self.prices
        ]

    def truth(self) -> dict[str, Any]:
        """What the bill must come to."""
        terms = {"maximum": None, **self.terms}
        return oracle.truth(oracle.Invoice(self.subscription.currency, self.lines(), terms))

    def _share(self, price: Price) -> Fraction:
        prorated = price.metric_id is None and price.wire["unit_config"]["prorated"]
        return self.share if prorated else Fraction(1)

    def _used(self, price: Price, kind: str | None) -> dict[Any, Any]:
        if kind is None:
            return {(): Decimal(0)}
        counted = [
            one
            for one in self.sent
            if one.name == "call" and self.start <= one.at.astimezone(ZoneInfo(self.timezone)).date() < self.end
        ]
        if price.model_type != "matrix":
            return {(): aggregated(kind, counted)}
        apart: dict[Any, list[Told]] = {}
        for one in counted:
            apart.setdefault((one.properties.get("region"),), []).append(one)
        return {cell: aggregated(kind, several) for cell, several in apart.items()}


def aggregated(kind: str, events: list[Told]) -> Fraction:
    sizes = [Fraction(str(one.properties["size"])) for one in events if "size" in one.properties]
    if kind == "count":
        return Fraction(len(events))
    if kind == "distinct":
        return Fraction(len({one.properties["member"] for one in events if "member" in one.properties}))
    if not sizes:
        return Fraction(0)
    if kind == "latest":
        told = [(one.at, Fraction(str(one.properties["size"]))) for one in events if "size" in one.properties]
        return max(told)[1]
    if kind == "average":  # to twelve decimals
        return Fraction(oracle.half_up(sum(sizes) / len(sizes) * 10**12), 10**12)
    return {"sum": sum(sizes, Fraction(0)), "max": max(sizes), "min": min(sizes)}[kind]


@pytest.fixture
def world(client: FlaskClient, clock: Clock, given: Given, acme: Account, acme_key: str) -> Any:
    def make(seed: int) -> World:
        dice = random.Random(seed)
        timezone, jump = JUMPS[seed % len(JUMPS)]
        anchor = dice.randrange(1, 32)
        cycle = Cycle(date(2020, 1, anchor), months=1)
        whole = cycle.period(jump)
        start = whole.start + DAY * dice.choice([0, 0, (jump - whole.start).days // 2])
        clock.now = midnight(start - DAY, timezone)
        currency = dice.choice(["USD", "EUR", "JPY", "KWD"])
        customer = given.customer(acme, timezone=timezone, currency=currency)
        prices = any_prices(dice, given, acme, currency)
        terms = any_terms(dice, [price.id for price, _ in prices])
        kept = {name: value for name, value in terms.items() if name != "credits"}
        subscription = given.subscription(
            customer, *[price for price, _ in prices], start_date=start, billing_cycle_day=anchor, terms=kept,
            invoicing_threshold=dice.choice([None, dice.randrange(1, 10**6)]),
        )  # fmt: skip
        if terms["credits"]:
            blocks(dice, customer, terms["credits"], currency, clock.now)
        drafting.schedule(subscription, timezone, clock.now)
        share = Fraction((whole.end - start).days, whole.length)
        events = any_events(dice, timezone, start, whole.end)
        return World(
            client, given, clock, acme_key, customer, subscription, prices, terms, events, start, whole.end, share
        )

    return make


def any_prices(dice: random.Random, given: Given, account: Account, currency: str) -> list[tuple[Price, str | None]]:
    found: list[tuple[Price, str | None]] = []
    for n in range(dice.randrange(1, 5)):
        kind, model = dice.choice(list(SQL)), dice.choice(any_bill.MODELS)
        config = any_bill.any_config(dice, model)
        dimensions = dice.choice([["region"], ["tier", "region"]]) if model == "matrix" else None
        item = given.item(account, f"Metric {n}")
        metric = Metric.create(
            account=account, item=item, created_at=given.now(), name=f"Metric {n}", sql=SQL[kind], dimensions=dimensions
        )
        wire = {"model_type": model, f"{model}_config": config, **any_bill.any_own_rules(dice)}
        found.append((given.price(metric, currency=currency, **wire), kind))
    if dice.random() < 0.7:
        fee = {"unit_amount": any_bill.digits(dice, 500, 2), "prorated": dice.random() < 0.5, "scaling_factor": None}
        wire = {"model_type": "unit", "unit_config": fee, "fixed_price_quantity": dice.randrange(1, 5)}
        item = given.item(account, "Fee")
        found.append((Price.add(item, given.now(), name="Fee", currency=currency, wire=wire), None))
    return found


def any_terms(dice: random.Random, ids: list[str]) -> dict[str, Any]:
    return {
        "discounts": [any_bill.any_rule(dice, ids, oracle.TYPES[:3]) for _ in range(dice.choice([0, 1, 2]))],
        "rules": [any_bill.any_rule(dice, ids, oracle.TYPES) for _ in range(dice.choice([0, 1, 2]))],
        "minimum": dice.choice([None, dice.randrange(10**6)]),
        "tax_rates": [("VAT", any_bill.digits(dice, 30, 2))] * dice.randrange(2),
        "credits": dice.choice([0, dice.randrange(1, 10**6)]),
    }


def blocks(dice: random.Random, customer: Customer, credits: int, currency: str, now: datetime) -> None:
    """`credits` in two blocks, and one that will be gone when the bill is made."""
    first = dice.randrange(credits + 1)
    for minor in (first, credits - first):
        if minor:
            CreditBlock.give(customer, Decimal(money.wire(minor, currency)), currency, now)
    CreditBlock.give(customer, Decimal(5), currency, now, expires_at=now + timedelta(days=9))


def any_events(dice: random.Random, timezone: str, start: date, end: date) -> list[Told]:
    """Over the days of a period and those around it, many of them at the edges of days."""
    found = []
    for n in range(150):
        day = start + DAY * dice.randrange(-1, (end - start).days + 1)
        at = dice.choice([midnight(day, timezone), midnight(day + DAY, timezone) - timedelta(seconds=1), None])
        if at is None:
            local = datetime.combine(day, time(dice.randrange(24), dice.randrange(60)), ZoneInfo(timezone))
            at = local.replace(fold=dice.randrange(2)).astimezone(UTC)
        properties = {"size": dice.choice([dice.randrange(2000), dice.randrange(10**6) / 64, -3])}
        properties |= {"member": dice.choice("abcdefghij"), "region": dice.choice(REGIONS[:3]), "tier": "gold"}
        dropped = dice.choice([None, None, None, "size", "member", "region"])
        properties.pop(dropped or "", None)
        found.append(Told(f"{start}-{n}-{dice.random()}", at, dice.choice(["call", "call", "other"]), properties))
    return sorted(found, key=lambda one: one.at)


def minor(amount: str, currency: str) -> int:
    return money.parse(amount, currency)


def agree(world: World) -> None:
    """The portal, the API's upcoming invoice and its costs say the same, and it is true."""
    truth, currency, id = world.truth(), world.subscription.currency, world.subscription.id

    upcoming = world.get(f"invoices/upcoming?subscription_id={id}")
    lines = {line["price"]["id"]: line for line in upcoming["line_items"]}
    ours = [lines[price.id] for price, _ in world.prices]
    assert [Fraction(line["quantity"]) for line in ours] == [oracle.Truth(line, 1).quantity for line in world.lines()]
    assert [minor(line["subtotal"], currency) for line in ours] == truth["subtotals"]
    assert [minor(line["adjusted_subtotal"], currency) for line in ours] == truth["adjusted"]
    assert [minor(line["amount"], currency) for line in ours] == truth["amounts"]
    assert minor(upcoming["total"], currency) == truth["total"]

    costs = world.get(f"subscriptions/{id}/costs?view_mode=cumulative")["data"][-1]
    each = {one["price_id"]: one for one in costs["per_price_costs"]}
    assert [minor(each[price.id]["subtotal"], currency) for price, _ in world.prices] == truth["subtotals"]
    assert [minor(each[price.id]["total"], currency) for price, _ in world.prices] == truth["adjusted"]
    assert minor(costs["subtotal"], currency) == sum(truth["subtotals"])
    assert minor(costs["total"], currency) == sum(truth["adjusted"])

    days = world.get(f"subscriptions/{id}/costs?view_mode=periodic")["data"]
    assert sum(minor(day["total"], currency) for day in days) == sum(truth["adjusted"])
    whole = world.get(f"customers/{world.customer.id}/costs")["data"][-1]
    assert (whole["subtotal"], whole["total"]) == (costs["subtotal"], costs["total"])

    page = words("</head>" + world.client.get(portal(world) + "upcoming").text)
    assert f"So far {filters.money(truth['total'], currency, 'en')}" in page
    for price, _ in world.prices:
        opened = words("</head>" + world.client.get(f"{portal(world)}upcoming/lines/{id}-{price.id}").text)
        assert "✓" in opened
        assert "✗" not in opened


def portal(world: World) -> str:
    link = Link.of_customer(world.customer.id)
    assert link
    return world.given.url(link)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_shows_a_bill_shows_the_same(world: Any, seed: int) -> None:
    one: World = world(seed)
    dice = random.Random(seed)
    days = [one.start + DAY * n for n in range((one.end - one.start).days)]
    looked_at = {day: dice.choice([1, 3]) for day in (days[0], *dice.sample(days, 3))} | {days[-1]: 3}

    for day in (one.start - DAY, *days):
        opens, closes = midnight(day, one.timezone), midnight(day + DAY, one.timezone)
        for n in (1, 2, 3):
            one.clock.now = opens + (closes - opens) * n / 3 - timedelta(microseconds=1)
            one.send(one.clock.now)
            if n == looked_at.get(day):
                agree(one)
        one.bill_early()

    for hours in (7, 13):  # what belongs to the next bill
        one.clock.now = midnight(one.end, one.timezone) + timedelta(hours=hours)
        one.send(one.clock.now)
    issued_as_shown(one)


def issued_as_shown(world: World) -> None:
    drafted = drafting.draft_next(world.subscription, world.clock.now, "test")
    assert drafted
    invoice = moments.issue(drafted, world.clock.now, world.given.kid, "test")
    truth, read = world.truth(), Invoice.get_by_id(invoice.id)
    lines = {line["price"]["id"]: line for line in read.document["lines"]}
    ours = [lines[price.id] for price, _ in world.prices]
    assert [line["subtotal"] for line in ours] == truth["subtotals"]
    assert [line["adjusted_subtotal"] for line in ours] == truth["adjusted"]
    assert [line["amount"] for line in ours] == truth["amounts"]
    assert read.total == truth["total"]
    for line in ours:
        days = LineDays.select().where(LineDays.invoice == read, LineDays.line_id == line["id"]).first()
        found = reconciling.line(line, days.days if days else [], read.currency)
        assert all(check.holds for check in found)
        assert bool(days) == ("days" in {check.kind for check in found}) == line["has_days"]


CADENCES = ("monthly", "monthly", "quarterly", "semi_annual", "one_time")
MONTHS = 7


def any_plan(dice: random.Random, given: Given, account: Account, start: date) -> tuple[list[Price], list[Price]]:
    """Prices of what is used, and fees: of any cadence, ahead or behind, prorated or not."""
    used, fees = [], []
    for n in range(dice.randrange(1, 4)):
        model = dice.choice(["unit", "tiered", "bulk", "package"])
        wire = {"model_type": model, f"{model}_config": any_bill.any_config(dice, model)}
        metric = given.metric(account, f"Metric {n}", "calls")
        used.append(given.price(metric, **wire, cadence=dice.choice(CADENCES[:3])))
    for _ in range(dice.randrange(3)):
        fee = {"unit_amount": any_bill.digits(dice, 500, 2), "prorated": dice.random() < 0.5}
        wire = {"model_type": "unit", "unit_config": fee, "fixed_price_quantity": 1, "cadence": dice.choice(CADENCES)}
        wire["billing_mode"] = dice.choice(["in_advance", "in_arrear"])
        fees.append(Price.add(given.item(account, "Fee"), given.now(), name="Fee", currency="USD", wire=wire))
    return used, fees


def said(lines: list[Any]) -> list[Any]:
    """What a bill says of each line, whoever tells it."""
    names = ("quantity", "start_date", "end_date", "subtotal", "adjusted_subtotal", "credits_applied", "amount")
    return sorted([line["price"]["id"], *(line[name] for name in names)] for line in lines)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_bill_is_what_was_said_the_day_before_and_every_day_is_billed_once(
    client: FlaskClient, clock: Clock, given: Given, acme: Account, acme_key: str, seed: int
) -> None:
    dice = random.Random(seed)
    timezone, jump = JUMPS[seed % len(JUMPS)]
    start = jump - DAY * dice.randrange(10, 80)
    end = dice.choice([None, start + DAY * dice.randrange(30, 150)])
    clock.now = midnight(start - DAY, timezone)
    customer = given.customer(acme, timezone=timezone)
    used, fees = any_plan(dice, given, acme, start)
    days = {start + DAY * n: Decimal(dice.randrange(50)) for n in range(-5, 31 * MONTHS)}
    for price in used:
        UsageDay.put(customer, price.metric, list(days.items()))
    terms = any_terms(dice, [price.id for price in (*used, *fees)])
    subscription = given.subscription(
        customer, *used, *fees, start_date=start, end_date=end, billing_cycle_day=dice.randrange(1, 32),
        terms={name: value for name, value in terms.items() if name != "credits"},
    )  # fmt: skip
    blocks(dice, customer, terms["credits"] + 2, "USD", clock.now)
    drafting.schedule(subscription, timezone, clock.now)
    key = {"Authorization": f"Bearer {acme_key}"}
    bills = []

    for day in (start + DAY * n for n in range(31 * MONTHS)):
        row = Subscription.get_by_id(subscription.id)
        if row.bill_at is None:
            break
        if local_day(row.bill_at, timezone) != day:
            continue
        clock.now = midnight(day, timezone) - timedelta(seconds=1)
        expected = None
        if day > start:
            answer = client.get(f"/v1/invoices/upcoming?subscription_id={subscription.id}", headers=key)
            assert answer.status_code == 200, answer.text
            expected = answer.json
        clock.now = midnight(day, timezone) + timedelta(hours=13)
        drafted = drafting.draft_next(row, clock.now, "test")
        if drafted is None:
            continue
        issued = moments.issue(drafted, clock.now, given.kid, "test")
        bills.append(client.get(f"/v1/invoices/{issued.id}", headers=key).json)
        if expected:
            assert said(bills[-1]["line_items"]) == said(expected["line_items"])
            assert (bills[-1]["subtotal"], bills[-1]["total"]) == (expected["subtotal"], expected["total"])

    assert bills
    for price in used:
        billed_once(bills, price, days, start, timezone)


def billed_once(bills: list[Any], price: Price, days: dict[date, Decimal], start: date, timezone: str) -> None:
    """Do the lines of a price follow one another without a gap, each with what its own days add up to?"""
    lines = [line for bill in bills for line in bill["line_items"] if line["price"]["id"] == price.id]
    at = start
    for line in lines:
        begins, ends = (local_day(datetime.fromisoformat(line[f"{edge}_date"]), timezone) for edge in ("start", "end"))
        assert begins == at < ends
        assert Decimal(str(line["quantity"])) == sum(used for day, used in days.items() if begins <= day < ends)
        at = ends


def test_two_bills_of_one_customer_share_her_prepaid_credits(
    client: FlaskClient, clock: Clock, given: Given, acme: Account, acme_key: str
) -> None:
    customer, metric = given.customer(acme), given.metric(acme)
    CreditBlock.give(customer, Decimal(100), "USD", clock.now)
    given.usage(customer, metric, {clock.now.date(): "80"})
    late = given.subscription(customer, given.price(metric, "1"), start_date=date(2026, 11, 5), billing_cycle_day=5)
    soon = given.subscription(customer, given.price(metric, "1"), start_date=date(2026, 11, 1))
    key = {"Authorization": f"Bearer {acme_key}"}

    def expected(subscription: Subscription) -> Any:
        return client.get(f"/v1/invoices/upcoming?subscription_id={subscription.id}", headers=key).json["total"]

    link = Link.of_customer(customer.id)
    assert link
    page = words("</head>" + client.get(f"{given.url(link)}upcoming").text)
    assert (expected(soon), expected(late)) == ("0.00", "60.00")
    assert "So far $60.00" in page
    assert "So far $0.00" in page

    for subscription, day in ((soon, 1), (late, 5)):
        clock.now = datetime(2026, 12, day, 13, tzinfo=UTC)
        drafting.schedule(subscription, "UTC", clock.now)
        drafted = drafting.draft_next(subscription, clock.now, "test")
        assert drafted
        issued = moments.issue(drafted, clock.now, given.kid, "test")
        assert money.wire(issued.total, "USD") == {soon: "0.00", late: "60.00"}[subscription]
