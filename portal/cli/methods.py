"""`portal invoice methods` and `portal customer methods`: narrows by hand what may be paid by."""

from __future__ import annotations

import click

from portal.cli.desk import ACTOR, House, Refused, account_option, said, with_database
from portal.cli.links import named_customer
from portal.domain.methods import METHODS, Said
from portal.models import offering
from portal.models.account import Account
from portal.models.base import db
from portal.models.customer import Customer
from portal.models.invoice import Invoice

METHOD = click.argument("methods", metavar="[METHOD]...", nargs=-1)
ALL = click.option("--all", "everything", is_flag=True, help="Narrow nothing any more.")


@click.group()
def invoice() -> None:
    """Invoices."""


@invoice.command("methods")
@click.argument("invoice")
@METHOD
@ALL
@with_database
def invoice_methods(house: House, invoice: str, methods: tuple[str, ...], everything: bool) -> None:
    """Lets INVOICE be paid by METHOD only, and prints what is left of the customer's, one a line.

    INVOICE is an id or a number; METHOD is card, us_bank_account, sepa_debit or bank_transfer. Without any it only
    prints.
    """
    found = Invoice.get_or_none((Invoice.id == invoice) | (Invoice.number == invoice))
    if found is None:
        raise Refused(f"There is no invoice {invoice}.")
    changes = _changes(methods, everything)
    with db.atomic():
        held = found.held()
        if changes:
            held.change(changes, house.now, ACTOR)
    _tell(f"Invoice {held.number or held.id}", held.payment_methods)
    _print(offering.said(Account.get_by_id(held.account_id), Customer.get_by_id(held.customer_id), [held]))


@click.group()
def customer() -> None:
    """Customers. CUSTOMER is an id of ours or yours (the external one)."""


@customer.command("methods")
@click.argument("customer")
@METHOD
@ALL
@account_option
@with_database
def customer_methods(
    house: House, customer: str, methods: tuple[str, ...], everything: bool, account_id: str | None
) -> None:
    """Lets CUSTOMER pay by METHOD only, and prints what is left of the account's, one a line.

    METHOD is card, us_bank_account, sepa_debit or bank_transfer. Without any it only prints.
    """
    found = named_customer(customer, account_id)
    changes = _changes(methods, everything)
    with db.atomic():
        held = found.held()
        if changes:
            held.change(changes, house.now, ACTOR)
    _tell(held.name, held.payment_methods)
    _print(offering.said(Account.get_by_id(held.account_id), held, []))


def _changes(methods: tuple[str, ...], everything: bool) -> dict[str, list[str] | None]:
    if everything and methods:
        raise Refused("Name methods or --all, not both.")
    if set(methods) - set(METHODS) or len(set(methods)) < len(methods):
        raise Refused(f"METHOD must be some of {', '.join(METHODS)}, each once.")
    return {"payment_methods": list(methods) or None} if methods or everything else {}


def _tell(who: str, narrowed: list[str] | None) -> None:
    said(f"{who}: narrowed to {', '.join(narrowed)}." if narrowed else f"{who}: not narrowed.")


def _print(told: Said) -> None:
    """What is left of what the account allows."""
    for method in told.allowed:
        click.echo(method)
    if not told.allowed:
        said("No method is left that the account allows.")
