"""The bill that is still being written: what each running subscription comes to so far, and the days behind a line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Response
from werkzeug.exceptions import NotFound

from portal import current
from portal.documents.line import Line
from portal.documents.paper import Change, Tax, changes, taxes
from portal.documents.working import Working
from portal.models.bill import Running
from portal.models.customer import Customer
from portal.models.upcoming import Upcoming
from portal.web.access import Scope
from portal.web.fragments import fragment, page, wanted


def show(scope: Scope) -> Response:
    """What the running subscriptions come to so far, and when they will be billed."""
    customer = Customer.get_by_id(scope.link.customer_id)
    return fragment("upcoming/_show.html", back="", upcoming=of(scope, running(scope), customer))


def line(scope: Scope, line_id: str) -> Response:
    """How one line of an upcoming bill comes about, day by day."""
    found = [one for one in running(scope) if line_id.startswith(f"{one.subscription.id}-")]
    for shown in of(scope, found):
        for line in shown.document["lines"] if shown.document else []:
            if line["id"] == line_id:
                days = shown.bill.days.get(line_id, [])
                working = Working.of(line, days, shown.document["currency"], scope.today)
                if wanted():
                    return page("invoice/_line.html", working=working)
                alone = {"subscription": shown.bill.subscription, "kind": scope.link.kind}
                return page("invoice/upcoming_line.html", working=working, **alone)
    raise NotFound


@dataclass(frozen=True, slots=True)
class Shown:
    """One upcoming bill as the page shows it."""

    bill: Upcoming
    lines: list[Line]
    changes: list[Change]
    taxes: list[Tax]
    credit: int = 0  # minor units of the customer's credit that would be taken off it

    @property
    def document(self) -> Any:
        """domain.document.Document, or None where the bill cannot be worked out ahead of time."""
        return self.bill.document

    @property
    def last(self) -> date:
        """The last day of the period, as people read one."""
        return self.bill.period.end - timedelta(days=1)

    @property
    def fixed(self) -> int:
        """What is certain already of the subtotal, in minor units: the lines that do not depend on use."""
        return sum(line["subtotal"] for line in self._lines if not _grows(line))

    @property
    def grown(self) -> int:
        """What the use of the period has come to so far."""
        return sum(line["subtotal"] for line in self._lines if _grows(line))

    @property
    def both(self) -> bool:
        """Does the bill have lines of either kind?"""
        return len({_grows(line) for line in self._lines}) > 1

    @property
    def _lines(self) -> list[Any]:
        return self.document["lines"] if self.document else []

    @property
    def adds_up(self) -> bool:
        """Is there more to say than the total?"""
        return len(self.lines) > 1 or bool(self.changes or self.taxes)


def running(scope: Scope) -> list[Running]:
    """The subscriptions that are billed today. Two queries."""
    return Running.of(scope.link.customer_id, scope.today)


def of(scope: Scope, running: list[Running], customer: Customer | None = None) -> list[Shown]:
    """What they come to so far, less prepaid credits and the credit of `customer`.

    One query for the usage of all of them, and one for the credits.
    """
    found, left = [], customer.balance if customer else 0
    for bill in Upcoming.expected(running, scope.link.customer_id, scope.link.timezone, current.now()):
        credit = _credit(bill, customer, left)
        left -= credit
        found.append(_shown(bill, credit))
    return found


def _credit(bill: Upcoming, customer: Customer | None, left: int) -> int:
    """As much of the `left` credit as the bill asks for; a debt is no credit."""
    if not bill.document or not customer or customer.currency != bill.document["currency"]:
        return 0
    return max(min(left, bill.document["total"]), 0)


def _grows(line: Any) -> bool:
    return bool(line["price"]["price_type"] == "usage_price")


def _shown(bill: Upcoming, credit: int) -> Shown:
    lines: list[Any] = bill.document["lines"] if bill.document else []
    return Shown(bill, [Line.of(line) for line in lines], changes(lines), taxes(lines), credit)
