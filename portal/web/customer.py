"""A customer's account on one page: what asks for her first, then what is coming, what was used, and all that was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response

from portal import current
from portal.models.customer import Customer
from portal.models.history import Entry, Movement, Owing
from portal.web import history, methods, plan, prepaid, subscribed, upcoming, usage
from portal.web.access import Scope
from portal.web.fragments import fragment
from portal.web.fragments import page as whole

TEMPLATE = "customer/page.html"
MOST_PRESSING = 10  # invoices that are listed first
LATEST = 10  # movements of the credit


def page(scope: Scope) -> Response:
    """Everything there is to see, in one answer: nothing is asked for later."""
    return whole(TEMPLATE, **shown(scope))


def shown(scope: Scope) -> dict[str, Any]:
    """What the page is rendered from; of a permanent link nothing that tells one from another (web.published)."""
    customer, lately = _customer(scope), subscribed.lately(scope)
    running = [one for one in lately if one.goes_on]
    return {
        "link": scope.link,
        "seconds": _seconds(scope),
        "customer": customer,
        "pressing": _pressing(scope),
        "pays": scope.pays,
        "place": history.place(),
        "upcoming": upcoming.of(scope, running, customer),
        "usage": usage.of(scope, lately),
        "history": history.of(scope),
        "plans": plan.of(running, scope.today),
        "credit": _credit(scope, customer),
        "prepaid": prepaid.of(scope),
        "most_blocks": prepaid.MOST_BLOCKS,
        "methods": methods.of(scope),
        "keeps_methods": scope.keeps_methods,
    }


def due(scope: Scope) -> Response:
    """The invoices that need action."""
    return fragment("customer/_due.html", back="", pressing=_pressing(scope), pays=scope.pays, place=history.place())


def prices(scope: Scope) -> Response:
    """What the running subscriptions cost."""
    return fragment("customer/_plan.html", back="", plans=plan.of(subscribed.running(scope), scope.today))


def balance(scope: Scope) -> Response:
    """What stands to the customer's credit, and how it came about."""
    return fragment("customer/_balance.html", back="", credit=_credit(scope, _customer(scope)))


def details(scope: Scope) -> Response:
    """Who is billed, and where letters go."""
    return fragment("customer/_details.html", back="", customer=_customer(scope))


@dataclass(frozen=True, slots=True)
class Pressing:
    """The invoices that ask for money, the longest due first, and what all of them ask for in each currency."""

    entries: list[Entry]
    owing: list[Owing]

    @property
    def unlisted(self) -> int:
        return sum(one.count for one in self.owing) - len(self.entries)

    @property
    def payable(self) -> list[Entry]:
        """Those of which no payment may still succeed."""
        return [one for one in self.entries if not one.is_on_its_way]

    def leaves_some(self, currency: str) -> bool:
        """Are there others in this currency whose payment is on its way already, as far as the list tells?"""
        return any(one.currency == currency and one.is_on_its_way for one in self.entries)

    def can_pay(self, currency: str) -> bool:
        """Is anything in this currency left to be paid now, as far as the list tells?"""
        return bool(self.unlisted) or any(one.currency == currency for one in self.payable)


@dataclass(frozen=True, slots=True)
class Credit:
    currency: str | None  # None until something was billed
    balance: int  # minor units; negative where the customer owes it
    movements: list[Movement]


def _customer(scope: Scope) -> Customer:
    return (
        Customer.select().where(Customer.id == scope.link.customer_id, Customer.account == scope.link.account_id).get()
    )


def _seconds(scope: Scope) -> int | None:
    """How long the page stays open; None where it does for ever."""
    ends = scope.link.expires_at
    return None if ends is None else max(int((ends - current.now()).total_seconds()), 0)


def _pressing(scope: Scope) -> Pressing:
    return Pressing(*history.within(scope).owing(MOST_PRESSING))


def _credit(scope: Scope, customer: Customer) -> Credit:
    return Credit(customer.currency, customer.balance, history.within(scope).movements(LATEST))
