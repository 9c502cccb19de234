"""`portal sandbox`: a gateway that moves no money, beside the portal."""

from __future__ import annotations

import signal
from typing import Any

import click
from click import FloatRange, IntRange

from portal.cli.desk import said
from portal.cli.running import listening
from portal.config import SANDBOX_PORT, read_settings
from portal.secret_store import ensure_secrets

SHARE = FloatRange(0, 1)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=IntRange(0, 65535), default=SANDBOX_PORT, show_default=True)
@click.option("--settle-seconds", type=FloatRange(0, 10**8), default=10, show_default=True, help="A bank debit takes.")
@click.option("--timeout-rate", type=SHARE, default=0, help="Share of calls that do their work and do not answer.")
@click.option("--unavailable-rate", type=SHARE, default=0, help="Share of calls that do nothing and answer 503.")
@click.option("--refuse-rate", type=SHARE, default=0, help="Share of payments and refunds that are refused.")
@click.option("--duplicate-rate", type=SHARE, default=0, help="Share of events that are delivered twice.")
@click.option("--reorder-seconds", type=FloatRange(0, 10**8), default=0, help="How late events may be.")
@click.option("--hold", is_flag=True, help="Deliver no events.")
def sandbox(host: str, port: int, **faults: Any) -> None:
    """The gateway of PORTAL_GATEWAY=sandbox: plays the bank, and moves no money."""
    from portal.delivery.worker import Stop
    from portal.sandbox.asked import Faults
    from portal.sandbox.server import address, serve

    settings = read_settings()
    ensure_secrets(settings)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    listener = listening(host, port)
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.ask)
    click.echo(address(settings, listener))
    said("No money moves here; stop with Ctrl-C.")
    serve(settings, listener, Faults(**faults), stop.asked)
