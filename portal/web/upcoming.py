"""The bill that is still being written: what each running subscription comes to so far, and the days behind a line."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response
from werkzeug.exceptions import NotFound

from portal.documents.paper import Line
from portal.models.bill import Running, Upcoming
from portal.web.access import Scope
from portal.web.fragments import fragment


def show(scope: Scope) -> Response:
    """What the running subscriptions come to so far, and when they will be billed."""
    return fragment("upcoming/_show.html", back="", upcoming=of(scope, running(scope)))


def line(scope: Scope, subscription_id: str, line_id: str) -> Response:
    """How one line of an upcoming bill comes about, day by day."""
    found = [one for one in running(scope) if one.subscription.id == subscription_id]
    bills = of(scope, found)
    lines = {line.id: line for bill in bills for line in bill.lines}
    if line_id not in lines:
        raise NotFound
    days = bills[0].bill.days.get(line_id, [])
    return fragment("upcoming/_line.html", back="upcoming", bill=bills[0], line=lines[line_id], days=days)


@dataclass(frozen=True, slots=True)
class Shown:
    """One upcoming bill as the page shows it."""

    bill: Upcoming
    lines: list[Line]


def running(scope: Scope) -> list[Running]:
    return Running.of(scope.link.customer_id, scope.today)


def of(scope: Scope, running: list[Running]) -> list[Shown]:
    """One query, for the usage of all of them."""
    bills = Upcoming.of(running, scope.link.customer_id, scope.today)
    return [Shown(bill, [Line.of(dict(line)) for line in bill.document["lines"]] if bill.document else []) for bill in bills]
