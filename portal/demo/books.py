"""The books of the demo's company: deeds that are put on the office's calendar, through the API wherever it has them.

Part payments and taxes are not in the API yet, so the verbs of their rows make them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from portal.demo import catalog, logo, people
from portal.demo.office import Office, Then
from portal.domain import periods
from portal.models.account import Account, ApiKey
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.payment import Payment

BY = "cli"
COMPANY = "Halyard Cloud"
SOLD = ("Platform", "Services", "Hardware", *catalog.METRICS)
CURRENCIES = ("USD", "JPY", "KWD")
Lines = list[tuple[str, int, str]]  # name, quantity, unit price


class Books:
    def __init__(self, office: Office, opened: int) -> None:
        """A new account, `opened` days ago, with all that it sells."""
        self.office = office
        self.made: dict[str, Any] = {}  # what the API said of an invoice, by the name we gave it
        office.moment = office.ago(opened)
        account = Account.open(COMPANY, office.moment, mode="test", by=BY)
        office.key = ApiKey.mint(account, office.moment, BY)[1]
        office.call("PATCH", "/account", people.ACCOUNT)
        office.call("PUT", "/account/logo", data=logo.png())
        self.items = {name: office.call("POST", "/items", {"name": name})["id"] for name in SOLD}
        metrics = {name: self._metric(name) for name in catalog.METRICS}
        for currency in CURRENCIES:
            office.call("POST", "/plans", catalog.plan(currency, self.items, metrics))
        office.call("POST", "/coupons", catalog.COUPON)

    def _metric(self, name: str) -> str:
        unit, sql, dimensions, description = catalog.METRICS[name]
        wanted = {"name": name, "item_id": self.items[name], "sql": sql, "description": description}
        made = self.office.call("POST", "/metrics", {**wanted, "unit": unit, "dimensions": dimensions})
        return str(made["id"])

    # What a customer has ahead.

    def prepay(self, customer: dict[str, Any], days_ago: int, amount: str, lasts: int, description: str) -> None:
        """Credits in the customer's currency, for `lasts` days."""

        def give() -> None:
            day = periods.local_day(self.office.moment, customer["timezone"])
            block = {
                "entry_type": "increment",
                "amount": Decimal(amount),
                "currency": customer["currency"],
                "expiry_date": (day + timedelta(days=lasts)).isoformat(),
                "per_unit_cost_basis": "1",
                "description": description,
            }
            self.office.call("POST", f"/customers/{customer['id']}/credits/ledger_entry", block)

        self.office.on(self.office.ago(days_ago), give)

    def credit(self, customer: dict[str, Any], days_ago: int, amount: str) -> None:
        """Money on the customer's balance, which her next invoice takes."""
        move = {"type": "increment", "amount": amount, "description": "Goodwill"}
        path = f"/customers/{customer['id']}/balance_transactions"
        self.office.on(self.office.ago(days_ago), lambda: self.office.call("POST", path, move))

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
        **more: Any,
    ) -> None:
        """`more` are other fields of the invoice."""

        def issue() -> None:
            wanted = self._wanted(customer, lines, item) | {"net_terms": due_in, "will_auto_issue": True, **more}
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

    # What becomes of an invoice, so many days later.

    def paid_after(self, days: int) -> Then:
        """Unless nothing was asked for."""

        def pay(id: str) -> None:
            received = {"payment_received_date": self.office.moment.isoformat(), "external_id": "wire transfer"}
            self.office.call("POST", f"/invoices/{id}/mark_paid", received)

        later = self._after(days, pay)
        return lambda made: made["status"] == "issued" and later(made)

    def part_paid_after(self, days: int) -> Then:
        def pay(id: str) -> None:
            invoice = Invoice.get_by_id(id)
            day = periods.local_day(self.office.moment, Customer.get_by_id(invoice.customer_id).timezone)
            third = invoice.amount_due // 3
            Payment.record(invoice, self.office.moment, BY, received_on=day, amount=third, method="Bank transfer")

        return self._after(days, pay)

    def credited_after(self, days: int, amount: str, memo: str) -> Then:
        """A credit note over a part of its first line."""

        def take_back(id: str) -> None:
            line = self.office.call("GET", f"/invoices/{id}")["line_items"][0]["id"]
            lines = [{"invoice_line_item_id": line, "amount": amount}]
            note = {"reason": "product_unsatisfactory", "memo": memo, "line_items": lines}
            self.office.call("POST", "/credit_notes", note)

        return self._after(days, take_back)

    def voided_after(self, days: int) -> Then:
        return self._after(days, lambda made: self.office.call("POST", f"/invoices/{made}/void"))

    def revoked_after(self, days: int) -> Then:
        reason = {"reason": "Sent to a former employee"}
        return self._after(days, lambda made: self.office.call("DELETE", f"/invoices/{made}/portal_link", reason))

    def _after(self, days: int, deed: Callable[[str], object]) -> Then:
        return lambda made: self.office.on(self.office.moment + timedelta(days=days), lambda: deed(made["id"]))

    def _keep(self, name: str, invoice: dict[str, Any], then: Then | None) -> None:
        self.made[name] = invoice
        if then:
            then(invoice)

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
