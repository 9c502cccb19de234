"""What the API says of an issued invoice for ever is written ahead by the worker, and kept until our code changes."""

from __future__ import annotations

from flask import Flask

from portal import assets, current, logs
from portal.api import invoice_shapes, shapes
from portal.compression import Begun
from portal.domain.money import NotRepresentable, UnknownCurrency
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.published_bill import Fetched, PublishedBill

# What an import left out of a document, or cannot be written.
UNWRITABLE = (LookupError, TypeError, ValueError, ArithmeticError, NotRepresentable, UnknownCurrency)
FROZEN = ("customer", "timezone")  # a document without them leaves to the customer of today what it does not say


def keep(app: Flask, id: str) -> bool:
    """Writes the frozen part of an invoice, unless it is there. False where there is none, or it cannot be written."""
    build = assets.build(app.extensions["portal"].settings.gateway)
    if PublishedBill.is_kept(id, build):
        return True
    row = Invoice.select(Invoice, Customer).join(Customer).where(Invoice.id == id, Invoice.status != "draft").first()
    if row is None or not all(row.document.get(name) for name in FROZEN):
        return False
    try:
        begun = shapes.begun(invoice_shapes.frozen(row))
    except UNWRITABLE as error:
        logs.log().error("unwritable", id=id, exc_info=error)
        return False
    PublishedBill.keep(id, build, begun.dump())
    return True


def fetched(id: str) -> shapes.Continued | None:
    """The account's own invoice, begun with what is kept of it. None where nothing is."""
    build = assets.build(current.settings().gateway)
    found = Fetched.of(current.account().id, id, build)
    return shapes.Continued(Begun.read(found.body), invoice_shapes.moving(found)) if found else None
