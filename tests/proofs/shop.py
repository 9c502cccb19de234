"""A shop for proofs about money: the portal, its worker and its gateway, each a process of its own, over HTTP.

PROOF_SCALE says how much of every proof is done: 1 is all of it, as `make proofs` does; anything less is a quick trial.
"""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any

from portal.config import Settings
from portal.gateways.sandbox import Sandbox as Gateway
from portal.models import base, schema
from portal.models.account import Account, ApiKey
from portal.models.invoice import Invoice
from portal.tokens import Key, Keyring, new_kid, new_secret
from tests import programs, sandbox, servers
from tests.given import Given
from tests.proofs import blackbox, mutants, wire
from tests.proofs.wire import Answer

SCALE = float(os.environ.get("PROOF_SCALE", "0.04"))
WORKERS = 4
PATIENCE_SECONDS = 60


def scaled(whole: int, least: int = 2) -> int:
    """So many of `whole` as this run is to do."""
    return max(round(whole * SCALE), min(least, whole))


@dataclass
class Shop:
    """An account in test mode, whose money the sandbox moves."""

    kind: str  # of database
    settings: Settings
    account: Account
    key: str
    bank: sandbox.Sandbox
    folder: Path
    began: float = field(default_factory=time.time)
    more: dict[str, str] = field(default_factory=dict)  # settings that the server has besides
    port: int = 0
    server: subprocess.Popen[str] | None = None
    _running: ExitStack = field(default_factory=ExitStack)
    _threads: threading.local = field(default_factory=threading.local)

    @property
    def ring(self) -> Keyring:
        assert self.settings.link_keys
        return Keyring.parse(self.settings.link_keys.get_secret_value())

    @property
    def given(self) -> Given:
        return Given(lambda: datetime.now(UTC), self.ring.active, self.ring)

    @property
    def gateway(self) -> Gateway:
        return self.bank.gateway

    @property
    def webhook_secret(self) -> bytes:
        return self.gateway._webhook_secret

    @property
    def boxes(self) -> Path:
        """Where processes that are `boxed` say what they are at."""
        return self.folder / "boxes"

    def env(self) -> dict[str, str]:
        assert self.settings.link_keys
        assert self.settings.secret_key
        settings = {
            "data_dir": str(self.settings.data_dir),
            "database_url": self.settings.database_url,
            "link_keys": self.settings.link_keys.get_secret_value(),
            "secret_key": self.settings.secret_key.get_secret_value(),
            "base_url": f"http://127.0.0.1:{self.port}",
            "gateway": "sandbox",
            "sandbox_url": self.bank.url,
            "api_rate": "0",
            "log_level": "error",
        }
        self.boxes.mkdir(exist_ok=True)
        named = {mutants.BEGAN: str(self.began), blackbox.FOLDER: str(self.boxes)}
        return programs.environment(**settings | self.more) | named

    def start(self, *changes: str, workers: int = WORKERS) -> None:
        """Starts the server, again if it runs, with the `changes` of tests.proofs.mutants in it."""
        self.stop()
        self.port = programs.free_port()
        self.server = self._running.enter_context(
            self.command("serve", "--port", str(self.port), "--workers", str(workers), changes=changes)
        )
        assert programs.wait_until(lambda: programs.answers(self.port)), self.log("serve")
        assert self.ask("GET", "/readyz").status == 200, self.log("serve")

    def stop(self) -> None:
        self._running.close()

    @contextmanager
    def beside(self, **settings: str) -> Iterator[Shop]:
        """The same shop through another server, which has these settings besides."""
        other = replace(self, more=settings, server=None, _running=ExitStack(), _threads=threading.local())
        try:
            other.start()
            yield other
        finally:
            other.stop()

    @contextmanager
    def command(self, *arguments: str, changes: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
        with mutants.running(
            *arguments, changes=changes, env=self.env(), log=self.folder / f"{arguments[0]}.log"
        ) as one:
            yield one

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    # Asking.

    def request(self, verb: str, path: str, body: bytes = b"", **headers: str) -> bytes:
        """One whole request, after which the connection is closed."""
        named = {"host": f"127.0.0.1:{self.port}", "connection": "close", "content-length": str(len(body)), **headers}
        lines = [f"{verb} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in named.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def api(self, verb: str, path: str, body: str = "", **headers: str) -> bytes:
        named = {"authorization": f"Bearer {self.key}", "content_type": "application/json", **headers}
        return self.request(verb, path, body.encode(), **named)

    def ask(self, verb: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        return self.volley([self.request(verb, path, body, **headers)])[0]

    def call(self, verb: str, path: str, body: bytes | str | None = None, **headers: str) -> Answer:
        """Asks over a connection that this thread keeps; anew where the server has closed it meanwhile."""
        kept: http.client.HTTPConnection | None = getattr(self._threads, "connection", None)
        began = time.monotonic()
        for connection in (kept, http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)):
            if connection is None or connection.port != self.port:
                continue
            try:
                connection.request(verb, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
                answer = connection.getresponse()
                text = answer.read().decode("utf-8", "replace")
            except (http.client.HTTPException, OSError):
                connection.close()
                if connection is not kept:
                    raise
                continue
            self._threads.connection = connection
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, text, time.monotonic() - began)
        raise AssertionError

    def volley(self, requests: Sequence[bytes], delays: Sequence[float] = ()) -> list[Answer]:
        """Sends all at once, or each after its delay in seconds; every connection stands before the first is sent."""
        sockets = [socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS) for _ in requests]
        heard = [bytearray() for _ in requests]
        sent, ended = [0.0] * len(requests), [0.0] * len(requests)
        waits = sorted(range(len(requests)), key=lambda n: delays[n] if delays else 0)
        with DefaultSelector() as selector, ExitStack() as stack:
            for n, one in enumerate(sockets):
                stack.enter_context(one)
                one.setblocking(True)
                selector.register(one, EVENT_READ, n)
            began = time.monotonic()
            while waits or selector.get_map():
                now = time.monotonic() - began
                assert now < PATIENCE_SECONDS, f"{len(selector.get_map())} requests are not answered"
                while waits and (delays[waits[0]] if delays else 0) <= now:
                    n = waits.pop(0)
                    sockets[n].sendall(requests[n])
                    sent[n] = time.monotonic()
                for key, _ in selector.select(max((delays[waits[0]] - now) if waits and delays else 0.2, 0)):
                    some = sockets[key.data].recv(65536)
                    heard[key.data] += some
                    if not some:
                        ended[key.data] = time.monotonic()
                        selector.unregister(key.fileobj)
                        sockets[key.data].close()  # or the server would wait for it
        return [wire.read(bytes(text), ended[n] - sent[n]) for n, text in enumerate(heard)]

    # The gateway's own book.

    def charges(self, *invoices: Invoice) -> list[dict[str, Any]]:
        """What the gateway has taken or is taking, for the numbers of these invoices or for all; from its own file."""
        moved = "stage IN ('processing', 'succeeded')"
        return self.told(f"SELECT * FROM payment WHERE {moved}", *invoices)

    def orders(self, *invoices: Invoice) -> list[dict[str, Any]]:
        """All that the gateway was ever asked to take, whatever became of it."""
        return self.told("SELECT * FROM payment WHERE 1 = 1", *invoices)

    def told(self, sql: str, *invoices: Invoice) -> list[dict[str, Any]]:
        with sqlite3.connect(f"file:{self.bank.data / 'sandbox.db'}?mode=ro", uri=True, timeout=10) as book:
            book.row_factory = sqlite3.Row
            rows = [dict(row) for row in book.execute(sql).fetchall()]
        book.close()
        numbers = {invoice.number for invoice in invoices}
        return [row for row in rows if not invoices or numbers & set(row["reference"].replace(",", " ").split())]

    def say(self, text: str) -> None:
        print(f"\n  {'SQLite' if self.kind == 'sqlite' else 'PostgreSQL'}: {text}", end="", flush=True)


@contextmanager
def opened(kind: str, folder: Path, *options: str, changes: Sequence[str] = ()) -> Iterator[Shop]:
    """A shop whose sandbox and server run, with the `changes` of tests.proofs.mutants in the server.

    The models of this process are bound to its database.
    """
    ring = Keyring([Key(new_kid(()), new_secret())]).dump()
    with sandbox.running(folder / "bank", *options) as bank:
        settings = Settings(
            data_dir=folder / "data",
            database_url=servers.new_database(kind),
            link_keys=ring,
            secret_key=sandbox.SECRET_KEY,
            gateway="sandbox",
            sandbox_url=bank.url,
        )
        settings.data_dir.mkdir()
        bound = base.db.obj
        base.connect(settings.database_url)
        schema.migrate()
        base.db.connect(reuse_if_open=True)
        now = datetime.now(UTC)
        account = Account.open("Acme", now, mode="test", by="proof", support_email="help@acme.example")
        shop = Shop(kind, settings, account, ApiKey.mint(account, now, "proof")[1], bank, folder)
        try:
            shop.start(*changes)
            yield shop
        finally:
            shop.stop()
            base.db.close()
            if bound is not None:
                base.db.initialize(bound)


def in_turn(deed: Callable[[int], Any], count: int, at_once: int = 8) -> list[Any]:
    """Does `deed` for each number below `count`, `at_once` at a time, and says what each returned."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(deed, range(count)))


def percentile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]


def seed_of(name: str) -> int:
    """What a random run begins with: PROOF_SEED, or something new, which is printed."""
    seed = int(os.environ.get("PROOF_SEED") or secrets.randbits(32))
    print(f"\n  {name}: PROOF_SEED={seed}", end="", flush=True)
    return seed
