"""The draft of a bill: what an invoice takes from its subscription, and from the customer where that says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from portal.models.bill import Billed
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.subscription import Subscription


def draft(
    billed: Billed,
    subscription: Subscription,
    customer: Customer,
    now: datetime,
    by: str,
    *,
    id: str,
    source: str,
    boundary: date,
    **moments: Any,
) -> Invoice:
    """The draft of what is billed up to `boundary`; `moments` are its date, and whether and when it issues itself."""
    document, days = billed
    return Invoice.draft(
        customer,
        now,
        by,
        id=id,
        document=dict(document),
        days=plain_days(days),
        source=source,
        subscription=subscription,
        billing_date=boundary,
        net_terms=subscription.net_terms,
        auto_collection=first_said(subscription.auto_collection, customer.auto_collection, False),
        memo=subscription.default_invoice_memo,
        **moments,
    )


def plain_days(days: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """The days of a document's lines as `Invoice.draft` takes them."""
    return {line: [dict(day) for day in each] for line, each in days.items()}


def first_said(*said: bool | None) -> bool:
    """The first that says anything: the subscription before the customer before what is usual."""
    return next(one for one in said if one is not None)
