"""What tests start from, made through the same verbs as everything else."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from portal.domain import billing, pricing
from portal.models import moments
from portal.models.account import Account
from portal.models.base import new_id
from portal.models.catalog import Item, Metric, Price, price_object
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.plan import Plan
from portal.models.subscription import Subscription
from portal.models.usage import UsageDay
from portal.tokens import PATHS, Keyring


@dataclass
class Given:
    now: Callable[[], datetime]
    kid: str
    keyring: Keyring
    numbers: Any = field(default_factory=itertools.count)

    def customer(self, account: Account, **fields: Any) -> Customer:
        n = next(self.numbers)
        named = {"name": f"Customer {n}", "email": f"ap{n}@customer.example", "currency": "USD", **fields}
        return moments.welcome(account, self.now(), self.kid, "test", **named)

    def item(self, account: Account, name: str = "Onboarding") -> Item:
        return Item.create(account=account, created_at=self.now(), name=name)

    def metric(self, account: Account, name: str = "API calls", unit: str = "calls") -> Metric:
        item = self.item(account, name)
        return Metric.create(account=account, item=item, created_at=self.now(), name=name, unit=unit)

    def price(self, metric: Metric, unit_amount: str = "0.5", currency: str = "USD", **wire: Any) -> Price:
        wire = wire or {"model_type": "unit", "unit_config": {"unit_amount": unit_amount, "prorated": False}}
        return Price.add(metric.item, self.now(), name=metric.name, currency=currency, wire=wire, metric=metric)

    def plan(self, *prices: Price, **fields: Any) -> Plan:
        named = {"name": "Team plan", "currency": prices[0].currency, "account": prices[0].account_id, **fields}
        return Plan.add(prices=prices, now=self.now(), **named)

    def subscription(self, customer: Customer, *prices: Price, **fields: Any) -> Subscription:
        """A running subscription, billed on the first of the month unless told otherwise."""
        named = {"name": "Team plan", "currency": customer.currency, "start_date": date(2026, 1, 1), **fields}
        return Subscription.start(customer, self.now(), prices=list(prices), **named)

    def usage(self, customer: Customer, metric: Metric, days: dict[date, str]) -> None:
        UsageDay.put(customer, metric, [(day, Decimal(quantity)) for day, quantity in days.items()])

    def invoice(
        self,
        customer: Customer,
        lines: tuple[tuple[str, str, str], ...] = (("Onboarding", "2", "15.25"), ("Extra", "1", "9.50")),
        *,
        due: date | None = None,
        issued: bool = True,
        **fields: Any,
    ) -> Invoice:
        """An issued invoice of lines (name, quantity, unit price) that comes to 40.00, unless told otherwise."""
        day = self.now().date()
        currency = fields.pop("currency", customer.currency or "USD")
        charged = [self._charged(name, quantity, price, currency, day) for name, quantity, price in lines]
        return self._issued(customer, charged, currency, issued, due_date=due, **fields)

    def usage_invoice(
        self, customer: Customer, price: Price, days: dict[date, str], *, issued: bool = True, **fields: Any
    ) -> Invoice:
        """An invoice of one line that opens to its days."""
        counted = [(day, Decimal(quantity)) for day, quantity in days.items()]
        line = billing.Charged(
            id=new_id(),
            name=price.name,
            item={"id": price.item_id, "name": price.name},
            price=price.wire,
            quantity=sum((quantity for _, quantity in counted), Decimal(0)),
            start=min(days),
            end=max(days) + timedelta(days=1),
            days=pricing.by_day(price.wire, pricing.running(counted)),
            unit=price.metric.unit if price.metric else "",
        )
        return self._issued(customer, [line], price.currency, issued, **fields)

    def url(self, link: Link) -> str:
        """The path of a link's page."""
        token = self.keyring.seal(link.kind, bytes.fromhex(link.token_id), link.token_exp, link.kid)
        return f"/{PATHS[link.kind]}/{token}/"

    def _charged(self, name: str, quantity: str, unit_amount: str, currency: str, day: date) -> billing.Charged:
        item = {"id": new_id(), "name": name}
        price = price_object(
            new_id(),
            self.now(),
            name=name,
            currency=currency,
            item=item,
            model_type="unit",
            cadence="one_time",
            unit_config={"unit_amount": unit_amount, "prorated": False, "scaling_factor": None},
        )
        end = day + timedelta(days=1)
        return billing.Charged(
            id=new_id(), name=name, item=item, price=price, quantity=Decimal(quantity), start=day, end=end, days=None
        )

    def _issued(
        self,
        customer: Customer,
        charged: list[billing.Charged],
        currency: str,
        issued: bool,
        terms: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Invoice:
        """`terms`: the discounts, minimum, tax rates and credits that the bill is built with."""
        document, days = billing.build(charged, currency, new_id=new_id, **(terms or {}))
        named = {"source": "one_off", "invoice_date": self.now(), **fields}
        invoice = Invoice.draft(customer, self.now(), "test", document=dict(document), days=days, **named)
        return moments.issue(invoice, self.now(), self.kid, "test") if issued else invoice
