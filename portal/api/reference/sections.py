"""Every resource of the API, in the order in which the reference has them."""

from __future__ import annotations

from portal.api.reference.account import ACCOUNT
from portal.api.reference.call import Call, Section, View
from portal.api.reference.credits import BALANCE, CREDIT_NOTES, CREDITS
from portal.api.reference.customers import CUSTOMERS
from portal.api.reference.events import BACKFILLS, EVENTS
from portal.api.reference.invoices import INVOICES
from portal.api.reference.items import ITEMS, METRICS
from portal.api.reference.links import LINKS, SESSIONS
from portal.api.reference.payments import METHODS, PAYMENTS
from portal.api.reference.plans import COUPONS, PLANS, PRICES
from portal.api.reference.subscriptions import SUBSCRIPTIONS

SECTIONS: tuple[Section, ...] = (
    ACCOUNT,
    CUSTOMERS,
    ITEMS,
    METRICS,
    PRICES,
    PLANS,
    COUPONS,
    SUBSCRIPTIONS,
    EVENTS,
    BACKFILLS,
    INVOICES,
    PAYMENTS,
    METHODS,
    CREDIT_NOTES,
    CREDITS,
    BALANCE,
    LINKS,
    SESSIONS,
)


def described() -> dict[View, tuple[Section, Call]]:
    """What is said of each view."""
    return {view: (section, call) for section in SECTIONS for view, call in section.calls.items()}
