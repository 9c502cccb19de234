"""The ledger of a customer's prepaid credits: its entries, newest first, and those that are written by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

from flask import Blueprint
from peewee import Cast, fn
from pydantic import Field

from portal import current
from portal.api import customers, entry_shapes, errors, paging
from portal.api.body import Schema, body, query
from portal.api.credit_blocks import Unit, boundary
from portal.api.fields import Day, Metadata, MoneyText, Text, When, WholeSecond, WireNumber, instant_in, merged
from portal.domain import money
from portal.models import correction
from portal.models.base import is_postgresql
from portal.models.credit import UNIT, CreditBlock, CreditEntry
from portal.models.customer import Customer
from portal.models.record import Record

routes = Blueprint("ledger", __name__)

Type = Literal[
    "increment", "decrement", "expiration_change", "credit_block_expiry", "void", "void_initiated", "amendment"
]
# What each type of entry is told of besides amount, currency, description and metadata. * has to be there.
TOLD = {
    "increment": "amount* effective_date expiry_date filters invoice_settings per_unit_cost_basis",
    "decrement": "amount*",
    "expiration_change": "target_expiry_date* block_id expiry_date",
    "void": "amount* block_id* void_reason",
    "amendment": "amount* block_id*",
}
COMMON = {"entry_type", "amount", "currency", "description", "metadata"}


class NewEntry(Schema):
    entry_type: Literal["increment", "decrement", "expiration_change", "void", "amendment"]
    amount: WireNumber | None = None
    currency: Unit | None = None
    description: Text | None = None
    metadata: Metadata | None = None
    effective_date: Day | None = None
    expiry_date: Day | None = None
    per_unit_cost_basis: MoneyText | None = None
    filters: list[dict[str, Any]] | None = None
    invoice_settings: dict[str, Any] | None = None
    block_id: str | None = None
    target_expiry_date: Day | None = None
    void_reason: Literal["refund"] | None = None


class Filters(paging.Paged):
    currency: Unit = UNIT
    entry_type: Type | None = None
    entry_status: Literal["committed", "pending"] | None = None
    minimum_amount: MoneyText | None = None
    after: WholeSecond | None = Field(None, alias="created_at[gt]")
    since: When | None = Field(None, alias="created_at[gte]")
    before: When | None = Field(None, alias="created_at[lt]")
    until: WholeSecond | None = Field(None, alias="created_at[lte]")


@routes.get("/customers/<id>/credits/ledger")
def listed(id: str) -> dict[str, Any]:
    return _listed(customers.by_id(id))


@routes.get("/customers/external_customer_id/<external:external_id>/credits/ledger")
def listed_by_external_id(external_id: str) -> dict[str, Any]:
    return _listed(customers.by_external_id(external_id))


@routes.post("/customers/<id>/credits/ledger_entry")
def create(id: str) -> tuple[dict[str, Any], int]:
    return _created(customers.by_id(id)), 201


@routes.post("/customers/external_customer_id/<external:external_id>/credits/ledger_entry")
def create_by_external_id(external_id: str) -> tuple[dict[str, Any], int]:
    return _created(customers.by_external_id(external_id)), 201


def _listed(customer: Customer) -> dict[str, Any]:
    given = query(Filters)
    at = CreditEntry.created_at
    mine = CreditEntry.select(CreditEntry, CreditBlock).join(CreditBlock)
    rows = mine.where(CreditEntry.customer == customer, CreditEntry.currency == given.currency)
    wanted = [
        (given.entry_type, CreditEntry.type.__eq__),
        (given.entry_status, CreditEntry.status.__eq__),
        (given.minimum_amount, _at_least),
        (given.after, at.__gt__),
        (given.since, at.__ge__),
        (given.before, at.__lt__),
        (given.until, at.__le__),
    ]
    for value, compare in wanted:
        rows = rows.where(compare(value)) if value is not None else rows
    return paging.page(
        rows, (at, CreditEntry.id), given, lambda found: [entry_shapes.entry(row, customer) for row in found]
    )


def _at_least(minimum: Decimal) -> Any:
    """Entries that move that much, either way. SQLite compares such numbers nearly: it has no exact ones."""
    kind = "numeric" if is_postgresql() else "real"
    return fn.ABS(Cast(CreditEntry.amount, kind)) >= Cast(money.plain(minimum), kind)


def _created(found: Customer) -> dict[str, Any]:
    given = body(NewEntry)
    _refuse_strange(given)
    customer = found.held()
    entry = WRITE[given.entry_type](given, customer)
    Record.write(
        customer.account_id, current.now(), current.actor(), f"credits.{given.entry_type}", customer.id, entry=entry.id
    )
    return entry_shapes.entry(entry, customer)


def _refuse_strange(given: NewEntry) -> None:
    """Raises Problem for what is missing from this type of entry, or has no place in it."""
    told = TOLD[given.entry_type].split()
    needed = [name.removesuffix("*") for name in told if name.endswith("*")]
    values = {name: value for name, value in given.given().items() if value is not None}
    strange = sorted(set(values) - COMMON - {name.removesuffix("*") for name in told})
    sentences = [f"{name} is required where entry_type is {given.entry_type}." for name in needed if name not in values]
    sentences += [f"{name} cannot be given where entry_type is {given.entry_type}." for name in strange]
    if given.amount is not None and given.amount <= 0:
        sentences.append("amount must be more than 0: entry_type says which way it goes.")
    if sentences:
        raise errors.invalid(" ".join(sentences), sentences)


def _increment(given: NewEntry, customer: Customer) -> CreditEntry:
    if given.filters:
        raise errors.invalid("filters must be empty: credits pay for whatever is billed in their currency.")
    if given.invoice_settings is not None:
        raise errors.invalid(
            "invoice_settings cannot be used yet: bill these credits with an invoice of your own, POST /v1/invoices."
        )
    if given.per_unit_cost_basis is not None and given.per_unit_cost_basis < 0:
        raise errors.invalid("per_unit_cost_basis must be 0 or more.")
    now = current.now()
    effective = instant_in(given.effective_date, customer.timezone) if given.effective_date else now
    expires = boundary(given.expiry_date, customer.timezone) if given.expiry_date else None
    if expires and expires <= max(effective, now):
        raise errors.invalid("expiry_date must be in the future, and after effective_date.")
    basis = given.per_unit_cost_basis
    terms = {"expires_at": expires, "cost_basis": None if basis is None else money.plain(basis)}
    amount, currency = _amount(given), _currency(given, customer)
    return CreditBlock.give(customer, amount, currency, now, effective_at=effective, **terms, **_said(given))


def _decrement(given: NewEntry, customer: Customer) -> CreditEntry:
    return CreditBlock.take(customer, _amount(given), _currency(given, customer), current.now(), **_said(given))


def _expiration_change(given: NewEntry, customer: Customer) -> CreditEntry:
    assert given.target_expiry_date is not None  # noqa: S101 - refused before: for the type checker
    expires_at = boundary(given.target_expiry_date, customer.timezone)
    block = _block(given, customer)
    amount = Decimal(block.balance) if given.amount is None else given.amount
    if amount <= 0:
        raise errors.constraint("Nothing is left in this block that could be moved.")
    return correction.move(block, amount, expires_at, current.now(), **_said(given))


def _void(given: NewEntry, customer: Customer) -> CreditEntry:
    return correction.void(_block(given, customer), _amount(given), given.void_reason, current.now(), **_said(given))


def _amendment(given: NewEntry, customer: Customer) -> CreditEntry:
    return correction.amend(_block(given, customer), _amount(given), current.now(), **_said(given))


WRITE: dict[str, Callable[[NewEntry, Customer], CreditEntry]] = {
    "increment": _increment,
    "decrement": _decrement,
    "expiration_change": _expiration_change,
    "void": _void,
    "amendment": _amendment,
}


def _amount(given: NewEntry) -> Decimal:
    return given.amount or Decimal(0)  # of the types that need one it is there


def _said(given: NewEntry) -> dict[str, Any]:
    return {"description": given.description, "metadata": merged({}, given.metadata)}


def _currency(given: NewEntry, customer: Customer) -> str:
    """Raises Problem for money that is not the customer's."""
    currency = given.currency or UNIT
    if currency in money.EXPONENTS and customer.currency not in (None, currency):
        raise errors.constraint(f"currency must be {customer.currency}, in which the customer is billed, or credits.")
    return currency


def _block(given: NewEntry, customer: Customer) -> CreditBlock:
    """The customer's block that is meant, by its id or by when it expires. Raises Problem."""
    CreditBlock.end(customer.id, current.now())
    rows = CreditBlock.select().where(CreditBlock.customer == customer)
    if given.block_id is None and given.expiry_date is None:
        raise errors.invalid("Name the block by block_id, or by its expiry_date.")
    if given.block_id is not None:
        rows = rows.where(CreditBlock.id == given.block_id)
    else:
        rows = rows.where(CreditBlock.currency == (given.currency or UNIT), CreditBlock.balance != "0")
    if given.expiry_date is not None:
        rows = rows.where(CreditBlock.expires_at == boundary(given.expiry_date, customer.timezone))
    blocks = list(rows.limit(2))
    if not blocks:
        raise errors.not_found("CreditBlock")
    if len(blocks) > 1:
        raise errors.invalid("More than one block expires then: name one by block_id.")
    if given.currency not in (None, blocks[0].currency):
        raise errors.invalid(f"currency must be that of the block: {blocks[0].currency}.")
    return blocks[0]
