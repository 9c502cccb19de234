"""What moved a customer's balance: money that her next invoices take, or that they add. Made by hand, and listed."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint
from pydantic import Field

from portal import current
from portal.api import balance_shapes, customers, errors, paging
from portal.api.body import Schema, body, query
from portal.api.fields import MoneyText, Text, When, WholeSecond
from portal.domain import money
from portal.models.credit_note import CreditNote
from portal.models.customer import BalanceTransaction, Customer
from portal.models.record import Record

routes = Blueprint("balance_transactions", __name__)


class NewTransaction(Schema):
    amount: MoneyText
    type: Literal["increment", "decrement"]
    description: Text | None = None


class Filters(paging.Paged):
    after: WholeSecond | None = Field(None, alias="operation_time[gt]")
    since: When | None = Field(None, alias="operation_time[gte]")
    before: When | None = Field(None, alias="operation_time[lt]")
    until: WholeSecond | None = Field(None, alias="operation_time[lte]")


@routes.post("/customers/<id>/balance_transactions")
def create(id: str) -> tuple[dict[str, Any], int]:
    return _created(customers.by_id(id)), 201


@routes.get("/customers/<id>/balance_transactions")
def listed(id: str) -> dict[str, Any]:
    return _listed(customers.by_id(id))


@routes.post("/customers/external_customer_id/<external:external_id>/balance_transactions")
def create_by_external_id(external_id: str) -> tuple[dict[str, Any], int]:
    return _created(customers.by_external_id(external_id)), 201


@routes.get("/customers/external_customer_id/<external:external_id>/balance_transactions")
def listed_by_external_id(external_id: str) -> dict[str, Any]:
    return _listed(customers.by_external_id(external_id))


def _created(found: Customer) -> dict[str, Any]:
    given = body(NewTransaction)
    customer = found.held()
    if customer.currency is None:
        raise errors.constraint("This customer has no currency yet: set currency before you move her balance.")
    minor = money.parse(given.amount, customer.currency)
    if minor <= 0:
        raise errors.invalid("amount must be more than 0: type says whether it is added or taken.")
    move = minor if given.type == "increment" else -minor
    money.bounded(customer.balance + move, customer.currency)
    now = current.now()
    row = BalanceTransaction.move(customer, move, "manual_adjustment", now, description=given.description)
    Record.write(customer.account_id, now, current.actor(), "balance.adjusted", customer.id, transaction=row.id)
    return balance_shapes.move(row, customer.currency, {})


def _listed(customer: Customer) -> dict[str, Any]:
    given = query(Filters)
    at = BalanceTransaction.created_at
    rows = BalanceTransaction.select().where(BalanceTransaction.customer == customer)
    bounds = [(given.after, at.__gt__), (given.since, at.__ge__), (given.before, at.__lt__), (given.until, at.__le__)]
    for bound, compare in bounds:
        rows = rows.where(compare(bound)) if bound else rows

    def shape(found: list[BalanceTransaction]) -> list[dict[str, Any]]:
        noted = [str(row.invoice_id) for row in found if row.action == "credit_note_applied"]
        notes = {note.number: note.id for notes in CreditNote.of_all(noted).values() for note in notes}
        return [balance_shapes.move(row, customer.currency or "USD", notes) for row in found]

    return paging.page(rows, (at, BalanceTransaction.id), given, shape)
