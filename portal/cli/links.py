"""`portal link` and `portal session`: what the API does with links, by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import click

from portal.cli.desk import ACTOR, House, Refused, account_option, said, with_database
from portal.models.account import Account
from portal.models.base import db
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.tokens import PATHS, Kind


@click.group()
def link() -> None:
    """Links of invoices and customers. ID is the id of a link, an invoice or a customer."""


@link.command()
@click.argument("id")
@with_database
def show(house: House, id: str) -> None:
    """Prints the link's URL while it opens, else its state: expired, revoked, refreshed, rotated, unavailable …"""
    found = _found(id).link
    if found is None:
        raise Refused(f"{id} has no link.")
    said(_story(found))
    click.echo(_address_or_state(house, found))


@link.command()
@click.argument("id")
@with_database
def refresh(house: House, id: str) -> None:
    """Makes a fresh link for an invoice and prints its URL; the earlier one stops at once."""
    found = _found(id)
    if found.invoice is None:
        raise Refused(
            f"{id} is not of an invoice: a customer's link does not expire, `portal link rotate` replaces it."
        )
    account, timezone = Account.get_by_id(found.invoice.account_id), found.customer.timezone
    fresh = Link.reissue(found.invoice, account, timezone, house.now, house.ring.active, ACTOR)
    said(_story(fresh))
    click.echo(_address_or_state(house, fresh))


@link.command()
@click.argument("id")
@click.option("--reason", help="Why; it is kept in the record, and no customer sees it.")
@with_database
def revoke(house: House, id: str, reason: str | None) -> None:
    """Ends a link at once and prints its state. A second time changes nothing."""
    with db.atomic():
        owners = _found(id)
        (owners.invoice or owners.customer).held()  # a refresh at the same time is over, or waits
        found = _found(id).link
        if found is None:
            raise Refused(f"{id} has no link.")
        found.revoke(house.now, ACTOR, reason)
    ended = Link.get_by_id(found.id)
    said(_story(ended))
    click.echo(ended.ended_how)


@link.command()
@click.argument("id")
@with_database
def rotate(house: House, id: str) -> None:
    """Makes another permanent link for a customer and prints its URL; the earlier one stops at once."""
    found = _found(id)
    if found.invoice is not None:
        raise Refused(f"{id} is of an invoice, whose link is replaced by `portal link refresh`.")
    made = Link.rotate(found.customer, house.now, house.ring.active, ACTOR)
    said(_story(made))
    click.echo(_address_or_state(house, made))


@click.group()
def session() -> None:
    """Portal sessions: short links to a customer's account. CUSTOMER is an id of ours or yours (the external one)."""


@session.command("create")
@click.argument("customer")
@click.option("--minutes", type=int, default=60, show_default=True, help="How long it opens: 1 to 180.")
@click.option("--keep-existing", is_flag=True, help="Let the customer's other sessions go on.")
@account_option
@with_database
def create_session(house: House, customer: str, minutes: int, keep_existing: bool, account_id: str | None) -> None:
    """Starts a session and prints its URL."""
    made = Link.start_session(
        named_customer(customer, account_id),
        house.now,
        house.ring.active,
        ACTOR,
        minutes=minutes,
        invalidate_existing=not keep_existing,
    )
    said(_story(made))
    click.echo(_address_or_state(house, made))


@session.command("end")
@click.argument("customer")
@click.option("--reason", help="Why; it is kept in the record.")
@account_option
@with_database
def end_sessions(house: House, customer: str, reason: str | None, account_id: str | None) -> None:
    """Ends all of the customer's sessions and prints how many there were."""
    click.echo(Link.end_sessions(named_customer(customer, account_id), house.now, ACTOR, reason))


@dataclass(frozen=True)
class Found:
    """What an id led to: `link` is the live one, else the newest."""

    customer: Customer
    invoice: Invoice | None
    link: Link | None


def _found(id: str) -> Found:
    if invoice := Invoice.get_or_none(Invoice.id == id):
        newest = Link.of_invoice(id) or _newest(Link.history("invoice", id))
        return Found(Customer.get_by_id(invoice.customer_id), invoice, newest)
    if customer := Customer.get_or_none(Customer.id == id, Customer.deleted_at.is_null()):
        return Found(customer, None, Link.of_customer(id) or _newest(Link.history("customer", id)))
    if link := Link.get_or_none(Link.id == id):
        invoice = Invoice.get_by_id(link.invoice_id) if link.invoice_id else None
        return Found(Customer.get_by_id(link.customer_id), invoice, link)
    raise Refused(f"There is no link, invoice or customer {id}.")


def _newest(history: list[Link]) -> Link | None:
    return history[0] if history else None


def named_customer(named: str, account_id: str | None) -> Customer:
    """By an id of ours or theirs. Raises Refused."""
    same = (Customer.id == named) | (Customer.external_id == named)
    customers = Customer.select().where(same, Customer.deleted_at.is_null())
    if account_id is not None:
        customers = customers.where(Customer.account == account_id)
    found = list(customers.limit(2))
    if not found:
        raise Refused(f"There is no customer {named}.")
    if len(found) > 1:
        raise Refused(f"Several customers are called {named}: name the account with --account ID.")
    return found[0]


def _address_or_state(house: House, link: Link) -> str:
    if link.ended_how is not None:
        return str(link.ended_how)
    if link.expired(house.now):
        return "expired"
    if not house.ring.has(link.kid):
        return "unavailable"
    kind = cast(Kind, link.kind)
    token = house.ring.seal(kind, bytes.fromhex(link.token_id), link.token_exp, link.kid)
    return f"{house.settings.base_url}/{PATHS[kind]}/{token}/"


def _story(link: Link) -> str:
    """Who made the link when, and what became of it."""
    parts = [f"{link.kind} link {link.id}", f"made {link.created_at:%Y-%m-%d %H:%M} UTC by {link.created_by}"]
    if link.expires_at:
        parts.append(f"opens until {link.expires_at:%Y-%m-%d %H:%M:%S} UTC")
    if link.ended_at:
        parts.append(f"{link.ended_how} {link.ended_at:%Y-%m-%d %H:%M} UTC by {link.ended_by}")
    if link.reason:
        parts.append(f"because: {link.reason}")
    return ", ".join(parts)
