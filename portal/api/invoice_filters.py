"""Which invoices a list is asked for: Orb's filters, as conditions of a query."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from portal.api.fields import Day, MoneyText, When, WholeSecond, day_in
from portal.api.paging import Paged
from portal.domain import money, periods
from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.invoice import Invoice

Status = Literal["draft", "issued", "paid", "synced", "void"]
SHOWN: tuple[Status, ...] = ("issued", "paid", "synced")  # where nobody says which
WINDOW = re.compile(r"([0-9]{1,4})([dm])")
USUAL = 2  # decimals of most currencies
RARE = {
    digits: [code for code, own in money.EXPONENTS.items() if own == digits]
    for digits in set(money.EXPONENTS.values()) - {USUAL}
}


def _window(text: str) -> str:
    if not WINDOW.fullmatch(text):
        raise ValueError("must be a number of days or months, such as 7d or 2m")
    return text


class Filters(Paged):
    many: ClassVar[frozenset[str]] = frozenset({"status"})

    status: list[Status] = list(SHOWN)
    customer_id: str | None = None
    external_customer_id: str | None = None
    subscription_id: str | None = None
    is_recurring: bool | None = None
    amount: MoneyText | None = None  # of `total`, in major units of each invoice's currency
    amount_gt: MoneyText | None = Field(None, alias="amount[gt]")
    amount_lt: MoneyText | None = Field(None, alias="amount[lt]")
    date_type: Literal["due_date", "invoice_date"] = "due_date"  # which date the next four look at
    due_date: Day | None = None
    due_date_gt: Day | None = Field(None, alias="due_date[gt]")
    due_date_lt: Day | None = Field(None, alias="due_date[lt]")
    due_date_window: Annotated[str, AfterValidator(_window)] | None = None
    invoice_date_gt: WholeSecond | None = Field(None, alias="invoice_date[gt]")
    invoice_date_gte: When | None = Field(None, alias="invoice_date[gte]")
    invoice_date_lt: When | None = Field(None, alias="invoice_date[lt]")
    invoice_date_lte: WholeSecond | None = Field(None, alias="invoice_date[lte]")


class LineFilters(Filters):
    include_zero_quantity_line_items: bool = True


def found(given: Filters, account: Account, now: datetime) -> Any:
    """The account's invoices that `given` asks for, each with its customer; in no order yet."""
    rows = Invoice.select(Invoice, Customer).join(Customer).where(Invoice.account == account)
    return rows.where(
        *_owners(given, account), *_amounts(given), *_invoice_dates(given), *_days(given, account.timezone, now)
    )


def _owners(given: Filters, account: Account) -> Iterator[Any]:
    yield Invoice.status.in_(given.status)
    if given.customer_id is not None:
        yield Invoice.customer == given.customer_id
    if given.external_customer_id is not None:
        # Looked up first: as a condition on the join, it would be asked of every invoice of the account.
        yield Invoice.customer == Customer.select(Customer.id).where(
            Customer.account == account, Customer.external_id == given.external_customer_id
        )
    if given.subscription_id is not None:
        yield Invoice.subscription == given.subscription_id
    if given.is_recurring is not None:
        yield (Invoice.source != "one_off") if given.is_recurring else (Invoice.source == "one_off")


def _amounts(given: Filters) -> Iterator[Any]:
    total = Invoice.total
    if given.amount is not None:
        yield _amount(given.amount, lambda floor, ceiling: (total >= ceiling) & (total <= floor))
    if given.amount_gt is not None:
        yield _amount(given.amount_gt, lambda floor, _: total > floor)
    if given.amount_lt is not None:
        yield _amount(given.amount_lt, lambda _, ceiling: total < ceiling)


def _amount(amount: Decimal, test: Callable[[int, int], Any]) -> Any:
    """`test` on the minor units next to `amount`, which are others for currencies with other decimals."""
    rare = [Invoice.currency.in_(codes) & test(*_around(amount, digits)) for digits, codes in RARE.items()]
    elsewhere = Invoice.currency.not_in([code for codes in RARE.values() for code in codes])
    return reduce(or_, rare, elsewhere & test(*_around(amount, USUAL)))


def _around(amount: Decimal, digits: int) -> tuple[int, int]:
    # No invoice passes LARGEST, and both databases compare only what fits 64 bits.
    beyond = Decimal(money.LARGEST + 1)
    minor = min(max(money.EXACT.scaleb(amount, digits), -beyond), beyond)
    return int(minor.to_integral_value(ROUND_FLOOR)), int(minor.to_integral_value(ROUND_CEILING))


def _invoice_dates(given: Filters) -> Iterator[Any]:
    if given.invoice_date_gt:
        yield Invoice.invoice_date > given.invoice_date_gt
    if given.invoice_date_gte:
        yield Invoice.invoice_date >= given.invoice_date_gte
    if given.invoice_date_lt:
        yield Invoice.invoice_date < given.invoice_date_lt
    if given.invoice_date_lte:
        yield Invoice.invoice_date <= given.invoice_date_lte


def _days(given: Filters, timezone: str, now: datetime) -> Iterator[Any]:
    """Days are counted where the account is: its customers may live anywhere."""
    between = _due_between if given.date_type == "due_date" else _dated_between(timezone)
    one_day = timedelta(days=1)
    if given.due_date:
        day = day_in(given.due_date, timezone)
        yield between(day, day)
    if given.due_date_gt:
        yield between(day_in(given.due_date_gt, timezone) + one_day, None)
    if given.due_date_lt:
        yield between(None, day_in(given.due_date_lt, timezone) - one_day)
    if given.due_date_window:
        today = periods.local_day(now, timezone)
        yield between(_before(today, given.due_date_window), today)


def _due_between(first: date | None, last: date | None) -> Any:
    named = Invoice.due_date.is_null(False)
    if first:
        named &= Invoice.due_date >= first
    return named & (Invoice.due_date <= last) if last else named


def _dated_between(timezone: str) -> Callable[[date | None, date | None], Any]:
    def between(first: date | None, last: date | None) -> Any:
        named = Invoice.invoice_date.is_null(False)
        if first:
            named &= Invoice.invoice_date >= periods.midnight(first, timezone)
        return named & (Invoice.invoice_date <= periods.last_second(last, timezone)) if last else named

    return between


def _before(today: date, window: str) -> date:
    found = WINDOW.fullmatch(window)
    assert found  # noqa: S101 - _window() has seen to it
    count = int(found[1])
    if found[2] == "d":
        return today - timedelta(days=count)
    year, month = divmod(12 * today.year + today.month - 1 - count, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
