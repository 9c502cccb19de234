"""All invoices of a customer, newest first, page by page, and found again by number, status and year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response
from wtforms import StringField
from wtforms.validators import Optional, Regexp

from portal.models.history import Asked, History, Key, Page
from portal.web.access import Scope
from portal.web.forms import Choice, Question
from portal.web.fragments import fragment
from portal.web.place import Place

PAGE_SIZE = 20
STATUSES = {
    "": "Any status",
    "unpaid": "To pay",
    "overdue": "Overdue",
    "payment_failed": "Payment failed",
    "processing": "Processing",
    "paid": "Paid",
    "void": "Void",
}
ASKED = ("number", "status", "year", "older_than", "newer_than")
NUMBER = r"\s*[0-9A-Za-z-]{1,32}\s*\Z"
KEY = r"-?[0-9]{1,17}\.[0-9A-Za-z]{16}\Z"


class HistoryQuestion(Question):
    number = StringField(
        "Number", [Optional(), Regexp(NUMBER, message="Number: an invoice number has letters, digits and hyphens.")]
    )
    status = Choice("Status")
    year = Choice("Year")
    older_than = StringField(
        "Older than", [Optional(), Regexp(KEY, message="Older than: follow the links below the list.")]
    )
    newer_than = StringField(
        "Newer than", [Optional(), Regexp(KEY, message="Newer than: follow the links below the list.")]
    )

    def read(self) -> Asked:
        return Asked(
            number=(self.number.data or "").strip(),
            status=self.status.data,
            year=int(self.year.data) if self.year.data else None,
            older_than=_key(self.older_than.data),
            newer_than=_key(self.newer_than.data),
        )

    @property
    def filters(self) -> dict[str, Any]:
        """What the links to other pages keep."""
        return {name: self[name].data for name in ("number", "status", "year")}


@dataclass(frozen=True, slots=True)
class Section:
    """What the history shows: its form, what is wrong with it, or else a page of invoices."""

    form: HistoryQuestion
    error: str
    page: Page | None  # None where the question is wrong
    years: list[int]
    place: Place

    @property
    def status(self) -> int:
        return 422 if self.error else 200


def show(scope: Scope) -> Response:
    """The invoices that were asked for; what the question gets wrong, said in a sentence."""
    section = of(scope)
    wrong = "pf-history-wrong" if section.error else ""
    push = section.place.followed()
    return fragment("history/_show.html", back="", status=section.status, push=push, wrong=wrong, history=section)


def of(scope: Scope) -> Section:
    """The section as this request asks for it. Two queries."""
    history = within(scope)
    years = history.years()
    statuses = {value: label for value, label in STATUSES.items() if value != "void" or not history.hides_void}
    form = HistoryQuestion.asked(status=statuses, year={"": "Any year"} | {str(year): str(year) for year in years})
    error = form.sentence()
    return Section(form, error, None if error else history.page(form.read(), PAGE_SIZE), years, place())


def place() -> Place:
    return Place.of("pf-history", "invoices", ASKED)


def within(scope: Scope) -> History:
    """The invoices that this link may see."""
    return History(scope.link.customer_id, scope.link.timezone, scope.today, scope.link.hide_voided_invoices)


def _key(text: str | None) -> Key | None:
    return Key.read(text) if text else None
