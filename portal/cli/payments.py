"""`portal payment list / show / refund / cancel / reconcile`: payments by hand, and both books compared."""

from __future__ import annotations

from datetime import timedelta

import click

from portal.cashier import catching_up, reconciling, returning, taking
from portal.cashier.catching_up import CatchingUp
from portal.cli.desk import ACTOR, House, Refused, account_option, said, with_database
from portal.cli.links import named_customer
from portal.domain import money
from portal.domain.settlement import STAGES
from portal.gateways import Gateway, Unreachable, open_gateway
from portal.gateways import Refused as GatewayRefused
from portal.models.account import Account
from portal.models.dispute import Dispute
from portal.models.invoice import Invoice
from portal.models.payment import BY_HAND, Allocation, Payment
from portal.models.refund import Refund


@click.group()
def payment() -> None:
    """Payments."""


@payment.command("list")
@click.option("--customer", help="Only hers: an id of ours or yours (the external one).")
@click.option("--stage", type=click.Choice(STAGES), help="Only those at this stage.")
@click.option("--most", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many at most.")
@account_option
@with_database
def list_payments(house: House, customer: str | None, stage: str | None, most: int, account_id: str | None) -> None:
    """Prints the ids of payments, the newest first."""
    found = Payment.select().order_by(Payment.created_at.desc(), Payment.id.desc()).limit(most)
    if account_id is not None:
        if Account.get_or_none(Account.id == account_id) is None:
            raise Refused(f"There is no account {account_id}.")
        found = found.where(Payment.account == account_id)
    if customer is not None:
        found = found.where(Payment.customer == named_customer(customer, account_id))
    if stage is not None:
        found = found.where(Payment.stage == stage)
    for one in found:
        said(_story(one))
        click.echo(one.id)


@payment.command()
@click.argument("id")
@with_database
def show(house: House, id: str) -> None:
    """Prints the stage of payment ID, and says what it is for and what came of it."""
    found = _found(id)
    said(_story(found))
    for share in Allocation.select(Allocation, Invoice).join(Invoice).where(Allocation.payment == id):
        went_back = ", went back" if share.returned else ""
        said(f"for invoice {share.invoice.number or share.invoice_id}: {_sum(share.amount, found)}{went_back}")
    for refund in Refund.select().where(Refund.payment == id).order_by(Refund.created_at):
        said(f"refund {refund.id}: {_sum(refund.amount, found)}, {refund.stage}")
    for dispute in Dispute.select().where(Dispute.payment == id).order_by(Dispute.created_at):
        kind = "return" if dispute.is_return else "dispute"
        said(f"{kind} {dispute.gateway_ref}: {_sum(dispute.amount, found)}, {dispute.stage} ({dispute.reason})")
    click.echo(found.stage)


@payment.command()
@click.argument("id")
@click.option("--amount", help="How much, in major units such as 12.50; without it, all that is left.")
@click.option("--reason", help="Why; it is kept with the refund, and no customer sees it.")
@with_database
def refund(house: House, id: str, amount: str | None, reason: str | None) -> None:
    """Gives back payment ID, or a part of it, through the gateway that took it, and prints the refund's id.

    Its invoices stay paid.
    """
    found = _found(id)
    if found.gateway == BY_HAND:
        raise Refused("This payment was recorded by hand: give the money back the way it came.")
    try:
        minor = None if amount is None else money.parse(amount, found.currency)
    except money.NotRepresentable as error:
        raise Refused(str(error)) from error
    made = returning.refund(_gateway(house, found), id, minor, house.now, ACTOR, reason)
    said(f"refund of {_sum(made.amount, found)}: {made.stage}")
    click.echo(made.id)


@payment.command()
@click.argument("id")
@with_database
def cancel(house: House, id: str) -> None:
    """Gives up payment ID, which waits for its payer, and prints its stage then."""
    found = _found(id)
    try:
        ended = taking.give_up(_gateway(house, found), found, house.now, ACTOR)
    except Unreachable as error:
        raise Refused(f"The gateway does not answer ({error}): try again later.") from error
    except GatewayRefused as error:
        raise Refused(f"The gateway refused: {error}") from error
    said(_story(ended))
    click.echo(ended.stage)


@payment.command()
@click.option(
    "--days",
    type=click.IntRange(1, 30),
    default=30,
    show_default=True,
    help="Compare payments that began in so many days; gateways tell of 30.",
)
@with_database
def reconcile(house: House, days: int) -> None:
    """Hears what was missed, and prints for each currency what is left of payments: here, there, the difference.

    Ends with 1 where the two differ. The worker does the same every 15 minutes, without the comparison.
    """
    gateway = open_gateway(house.settings.gateway, house.settings)
    caught = CatchingUp.at(gateway, house.settings.base_url)
    if gateway is None or caught is None:
        raise Refused("There is no gateway to ask: set PORTAL_GATEWAY.")
    try:
        for deed in (
            *catching_up.read(gateway, house.now),
            *catching_up.orphans(gateway, house.now),
            *catching_up.resolve(gateway, caught.notify_url, house.now),
            *catching_up.refunds(gateway, house.now),
        ):
            said(deed)
        report = reconciling.report(gateway, house.now - timedelta(days=days))
    except Unreachable as error:
        raise Refused(f"The gateway does not answer ({error}): try again later.") from error
    for sums in report.sums:
        ours, theirs = money.wire(sums.ours, sums.currency), money.wire(sums.theirs, sums.currency)
        difference = money.wire(sums.difference, sums.currency)
        click.echo(f"{sums.currency} here {ours} there {theirs} difference {difference}")
    if not report.sums:
        said(f"No payments through {gateway.name} in {days} days.")
    for id in report.differing:
        said(f"Payment {id} differs.")
    if report.differing:
        raise SystemExit(1)


def _found(id: str) -> Payment:
    found: Payment | None = Payment.get_or_none(Payment.id == id)
    if found is None:
        raise Refused(f"There is no payment {id}.")
    return found


def _gateway(house: House, found: Payment) -> Gateway:
    """The one that took the payment. Raises Refused where it is not set up."""
    gateway = open_gateway(house.settings.gateway, house.settings)
    if gateway is None or gateway.name != found.gateway:
        raise Refused(f"The gateway of this payment is not set up here: set PORTAL_GATEWAY={found.gateway}.")
    return gateway


def _sum(minor: int, found: Payment) -> str:
    return f"{found.currency} {money.wire(minor, found.currency)}"


def _story(found: Payment) -> str:
    """How much, by what, by whom, and how far it has come."""
    parts = [
        f"{_sum(found.amount, found)} by {found.label}",
        f"begun {found.created_at:%Y-%m-%d %H:%M} UTC by {found.created_by}",
        f"{found.stage} ({found.failure})" if found.failure else found.stage,
    ]
    return ", ".join(parts)
