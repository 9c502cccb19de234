"""How fast pages come, over HTTP from one worker, beside a bare Flask route on the same server: ratios of one run."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from portal import printing
from portal.config import Settings
from portal.models import base, schema
from portal.models.account import Account, ApiKey
from portal.models.customer import BalanceTransaction
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.tokens import Key, Keyring, new_secret
from tests import programs, servers
from tests.given import Given

ROUNDS = 7
SECONDS = 0.8  # of a page, a round
CONNECTIONS = 4  # that ask one thing after the other
LINES = 60
BARE = "a bare Flask route of 20 KB"
# name: (goal beside the bare route, what it is)
GOALS = {
    "the invoice page, published": 0.6,
    "the invoice page, rendered": None,
    "the days of a line": None,
    "the portal home, published": 0.25,
    "the portal home, rendered": None,
    "GET /v1/invoices/{id}": 0.3,
    "GET /v1/invoices/{id}, not kept": None,
}


def main() -> None:
    print(f"Pages over HTTP, one worker: medians of {ROUNDS} rounds of {SECONDS} s, {CONNECTIONS} connections\n")
    for kind in ("sqlite", "postgres"):
        with TemporaryDirectory() as folder, ExitStack() as stack:
            world = World.made(kind, Path(folder))
            asked = stack.enter_context(world.served())
            print(f"{kind:<36}{'requests/s':>12}{'of bare':>10}{'goal':>8}{'bytes':>10}")
            report(measured(asked), asked)
            print()


@dataclass(frozen=True)
class Asked:
    """One request, again and again."""

    port: int
    path: str
    headers: str = "Accept-Encoding: gzip\r\n"

    @property
    def request(self) -> bytes:
        return f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{self.headers}\r\n".encode()


@dataclass
class World:
    env: dict[str, str]
    paths: dict[str, tuple[str, str]]  # of each page, and its headers
    folder: Path

    @classmethod
    def made(cls, kind: str, folder: Path) -> World:
        """A customer of two years: 25 invoices, three metrics on a plan, 120 days of usage, some credit."""
        ring = Keyring([Key("k1", new_secret())])
        named: dict[str, Any] = {
            "data_dir": str(folder),
            "database_url": servers.new_database(kind),
            "link_keys": ring.dump(),
            "secret_key": b64encode(new_secret()).decode(),
            "log_level": "info",
            "api_rate": "0",
        }
        settings = Settings(**named)
        base.connect(settings.database_url)
        schema.migrate()
        now = datetime.now(UTC)
        with base.connection():
            given = Given(lambda: now, "k1", ring)
            account = Account.open("Acme", now, mode="live", by="bench", support_email="help@acme.example")
            key = ApiKey.mint(account, now, by="bench")[1]
            customer = given.customer(account)
            metrics = [given.metric(account, f"Metric {n}") for n in range(3)]
            prices = [given.price(metric) for metric in metrics]
            given.subscription(customer, *prices)
            days = [now.date() - timedelta(days=n) for n in range(120)]
            for metric in metrics:
                given.usage(customer, metric, {day: str(day.day * 17) for day in days})
            for _ in range(24):
                given.invoice(customer, due=now.date() + timedelta(days=20))
            with base.db.atomic():
                BalanceTransaction.move(customer.held(), 2500, "manual_adjustment", now)
            wide = tuple((f"Service number {n}", str(n + 1), "1.25") for n in range(LINES))
            invoice = given.invoice(customer, wide, due=now.date() + timedelta(days=20))
            measured = given.usage_invoice(customer, prices[0], dict.fromkeys(days[:30], "17"))
            room = printing.room(settings)
            assert room("invoice", invoice.id, now)
            assert room("customer", customer.id, now)
            paths = cls._paths(given, account, invoice, measured, key)
        base.db.close()
        return cls(programs.environment(**named), paths, folder)

    @staticmethod
    def _paths(
        given: Given, account: Account, invoice: Invoice, measured: Invoice, key: str
    ) -> dict[str, tuple[str, str]]:
        gzip, plain = "Accept-Encoding: gzip\r\n", ""
        page, lines, home = (
            given.url(link)
            for link in (
                Link.of_invoice(invoice.id),
                Link.of_invoice(measured.id),
                Link.of_customer(invoice.customer_id),
            )
            if link
        )
        bearer = f"Authorization: Bearer {key}\r\n{gzip}"
        line = measured.document["lines"][0]["id"]
        return {
            "the invoice page, published": (page, gzip),
            "the invoice page, rendered": (page, plain),
            "the days of a line": (
                f"{lines}lines/{line}",
                f"HX-Request: true\r\n{gzip}",
            ),
            "the portal home, published": (home, gzip),
            "the portal home, rendered": (home, plain),
            "GET /v1/invoices/{id}": (f"/v1/invoices/{invoice.id}", bearer),
            # A client that reads no gzip is answered by the app, from rows.
            "GET /v1/invoices/{id}, not kept": (f"/v1/invoices/{invoice.id}", f"Authorization: Bearer {key}\r\n"),
        }

    @contextmanager
    def served(self) -> Iterator[dict[str, Asked]]:
        """The portal and the bare route, each by one worker of its own."""
        bare, port = programs.free_port(), programs.free_port()
        log = self.folder / "log"
        with (
            programs.running("serve", "--port", str(port), "--workers", "1", env=self.env, log=log),
            subprocess.Popen([sys.executable, "-m", "benchmarks._bare", str(bare)], env=self.env) as other,
        ):
            try:
                assert programs.wait_until(lambda: programs.answers(port) and programs.answers(bare))
                yield {BARE: Asked(bare, "/", "")} | {
                    name: Asked(port, path, headers) for name, (path, headers) in self.paths.items()
                }
            finally:
                other.terminate()


def measured(asked: dict[str, Asked]) -> dict[str, list[float]]:
    """Requests a second of each, round by round, taking turns."""
    found: dict[str, list[float]] = {name: [] for name in asked}
    for one in asked.values():
        speed(one)  # until each thread has its connection
    for _ in range(ROUNDS):
        for name, one in asked.items():
            found[name].append(speed(one))
    return found


def speed(asked: Asked) -> float:
    counts = [0] * CONNECTIONS
    end = time.perf_counter() + SECONDS

    def ask(n: int) -> None:
        with socket.create_connection(("127.0.0.1", asked.port)) as connection:
            while time.perf_counter() < end:
                answer(connection, asked.request)
                counts[n] += 1

    start = time.perf_counter()
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - start)


def answer(connection: socket.socket, request: bytes) -> int:
    """Asks, and reads the answer to its end: its length."""
    connection.sendall(request)
    head, _, body = read_until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length, head
    got = len(body)
    while got < int(length[1]):
        got += len(connection.recv(1 << 20))
    return got


def read_until(connection: socket.socket, end: bytes) -> bytes:
    found = b""
    while end not in found:
        more = connection.recv(1 << 16)
        assert more, found
        found += more
    return found


def report(found: dict[str, list[float]], asked: dict[str, Asked]) -> None:
    for name, speeds in found.items():
        with socket.create_connection(("127.0.0.1", asked[name].port)) as connection:
            length = answer(connection, asked[name].request)
        share = median(one / bare for one, bare in zip(speeds, found[BARE], strict=True))
        goal = GOALS.get(name)
        verdict = "" if goal is None else ("  within" if share >= goal else "  BELOW")
        print(f"{name:<36}{median(speeds):>12.0f}{share:>10.2f}{goal or '':>8}{length:>10,}{verdict}")
