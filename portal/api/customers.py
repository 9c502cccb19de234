"""Customers, by our id or by the caller's own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint
from peewee import IntegrityError
from pydantic import Field

from portal import current
from portal.api import errors, paging, payer
from portal.api.body import Address, CustomerTaxId, Schema, body, query
from portal.api.customer_shapes import shape, shape_all
from portal.api.fields import (
    Currency,
    Email,
    ExternalId,
    Line,
    LocaleName,
    Metadata,
    Methods,
    Timezone,
    merged,
)
from portal.models import erasing, ingestion, moments, recounting
from portal.models.customer import Customer

routes = Blueprint("customers", __name__)

MOST_ADDRESSES = 49  # besides the primary one
Provider = Literal["quickbooks", "bill.com", "stripe_charge", "stripe_invoice", "netsuite", "adyen"]
# What Orb keeps about a customer and we do not, and what is ours to say: taken without effect.
WITHOUT_EFFECT = frozenset(
    {
        "id",
        "created_at",
        "balance",
        "portal_url",
        "hierarchy",
        "exempt_from_automated_tax",
        "automatic_tax_enabled",
        "default_payment_method",
        "accounting_sync_configuration",
        "reporting_configuration",
        "tax_configuration",
    }
)
# Below an external id these words are ours, so no id may end in one: its URL would mean something else.
RESERVED = ("portal_sessions", "costs", "credits", "balance_transactions", "sync_payment_methods_from_gateway")


class Excluded(Schema):
    provider_type: Literal["stripe"]
    excluded_payment_method_types: Annotated[list[Line], Field(max_length=100)] | None = None
    default_shared_payment_token: Line | None = None


class PaymentConfiguration(Schema):
    payment_providers: Annotated[list[Excluded], Field(max_length=10)] | None = None


class CustomerFields(Schema):
    accepted = WITHOUT_EFFECT

    name: Line | None = None
    email: Email | None = None
    external_customer_id: ExternalId | None = None
    additional_emails: Annotated[list[Email], Field(max_length=MOST_ADDRESSES)] | None = None
    currency: Currency | None = None
    timezone: Timezone | None = None
    locale: LocaleName | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    tax_id: CustomerTaxId | None = None
    metadata: Metadata | None = None
    auto_collection: bool | None = None
    auto_issuance: bool | None = None
    email_delivery: bool | None = None
    permanent_portal_link: bool | None = None
    payment_methods: Annotated[Methods, Field(min_length=1)] | None = None
    payment_provider: Provider | None = None
    payment_provider_id: Line | None = None
    payment_configuration: PaymentConfiguration | None = None


class CustomerChanges(CustomerFields):
    default_payment_method_id: str | None = None


class NewCustomer(CustomerFields):
    accepted = WITHOUT_EFFECT | {"default_payment_method_id"}  # none is saved yet

    name: Line
    email: Email


@routes.post("/customers")
def create() -> tuple[dict[str, Any], int]:
    fields = payer.collected(_columns(body(NewCustomer), {}), None)
    try:
        customer = moments.welcome(
            current.account(), current.now(), current.keyring().active, current.actor(), **fields
        )
    except IntegrityError as error:  # between the look and the insert somebody else took the external id
        raise errors.duplicate("external_customer_id belongs to another customer.") from error
    payer.link(customer)
    recounting.attribute(customer)
    return shape(customer), 201


@routes.get("/customers")
def listed() -> dict[str, Any]:
    given = query(paging.Dated)
    at = Customer.created_at
    own = given.narrowed(_all(), at)
    return paging.page(own, (at, Customer.id), given, shape_all)


@routes.get("/customers/<id>")
def fetch(id: str) -> dict[str, Any]:
    gone: Any = Customer.deleted_at.is_null(False)
    if Customer.select().where(Customer.id == id, Customer.account == current.account(), gone).exists():
        return {"id": id, "deleted": True}
    return shape(by_id(id))


@routes.delete("/customers/<id>")
def delete(id: str) -> tuple[dict[str, Any], int]:
    """Forgets a customer who was never issued an invoice; her links end at once."""
    body(Schema)
    erasing.erase(by_id(id), current.now(), current.actor())
    return {}, 204


@routes.get("/customers/external_customer_id/<external:external_id>")
def fetch_by_external_id(external_id: str) -> dict[str, Any]:
    return shape(by_external_id(external_id))


@routes.put("/customers/<id>")
def update(id: str) -> dict[str, Any]:
    return _updated(by_id(id))


@routes.put("/customers/external_customer_id/<external:external_id>")
def update_by_external_id(external_id: str) -> dict[str, Any]:
    return _updated(by_external_id(external_id))


def _all() -> Any:
    return Customer.select().where(Customer.account == current.account(), Customer.deleted_at.is_null())


def by_id(id: str) -> Customer:
    """The account's own customer. Raises Problem."""
    return _own(Customer.of(current.account(), id=id))


def by_external_id(external_id: str) -> Customer:
    """The account's own customer. Raises Problem."""
    return _own(Customer.of(current.account(), external_id=external_id))


def _own(customer: Customer | None) -> Customer:
    if customer is None:
        raise errors.not_found("Customer")
    return customer


def _updated(found: Customer) -> dict[str, Any]:
    given = body(CustomerChanges)
    if given.external_customer_id is not None:
        ingestion.claim(found.account_id)  # before the row: who adds events holds the account page
    customer = found.held()
    _refuse_changes(customer, given)
    provider, columns = customer.payment_provider, payer.collected(_columns(given, customer.metadata), customer)
    chosen = columns.pop("default_payment_method_id", None)
    try:
        customer.change(columns, current.now(), current.actor())
    except IntegrityError as error:
        raise errors.duplicate("external_customer_id belongs to another customer.") from error
    payer.link(customer, provider)
    if "default_payment_method_id" in given.model_fields_set:
        payer.choose(customer, chosen)
    if given.external_customer_id is not None:
        recounting.attribute(customer)
    return shape(customer)


def _refuse_changes(customer: Customer, given: CustomerFields) -> None:
    """What stands once it is set: other things hang on it."""
    if given.timezone not in (None, customer.timezone):
        raise errors.constraint("timezone cannot be changed after a customer is created: her days are cut by it.")
    sets_id = "external_customer_id" in given.model_fields_set
    if sets_id and customer.external_id not in (None, given.external_customer_id):
        raise errors.constraint("external_customer_id cannot be changed once it is set.")
    if "currency" in given.model_fields_set and given.currency != customer.currency and customer.balance:
        raise errors.constraint("currency cannot be changed while the customer has a balance in the old one.")


NEVER_NULL = ("name", "email", "timezone", "auto_collection", "email_delivery", "permanent_portal_link")


def _columns(given: CustomerFields, metadata: dict[str, str]) -> dict[str, Any]:
    """The row's columns for what was given. Null empties a field that may be empty and leaves any other alone."""
    fields = given.model_dump(include=given.model_fields_set)
    columns = {name: value for name, value in fields.items() if value is not None or name not in NEVER_NULL}
    if "external_customer_id" in columns:
        columns["external_id"] = _free_of_our_words(columns.pop("external_customer_id"))
    if "metadata" in columns:
        columns["metadata"] = merged(metadata, given.metadata)
    if "additional_emails" in columns:
        columns["additional_emails"] = given.additional_emails or []
    return columns


def _free_of_our_words(external_id: str | None) -> str | None:
    words = set((external_id or "").split("/")[1:]) & set(RESERVED)
    if words:
        raise errors.invalid(f"external_customer_id must not hold /{min(words)}: that is a path of this API.")
    return external_id
