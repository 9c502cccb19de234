"""The bill that is still being written: what each running subscription comes to so far, and the days behind a line."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response
from werkzeug.exceptions import NotFound

from portal import current
from portal.documents.ahead import Ahead
from portal.documents.working import Working
from portal.models.bill import Running
from portal.models.customer import Customer
from portal.models.upcoming import Upcoming
from portal.web import subscribed
from portal.web.access import Scope
from portal.web.fragments import fragment, page, wanted


def show(scope: Scope) -> Response:
    """What the running subscriptions come to so far, and when they will be billed."""
    customer = Customer.get_by_id(scope.link.customer_id)
    return fragment("upcoming/_show.html", back="", upcoming=of(scope, subscribed.running(scope), customer))


def line(scope: Scope, line_id: str) -> Response:
    """How one line of an upcoming bill comes about, day by day."""
    for bill in _bills(scope, subscribed.running(scope)):
        for line in bill.document["lines"] if bill.document else []:
            if line["id"] == line_id:
                days, currency = bill.days.get(line_id, []), bill.subscription.currency
                working = Working.of(line, days, currency, scope.today)
                if wanted():
                    return page("invoice/_line.html", working=working)
                alone = {"subscription": bill.subscription, "kind": scope.link.kind}
                return page("invoice/upcoming_line.html", working=working, **alone)
    raise NotFound


def of(scope: Scope, running: Sequence[Running], customer: Customer) -> list[Ahead]:
    """What they come to so far, less prepaid credits and the balance of `customer`.

    Two queries: the usage of all of them, and the credits. One more where some of it was billed before its time.
    """
    bills = _bills(scope, running)
    found, left = {}, customer.balance
    for bill in sorted(bills, key=lambda one: one.issued_on):
        found[bill.subscription.id] = ahead = Ahead.of(bill, customer, left)
        left -= ahead.balance
    return [found[bill.subscription.id] for bill in bills]


def _bills(scope: Scope, running: Sequence[Running]) -> list[Upcoming]:
    """All of them: what one takes of the prepaid credits is not there for the others."""
    return Upcoming.expected(running, scope.link.customer_id, scope.link.timezone, current.now())
