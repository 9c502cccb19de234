"""The books of the demo's company: deeds that are put on the office's calendar, through the API wherever it has them.

Metrics, prices, subscriptions, usage, part payments and credit are not in the API yet, so the verbs of their rows
make them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from portal.delivery import worker
from portal.demo import catalog, logo
from portal.demo.office import Office
from portal.domain import periods
from portal.domain.periods import Period
from portal.models import drafting
from portal.models.account import Account, ApiKey
from portal.models.catalog import Item, Metric, Price
from portal.models.credit import CreditBlock
from portal.models.customer import BalanceTransaction, Customer
from portal.models.invoice import Invoice, Payment
from portal.models.subscription import Subscription
from portal.models.usage import UsageDay

BY = "cli"
COMPANY = "Halyard Cloud"
SOLD = ("Platform", "Services", "Hardware", *(metric[0] for metric in catalog.METRICS))
Lines = list[tuple[str, int, str]]  # name, quantity, unit price
Then = Callable[[str], None]  # what becomes of the invoice with this id


class Books:
    def __init__(self, office: Office, opened: int) -> None:
        """A new account, `opened` days ago, with all that it sells."""
        self.office = office
        self.made: dict[str, Any] = {}  # what the API said of an invoice, by the name we gave it
        office.moment = office.ago(opened)
        self.account = Account.open(COMPANY, office.moment, mode="test", by=BY)
        office.key = ApiKey.mint(self.account, office.moment, BY)[1]
        office.call("PATCH", "/account", catalog.ACCOUNT)
        office.call("PUT", "/account/logo", data=logo.png())
        self.items = {name: office.call("POST", "/items", {"name": name})["id"] for name in SOLD}
        self.metrics = {name: self._metric(name, unit) for name, unit, *_ in catalog.METRICS}

    # A plan, and what it comes to.

    def subscribe(self, customer: dict[str, Any], start: date, terms: catalog.Terms) -> Subscription:
        currency = customer["currency"]
        subscription = Subscription.start(
            Customer.get_by_id(customer["id"]),
            self.office.moment,
            name="Scale",
            currency=currency,
            prices=[self._price(name, currency, wire) for name, wire in catalog.prices(currency).items()],
            start_date=start,
            anchor=start,
            terms=terms,
        )
        drafting.schedule(subscription, customer["timezone"], self.office.moment)
        return subscription

    def use(self, customer: dict[str, Any], period: Period) -> None:
        row, currency = Customer.get_by_id(customer["id"]), customer["currency"]
        for name, metric in self.metrics.items():
            days = period.days()
            UsageDay.put(
                row,
                metric,
                [(day, catalog.used(currency, name, day, (period.end - day).days)) for day in days],
            )

    def prepaid(self, customer: dict[str, Any], amount: Decimal) -> None:
        """Credits that were bought when the account was opened, and last for two years."""
        moment = self.office.moment
        CreditBlock.give(
            Customer.get_by_id(customer["id"]).held(),
            amount,
            customer["currency"],
            moment,
            effective_at=moment,
            expires_at=moment + timedelta(days=730),
            description="Paid ahead",
            cost_basis="1",
        )

    def bill(self, moment: datetime, subscription: Subscription, period: Period, *, then: Then | None) -> None:
        """The invoice of a past period, as the worker makes it; it issues itself."""

        def issue() -> None:
            list(worker.deeds(self.office.moment, self.office.kid))
            made = Invoice.get(Invoice.subscription == subscription, Invoice.billing_date == period.end)
            self._keep(f"period {subscription.currency}", self.office.call("GET", f"/invoices/{made.id}"), then)

        self.office.on(moment, issue)

    # One-off invoices.

    def one_off(
        self,
        name: str,
        customer: dict[str, Any],
        days_ago: int,
        lines: Lines,
        *,
        due_in: int = 30,
        discount: str | None = None,
        item: str = "Services",
        then: Then | None = None,
    ) -> None:
        def issue() -> None:
            wanted = self._wanted(customer, lines, item) | {"net_terms": due_in, "will_auto_issue": True}
            if discount:
                volume = {"discount_type": "amount", "amount_discount": discount, "reason": "Volume discount"}
                wanted |= {"discount": volume}
            self._keep(name, self.office.call("POST", "/invoices", wanted), then)

        self.office.on(self.office.ago(days_ago), issue)

    def draft(self, name: str, customer: dict[str, Any], days_ago: int, lines: Lines) -> None:
        def begin() -> None:
            wanted = self._wanted(customer, lines, "Services")
            self._keep(name, self.office.call("POST", "/invoices", wanted), None)

        self.office.on(self.office.ago(days_ago), begin)

    def credit(self, customer: dict[str, Any], days_ago: int, minor: int) -> None:
        def give() -> None:
            held = Customer.get_by_id(customer["id"]).held()
            BalanceTransaction.move(held, minor, "manual_adjustment", self.office.moment, description="Goodwill")

        self.office.on(self.office.ago(days_ago), give)

    # What becomes of an invoice, so many days later.

    def paid_after(self, days: int) -> Then:
        def pay(id: str) -> None:
            if self.office.call("GET", f"/invoices/{id}")["status"] == "issued":
                received = {"payment_received_date": self.office.moment.isoformat(), "external_id": "wire transfer"}
                self.office.call("POST", f"/invoices/{id}/mark_paid", received)

        return self._after(days, pay)

    def part_paid_after(self, days: int) -> Then:
        def pay(id: str) -> None:
            invoice = Invoice.get_by_id(id)
            day = periods.local_day(self.office.moment, Customer.get_by_id(invoice.customer_id).timezone)
            third = invoice.amount_due // 3
            Payment.record(invoice, self.office.moment, BY, received_on=day, amount=third, method="Bank transfer")

        return self._after(days, pay)

    def voided_after(self, days: int) -> Then:
        return self._after(days, lambda made: self.office.call("POST", f"/invoices/{made}/void"))

    def revoked_after(self, days: int) -> Then:
        reason = {"reason": "Sent to a former employee"}
        return self._after(days, lambda made: self.office.call("DELETE", f"/invoices/{made}/portal_link", reason))

    def _after(self, days: int, deed: Callable[[str], object]) -> Then:
        return lambda made: self.office.on(self.office.moment + timedelta(days=days), lambda: deed(made))

    def _keep(self, name: str, invoice: dict[str, Any], then: Then | None) -> None:
        self.made[name] = invoice
        if then:
            then(invoice["id"])

    def _metric(self, name: str, unit: str) -> Metric:
        described = catalog.DESCRIPTIONS[name]
        named = {"account": self.account, "item": self.items[name], "created_at": self.office.moment}
        return Metric.create(name=name, unit=unit, description=described, **named)

    def _price(self, name: str, currency: str, wire: dict[str, Any]) -> Price:
        title = "Platform fee" if name == "Platform" else name
        item, metric = Item.get_by_id(self.items[name]), self.metrics.get(name)
        return Price.add(item, self.office.moment, name=title, currency=currency, wire=wire, metric=metric)

    def _wanted(self, customer: dict[str, Any], lines: Lines, item: str) -> dict[str, Any]:
        today = periods.local_day(self.office.moment, customer["timezone"])
        days = {"start_date": today.isoformat(), "end_date": (today + timedelta(days=1)).isoformat()}
        return {
            "customer_id": customer["id"],
            "currency": customer["currency"],
            "invoice_date": today.isoformat(),
            "line_items": [
                {
                    "name": name,
                    "item_id": self.items[item],
                    "model_type": "unit",
                    "quantity": quantity,
                    "unit_config": {"unit_amount": price},
                    **days,
                }
                for name, quantity, price in lines
            ],
        }
