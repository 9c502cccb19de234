"""A customer's blocks of prepaid credits, in one currency or in a unit of their own."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from flask import Blueprint
from pydantic import AfterValidator, Field, StringConstraints

from portal import current
from portal.api import customers, paging
from portal.api.body import query
from portal.api.fields import When, WholeSecond, day_in
from portal.api.shapes import number, stamp
from portal.domain import money, periods
from portal.models.credit import UNIT, CreditBlock
from portal.models.customer import Customer

routes = Blueprint("credit_blocks", __name__)


def _unit(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError("must be a currency, or a word for what is counted, such as credits")
    if text not in money.EXPONENTS and text.upper() in money.EXPONENTS:
        raise ValueError(f"must be in capital letters where it is a currency: {text.upper()}")
    return text


Unit = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_unit)]


class Filters(paging.Paged):
    currency: Unit = UNIT
    include_all_blocks: bool = False
    after: WholeSecond | None = Field(None, alias="effective_date[gt]")
    since: When | None = Field(None, alias="effective_date[gte]")
    before: When | None = Field(None, alias="effective_date[lt]")
    until: WholeSecond | None = Field(None, alias="effective_date[lte]")


@routes.get("/customers/<id>/credits")
def listed(id: str) -> dict[str, Any]:
    return _listed(customers.by_id(id))


@routes.get("/customers/external_customer_id/<external:external_id>/credits")
def listed_by_external_id(external_id: str) -> dict[str, Any]:
    return _listed(customers.by_external_id(external_id))


def boundary(value: date | datetime, timezone: str) -> datetime:
    """Where credits end that are to end then: at midnight where the customer is, that instant or the next."""
    day = day_in(value, timezone)
    midnight = periods.midnight(day, timezone)
    cut_short = isinstance(value, datetime) and value > midnight
    return periods.midnight(day + timedelta(days=1), timezone) if cut_short else midnight


def _listed(customer: Customer) -> dict[str, Any]:
    given = query(Filters)
    at = CreditBlock.effective_at
    rows = CreditBlock.select().where(CreditBlock.customer == customer, CreditBlock.currency == given.currency)
    if not given.include_all_blocks:
        lasts: Any = CreditBlock.expires_at.is_null() | (CreditBlock.expires_at > current.now())
        rows = rows.where(CreditBlock.balance != "0", lasts)
    bounds = [(given.after, at.__gt__), (given.since, at.__ge__), (given.before, at.__lt__), (given.until, at.__le__)]
    for bound, compare in bounds:
        rows = rows.where(compare(bound)) if bound else rows
    return paging.page(rows, (at, CreditBlock.id), given, lambda found: [_shape(row) for row in found])


def _shape(block: CreditBlock) -> dict[str, Any]:
    return {
        "id": block.id,
        "balance": number(Decimal(block.balance)),
        "maximum_initial_balance": number(Decimal(block.initial)),
        "credit_block_source": block.source,
        "effective_date": stamp(block.effective_at),
        "expiry_date": stamp(block.expires_at),
        "per_unit_cost_basis": block.cost_basis,
        "filters": block.filters,
        "metadata": block.metadata,
        "status": "active",
        "credit_allocation": None,
        "credit_commitment": None,
    }
