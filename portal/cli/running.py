"""`portal migrate`, `serve`, `worker` and `demo`: what brings the portal up and keeps it running."""

from __future__ import annotations

import errno
import json
import signal
from datetime import timedelta
from pathlib import Path
from socket import socket

import click
from flask import Flask

from portal import printing
from portal.cashier.catching_up import CatchingUp
from portal.cli.desk import Refused, now, reach, ready, ring_of, said
from portal.config import DEFAULT_PORT, read_settings
from portal.delivery import worker as delivery
from portal.gateways import open_gateway
from portal.models import base, schema
from portal.secret_store import ensure_secrets


@click.command()
def migrate() -> None:
    """Brings the database up to date. Safe to run twice, and by many at once."""
    settings = read_settings()
    ensure_secrets(settings)
    reach(settings)
    applied = schema.migrate(lambda name: said(f"Applying {name} …"))
    for name in applied:
        click.echo(name)
    said(f"{len(applied)} applied." if applied else "The database is up to date.")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at; 0.0.0.0 is all.")
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes, of 4 threads each."
)
def serve(host: str, port: int, workers: int) -> None:
    """The production server. Put a proxy that speaks https before it."""
    settings = ready()
    open_gateway(settings.gateway, settings)  # what it lacks is said now, and to no payer
    _let_go()
    listener = listening(host, port)

    from portal import serve as server

    server.serve(settings.on_port(server.port_of(listener)), listener, workers)


@click.command()
def worker() -> None:
    """Does what happens by itself, until it is stopped. May run many times."""
    settings = ready()
    gateway = open_gateway(settings.gateway, settings)
    stop = delivery.Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.ask)
    said("Working; stop with Ctrl-C.")
    grace = timedelta(hours=settings.event_grace_hours)
    room, catching_up = printing.room(settings), CatchingUp.at(gateway, settings.base_url)
    delivery.work(now, lambda: ring_of(settings).active, room, click.echo, stop, grace=grace, catching_up=catching_up)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="An empty directory to keep everything in; else it is gone at the end.",
)
def demo(port: int, data: Path | None) -> None:
    """A portal with a believable company in it: prints links, and serves them until Ctrl-C."""
    listener = listening("127.0.0.1", port)

    from portal.demo import tree

    tree.run(listener, data)


@click.command()
def openapi() -> None:
    """Prints the API as an OpenAPI 3.1 document, as /v1/openapi.json serves it. No database is needed."""
    from portal import api
    from portal.api.reference.document import document

    app = Flask("portal")
    api.register(app)
    click.echo(json.dumps(document(app, read_settings().base_url), indent=2, ensure_ascii=False))


def _let_go() -> None:
    """Leaves no connection behind for the processes that are forked from this one."""
    if base.is_postgresql():
        base.db.close_all()


def listening(host: str, port: int) -> socket:
    """A socket that listens, or a refusal that says what to do."""
    from portal import serve as server

    try:
        return server.listen(host, port)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise Refused(
            f"Port {port} is in use: name another with --port."
            if taken
            else f"Cannot listen at {host} port {port}: {error.strerror}."
        ) from error
