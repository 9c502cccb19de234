"""Every resource of the API, in the order in which the reference has them."""

from __future__ import annotations

from portal.api.reference.account import ACCOUNT
from portal.api.reference.call import Call, Section, View
from portal.api.reference.customers import CUSTOMERS
from portal.api.reference.invoices import INVOICES
from portal.api.reference.items import ITEMS
from portal.api.reference.links import LINKS, SESSIONS

SECTIONS: tuple[Section, ...] = (ACCOUNT, ITEMS, CUSTOMERS, INVOICES, LINKS, SESSIONS)


def described() -> dict[View, tuple[Section, Call]]:
    """What is said of each view."""
    return {view: (section, call) for section in SECTIONS for view, call in section.calls.items()}
