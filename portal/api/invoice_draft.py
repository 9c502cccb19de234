"""A one-off invoice as it is asked for, and the draft that is made of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from portal import current
from portal.api import errors
from portal.api.body import Schema
from portal.api.fields import (
    Currency,
    Day,
    Line,
    Metadata,
    Methods,
    MoneyText,
    Text,
    WireNumber,
    day_in,
    instant_in,
    merged,
)
from portal.domain import billing, money, periods
from portal.domain.document import Discount
from portal.domain.periods import OutOfRange
from portal.domain.pricing import NotPriced
from portal.models import moments
from portal.models.account import Account
from portal.models.base import new_id
from portal.models.catalog import Item, price_object
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.line_id import line_id

MOST_LINES = 1000
FURTHEST_DATE = timedelta(days=366)
LONGEST_TERMS = 3650  # days

# Orb's Invoice and LineItem: a client may send back what it has read. What is not a field below has no effect.
NAMES = re.compile(r"\w+")
INVOICE = frozenset(
    NAMES.findall(
        """
        id amount_due amount_remaining auto_collection billing_address created_at credit_notes currency customer
        customer_balance_transactions customer_id customer_tax_id discount discounts due_date eligible_to_issue_at
        external_customer_id hidden_line_item_count hosted_invoice_url invoice_date invoice_number invoice_pdf
        invoice_source issue_failed_at issued_at line_items maximum maximum_amount memo metadata minimum minimum_amount
        net_terms paid_at payment_attempts payment_failed_at payment_received_at payment_started_at scheduled_issue_at
        shipping_address status subscription subtotal sync_failed_at total voided_at will_auto_issue
        """
    )
)
LINE_ITEM = frozenset(
    NAMES.findall(
        """
        id adjusted_subtotal adjustments amount credits_applied filter grouping partially_invoiced_amount price
        sub_line_items subtotal tax_amounts usage_customer_ids
        """
    )
)


class UnitConfig(Schema):
    unit_amount: MoneyText
    prorated: bool | None = None
    scaling_factor: WireNumber | None = None


class LineItem(Schema):
    accepted: ClassVar[frozenset[str]] = LINE_ITEM

    name: Line
    item_id: str
    model_type: Literal["unit"]
    quantity: WireNumber
    unit_config: UnitConfig
    start_date: Day
    end_date: Day  # exclusive


class WantedDiscount(Schema):
    # The values of the kinds that are refused: the kind is what is wrong, not its value.
    accepted: ClassVar[frozenset[str]] = frozenset(
        {"usage_discount", "trial_amount_discount", "trial_percentage_discount", "tiers"}
    )

    discount_type: str
    percentage_discount: WireNumber | None = None
    amount_discount: MoneyText | None = None
    applies_to_price_ids: list[str] | None = None
    filters: list[dict[str, Any]] | None = None
    reason: Text | None = None

    def applied(self) -> Discount:
        """What `billing` applies. Raises Problem."""
        if self.discount_type not in ("percentage", "amount"):
            raise errors.invalid(
                "discount.discount_type must be percentage or amount: other discounts are not worked out here."
            )
        if self.applies_to_price_ids or self.filters:
            raise errors.invalid(
                "discount covers the whole invoice: leave applies_to_price_ids and filters out, or empty."
            )
        kind = f"{self.discount_type}_discount"
        value = getattr(self, kind)
        if value is None:
            raise errors.invalid(f"discount.{kind} is required where discount_type is {self.discount_type}.")
        if value < 0 or (self.discount_type == "percentage" and value > 1):
            raise errors.invalid(f"discount.{kind} must {_BOUNDS[self.discount_type]}.")
        return {"type": kind, "value": money.plain(value), "reason": self.reason}


_BOUNDS = {"percentage": "be between 0 and 1", "amount": "not be negative"}


class Wanted(Schema):
    accepted: ClassVar[frozenset[str]] = INVOICE - {
        "currency", "invoice_date", "line_items", "auto_collection", "customer_id", "external_customer_id", "discount",
        "due_date", "memo", "metadata", "net_terms", "will_auto_issue",
    }  # fmt: skip

    currency: Currency
    invoice_date: Day
    line_items: Annotated[list[LineItem], Field(min_length=1, max_length=MOST_LINES)]
    customer_id: str | None = None
    external_customer_id: str | None = None
    auto_collection: bool | None = None
    discount: WantedDiscount | None = None
    due_date: Day | None = None
    net_terms: Annotated[int, Field(ge=0, le=LONGEST_TERMS)] | None = None
    memo: Text | None = None
    metadata: Metadata | None = None
    payment_methods: Annotated[Methods, Field(min_length=1)] | None = None  # narrows the customer's
    will_auto_issue: bool = False


def draft(wanted: Wanted, account: Account) -> Invoice:
    """The draft, issued at once where it is to issue itself and its day has come. Raises Problem."""
    one_due_date(wanted.net_terms, wanted.due_date)
    customer = _customer(wanted, account).held()
    _settle_currency(customer, wanted.currency)
    now, by = current.now(), current.actor()
    dated = dated_at(wanted.invoice_date, customer.timezone)
    opens = eligible_at(dated, customer.timezone)
    id = new_id()
    document, days = _bill(wanted, account, customer.timezone, id)
    invoice = Invoice.draft(
        customer,
        now,
        by,
        id=id,
        document=dict(document),
        days=days,
        source="one_off",
        invoice_date=dated,
        eligible_to_issue_at=opens,
        due_date=day_in(wanted.due_date, customer.timezone) if wanted.due_date else None,
        net_terms=wanted.net_terms,
        memo=wanted.memo,
        metadata=merged({}, wanted.metadata),
        auto_collection=customer.auto_collection if wanted.auto_collection is None else wanted.auto_collection,
        payment_methods=wanted.payment_methods,
        will_auto_issue=wanted.will_auto_issue,
    )
    if wanted.will_auto_issue and opens <= now:
        return moments.issue(invoice, now, current.keyring().active, by)
    return invoice


def one_due_date(net_terms: int | None, due_date: object) -> None:
    """Raises Problem where both say when the invoice is due."""
    if net_terms is not None and due_date is not None:
        raise errors.invalid("net_terms and due_date cannot both be given: one of them says when the invoice is due.")


def dated_at(invoice_date: date | datetime, timezone: str) -> datetime:
    """The instant of an invoice date. Raises Problem where it is more than a year ahead."""
    dated = instant_in(invoice_date, timezone)
    if dated > current.now() + FURTHEST_DATE:
        raise errors.invalid("invoice_date must not be more than one year in the future.")
    return dated


def eligible_at(dated: datetime, timezone: str) -> datetime:
    """When an invoice of that date may be issued: on its day or later at once, else when it comes."""
    now = current.now()
    has_come = periods.local_day(dated, timezone) <= periods.local_day(now, timezone)
    return now if has_come else dated


def _customer(wanted: Wanted, account: Account) -> Customer:
    if (wanted.customer_id is None) == (wanted.external_customer_id is None):
        raise errors.invalid("Name the customer by one of customer_id and external_customer_id.")
    customer = Customer.of(account, id=wanted.customer_id, external_id=wanted.external_customer_id)
    if customer is None:
        raise errors.not_found("Customer")
    return customer


def _settle_currency(customer: Customer, currency: str) -> None:
    """A customer has one currency; her first invoice decides which."""
    if customer.currency is None:
        customer.change({"currency": currency}, current.now(), current.actor())
    elif customer.currency != currency:
        raise errors.constraint(
            f"currency must be {customer.currency}, the customer's own: an invoice in {currency} is not possible."
        )


def _bill(wanted: Wanted, account: Account, timezone: str, invoice_id: str) -> Any:
    items = _items({line.item_id for line in wanted.line_items}, account)
    charged = [
        _charged(line, items[line.item_id], wanted.currency, timezone, invoice_id, f"line_items.{position}")
        for position, line in enumerate(wanted.line_items)
    ]
    discounts = [wanted.discount.applied()] if wanted.discount else []
    try:
        return billing.build(charged, wanted.currency, new_id=new_id, discounts=discounts)
    except (NotPriced, OutOfRange) as error:
        raise errors.invalid(f"The invoice cannot be worked out: {error}") from error


def _items(ids: Iterable[str], account: Account) -> dict[str, Item]:
    wanted = list(ids)
    found = {item.id: item for item in Item.select().where(Item.account == account, Item.id.in_(wanted))}
    if len(found) < len(wanted):
        raise errors.not_found("Item")
    return found


def _charged(line: LineItem, item: Item, currency: str, timezone: str, invoice_id: str, where: str) -> billing.Charged:
    start, end = day_in(line.start_date, timezone), day_in(line.end_date, timezone)
    if end < start:
        raise errors.invalid(f"{where}.end_date is exclusive and must not be before start_date.")
    named = {"id": item.id, "name": item.name}
    price = price_object(
        new_id(),
        current.now(),
        name=line.name,
        currency=currency,
        item=named,
        model_type="unit",
        cadence="one_time",
        fixed_price_quantity=money.plain(line.quantity),
        unit_config=_unit_config(line.unit_config),
    )
    return billing.Charged(
        id=line_id(invoice_id, where),
        name=line.name,
        item=billing.ItemName(id=item.id, name=item.name),
        price=price,
        quantity=line.quantity,
        start=start,
        end=end,
    )


def _unit_config(given: UnitConfig) -> dict[str, Any]:
    factor = None if given.scaling_factor is None else money.plain(given.scaling_factor)
    return {
        "unit_amount": money.plain(given.unit_amount),
        "prorated": bool(given.prorated),
        "scaling_factor": factor,
    }
