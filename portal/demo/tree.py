"""`portal demo`: fills a fresh embedded database, then server, worker and sandbox run as one tree of processes."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from portal import printing, serve
from portal.cashier.catching_up import CatchingUp
from portal.cli import progress
from portal.config import Settings, SettingsError, read_settings
from portal.delivery import worker
from portal.demo import world
from portal.gateways import open_gateway
from portal.models import base, schema
from portal.sandbox import server as sandbox
from portal.sandbox.asked import Faults
from portal.secret_store import ensure_secrets
from portal.tokens import Keyring

WORKERS = 2  # web processes
WORKER_PAUSE_SECONDS = 1.0
SETTLE_SECONDS = 8.0  # instead of the days that a bank debit takes


def run(listener: socket.socket, data: Path | None) -> None:
    """Fills `data` (None: a directory that is gone at the end), prints links, and serves them on `listener`."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    bank = serve.listen("127.0.0.1", 0)
    with _directory(data) as folder:
        settings = _settings(folder, serve.port_of(bank)).on_port(serve.port_of(listener))
        with _beside(lambda stop: _settle(settings, bank, listener, stop)):
            bank.close()  # it is the other process's now
            links = {"sandbox": settings.sandbox_url, **_filled(settings)}
            with _beside(lambda stop: _work(settings, stop)):
                serve.serve(settings, listener, WORKERS, lambda: _print(links))


def _settings(folder: Path, sandbox_port: int) -> Settings:
    """A world of its own, whatever the environment says about another."""
    return read_settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder}/portal.db",
        link_keys=None,
        secret_key=None,
        redis_url=None,
        smtp_url=None,
        gateway="sandbox",
        sandbox_url=f"http://127.0.0.1:{sandbox_port}",
        trusted_proxies=0,
        log_level=os.environ.get("PORTAL_LOG_LEVEL") or "warning",
    )


def _filled(settings: Settings) -> dict[str, str]:
    ensure_secrets(settings)
    base.connect(settings.database_url)
    schema.migrate()
    with progress.told("Making a believable company", world.OPENED) as told:
        return world.build(settings, datetime.now(UTC), told)


def _print(links: dict[str, str]) -> None:
    for name, url in links.items():
        click.echo(f"{name}: {url}")
    click.echo("Serving until Ctrl-C.", err=True)


def _work(settings: Settings, stop: worker.Stop) -> None:
    def kid() -> str:
        return Keyring.parse(ensure_secrets(settings).keyring_text).active

    def say(deed: str) -> None:
        click.echo(deed, err=True)

    room = printing.room(settings)

    def publish(kind: str, id: str, now: datetime) -> bool:
        """Nobody who ends the demo waits for the pages that are left."""
        return not stop.asked() and room(kind, id, now)

    catching_up = CatchingUp.at(open_gateway(settings.gateway, settings), settings.base_url)
    worker.work(lambda: datetime.now(UTC), kid, publish, say, stop, WORKER_PAUSE_SECONDS, catching_up=catching_up)


def _settle(settings: Settings, bank: socket.socket, portal: socket.socket, stop: worker.Stop) -> None:
    portal.close()  # once nobody serves it any more, nothing that is posted there waits for an answer
    sandbox.serve(settings, bank, Faults(settle_seconds=SETTLE_SECONDS), stop.asked)


@contextmanager
def _directory(data: Path | None) -> Iterator[Path]:
    if data is None:
        with _only_here(tempfile.TemporaryDirectory(prefix="portal-demo-")) as name:
            yield Path(name)
    elif data.is_dir() and any(data.iterdir()):
        raise SettingsError(f"{data} is not empty: the demo makes a world of its own. Name another directory.")
    else:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield data.absolute()


@contextmanager
def _only_here(folder: tempfile.TemporaryDirectory[str]) -> Iterator[str]:
    """The folder, removed by this process alone: web processes leave through here too."""
    here = os.getpid()
    try:
        yield folder.name
    finally:
        if os.getpid() == here:
            folder.cleanup()
        else:
            folder._finalizer.detach()  # type: ignore[attr-defined]  # its own warning at exit would remove it


class _Orphaned(worker.Stop):
    """Asked for by signals, and by the end of the process that began this one."""

    def __init__(self) -> None:
        super().__init__()
        self.parent = os.getppid()

    def asked(self) -> bool:
        return super().asked() or os.getppid() != self.parent


@contextmanager
def _beside(work: Callable[[worker.Stop], None]) -> Iterator[None]:
    """`work` in a process of its own, which ends with the block."""
    here = os.getpid()
    child = os.fork()
    if child == 0:
        stop = _Orphaned()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop.ask)
        try:
            work(stop)
        finally:
            os._exit(0)
    try:
        yield
    finally:
        if os.getpid() == here:  # web processes leave through here too
            _stop(child)


def _stop(child: int) -> None:
    try:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # it had ended, and the server has noticed
