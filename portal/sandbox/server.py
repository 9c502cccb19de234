"""The sandbox as a process: it answers, settles and posts until it is asked to stop."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from portal.config import SANDBOX_FILE, Settings
from portal.sandbox.app import create_app
from portal.sandbox.asked import Faults
from portal.sandbox.bank import Bank
from portal.sandbox.book import Book
from portal.sandbox.posting import go_round
from portal.secret_store import derived_secret

FILE = "sandbox.db"
STEP_SECONDS = 0.1
SILENCE_SECONDS = 30  # how long a client may say nothing


class Handler(WSGIRequestHandler):
    timeout = SILENCE_SECONDS

    def log(self, *_: object) -> None:
        """Nothing is written down: the address of a page may hold the token of a link."""


def address(settings: Settings, listener: socket.socket) -> str:
    """What clients and payers reach this sandbox under, once it listens."""
    if "sandbox_url" in settings.model_fields_set:
        return settings.sandbox_url
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # named, not listened at
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve(settings: Settings, listener: socket.socket, faults: Faults, stopped: Callable[[], bool]) -> None:
    """Serves until `stopped`. Everything that was promised is in the file, so it may also be killed."""
    base_url = address(settings, listener)
    bank = Bank(
        Book(settings.data_dir / FILE),
        base_url,
        settings.base_url,
        derived_secret(settings, "sandbox api"),
        derived_secret(settings, "sandbox webhooks"),
        lambda: time.time_ns() // 1000,
        faults,
        faults,
    )
    host, port = listener.getsockname()[:2]
    server = make_server(host, port, create_app(bank), True, request_handler=Handler, fd=listener.fileno())
    threading.Thread(target=server.serve_forever, args=(STEP_SECONDS,), daemon=True).start()
    _tell(settings.data_dir / SANDBOX_FILE, base_url)
    try:
        _work(bank, stopped)
    finally:
        server.shutdown()
        server.server_close()


def _work(bank: Bank, stopped: Callable[[], bool]) -> None:
    with requests.Session() as session:
        session.trust_env = False
        while not stopped():
            bank.woken.clear()
            if not go_round(bank, session, stopped):
                bank.woken.wait(STEP_SECONDS)


def _tell(path: Path, address: str) -> None:
    """Says where we are; whoever reads sees the old address or the new one."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{address}\n")
    os.replace(name, path)
