"""`portal payment reconcile`: asks the gateway for all that was missed, and compares both books."""

from __future__ import annotations

from datetime import timedelta

import click

from portal.cashier import catching_up, reconciling
from portal.cashier.catching_up import CatchingUp
from portal.cli.desk import House, Refused, said, with_database
from portal.domain.money import wire
from portal.gateways import Unreachable, open_gateway


@click.group()
def payment() -> None:
    """Payments."""


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
        ours, theirs = wire(sums.ours, sums.currency), wire(sums.theirs, sums.currency)
        difference = wire(sums.difference, sums.currency)
        click.echo(f"{sums.currency} here {ours} there {theirs} difference {difference}")
    if not report.sums:
        said(f"No payments through {gateway.name} in {days} days.")
    for id in report.differing:
        said(f"Payment {id} differs.")
    if report.differing:
        raise SystemExit(1)
