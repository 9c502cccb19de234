"""A portal that runs, as an integrator knows it: over HTTP, with an API key, and no way around it."""

from __future__ import annotations

import itertools
import json
import secrets
import sqlite3
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import programs, sandbox, servers
from tests.sandbox import Sandbox

LINES = (("Onboarding", 2, "15.25"), ("Extra", 1, "9.50"))  # name, quantity, unit price
WORKERS = "2"  # so that what one process is told, another has to know
# Makes a journey on both databases. Of several test processes (`--dist loadgroup`) one alone starts PostgreSQL.
ON_BOTH = pytest.mark.parametrize(
    "database_kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.xdist_group("postgres"))]
)


@dataclass
class World:
    """One company's portal. `seeded` is what e2e/seed.py printed, `bank` the gateway of all companies in test mode."""

    origin: str
    seeded: dict[str, Any]
    bank: Sandbox | None = None
    folder: Path | None = None
    company: str = "Acme"
    numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        key = self.seeded["keys"][self.company]
        self.api = httpx.Client(base_url=f"{self.origin}/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def of(self, company: str) -> World:
        """The same portal, as another of its companies."""
        return World(self.origin, self.seeded, self.bank, self.folder, company)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers; fails for everything but success."""
        answer = self.api.request(method, path, json=body) if body is not None else self.api.request(method, path)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def url(self, path: str) -> str:
        return self.origin + path

    # What journeys start from.

    @cached_property
    def item(self) -> Any:
        return self.call("POST", "/items", {"name": "Services"})

    def customer(self, **fields: Any) -> Any:
        n = next(self.numbers)
        return self.call("POST", "/customers", {"name": f"Customer {n}", "email": f"ap{n}@customer.example", **fields})

    def invoice(self, customer: Any, **fields: Any) -> Any:
        """An issued invoice of two lines that comes to USD 40.00, unless told otherwise."""
        return self.call("POST", "/invoices", self.draft(customer, **{"will_auto_issue": True, **fields}))

    def draft(
        self, customer: Any, lines: Any = (("Onboarding", 2, "15.25"), ("Extra", 1, "9.50")), **fields: Any
    ) -> Any:
        """The body of a call that makes one."""
        today = today_there()
        days = {"start_date": str(today), "end_date": str(today + timedelta(days=1))}
        named = {"customer_id": customer["id"], "currency": "USD", "invoice_date": str(today), "net_terms": 30}
        wanted = [
            {"name": name, "item_id": self.item["id"], "model_type": "unit", "quantity": quantity, **days,
             "unit_config": {"unit_amount": amount}}
            for name, quantity, amount in lines
        ]  # fmt: skip
        return {**named, "line_items": wanted, **fields}

    @cached_property
    def loyal(self) -> tuple[Any, list[Any]]:
        """A customer of two years and her 25 invoices, the newest first. Journeys only look at them."""
        customer = self.customer(name="Loyal & Daughters")
        days = [today_there() - timedelta(days=30 * n) for n in range(25)]
        lines = [("Services", 1, "10.00")]
        return customer, [self.invoice(customer, lines=lines, invoice_date=str(day)) for day in days]

    # The links of what was made.

    def invoice_url(self, invoice: Any) -> str:
        return self.call("GET", f"/invoices/{invoice['id']}")["hosted_invoice_url"]

    def customer_url(self, customer: Any) -> str:
        return self.call("GET", f"/customers/{customer['id']}")["portal_url"]

    def refreshed(self, invoice: Any) -> str:
        return self.call("POST", f"/invoices/{invoice['id']}/portal_link")["link"]["url"]

    def revoke(self, invoice: Any) -> None:
        self.call("DELETE", f"/invoices/{invoice['id']}/portal_link", {"reason": "sent to the wrong person"})

    def session(self, customer: Any, **terms: Any) -> Any:
        return self.call("POST", f"/customers/{customer['id']}/portal_sessions", terms)

    def expire(self, session: Any) -> None:
        """Its time is over: what no caller can bring about. In the embedded database only."""
        assert self.folder
        a_minute_ago = (datetime.now(UTC) - timedelta(minutes=1)).timestamp()
        with closing(sqlite3.connect(self.folder / "portal.db", timeout=10)) as database, database:
            database.execute("UPDATE link SET expires_at = ? WHERE id = ?", (int(a_minute_ago * 10**6), session["id"]))

    def end(self, session: Any) -> None:
        self.call("DELETE", f"/customers/{session['customer_id']}/portal_sessions/{session['id']}")

    # What became of paying.

    def payments(self, invoice: Any) -> Any:
        """All attempts to pay it, the newest first."""
        return self.call("GET", f"/payments?invoice_id={invoice['id']}")["data"]

    def settle(self, invoice: Any) -> None:
        """The days pass that the bank takes for its newest payment; a second time: until it is returned."""
        assert self.bank
        before = self.payments(invoice)[0]
        self.bank.settle(before["gateway_id"])
        assert programs.wait_until(lambda: self.payments(invoice)[0] != before), "the portal has not heard of it"

    # What was seeded: usage and links of long ago.

    @property
    def measured(self) -> Any:
        """The customer whose usage is known day by day."""
        return {"id": self.seeded["measured"]["customer"]}

    @property
    def grouped(self) -> Any:
        """The customer whose usage is kept apart by region."""
        return {"id": self.seeded["grouped"]["customer"]}

    @property
    def measured_invoice(self) -> Any:
        return {"id": self.seeded["measured"]["invoice"]}


def today_there() -> date:
    """The day it is where customers live who have said nothing else."""
    return datetime.now(UTC).date()


@contextmanager
def running(kind: str, folder: Path, *, bare: bool = False, **more: str) -> Iterator[World]:
    """A portal on a database of its own, served by `portal serve` until the block ends: seeded, or with Acme only.

    `more`: its settings. Unless they name a gateway, a sandbox runs beside it, where days pass when a journey says so
    (`World.settle`).
    """
    with ExitStack() as stack:
        bank = None if "gateway" in more else stack.enter_context(sandbox.running(folder / "bank"))
        if bank:
            more |= {"gateway": "sandbox", "sandbox_url": bank.url, "secret_key": sandbox.SECRET_KEY}
        env = _environment(kind, folder, **more)
        seeded = _founded(env) if bare else _seeded(env)
        port = programs.free_port()
        log = folder / "server.log"
        stack.enter_context(programs.running("serve", "--port", str(port), "--workers", WORKERS, env=env, log=log))
        assert programs.wait_until(lambda: programs.answers(port)), log.read_text()
        world = World(f"http://127.0.0.1:{port}", seeded, bank, folder)
        yield world
        world.api.close()


def _environment(kind: str, folder: Path, **more: str) -> dict[str, str]:
    settings = {"data_dir": str(folder), "api_rate": "0", "log_level": "warning"}
    if kind == "postgres":
        # Secrets are made by themselves for the embedded database only.
        settings |= {
            "database_url": servers.new_database(kind),
            "link_keys": f"k1:{b64encode(secrets.token_bytes(32)).decode()}:active",
            "secret_key": secrets.token_urlsafe(32),
        }
    return programs.environment(**settings | more)


def _founded(env: Mapping[str, str]) -> Any:
    """Acme, without a past, made by commands as anybody would."""
    programs.run("migrate", env=env)
    account = programs.run("account", "create", "Acme", env=env)
    key = programs.run("api-key", "create", "--account", account.stdout.strip(), env=env)
    assert key.returncode == 0, account.stderr + key.stderr
    return {"keys": {"Acme": key.stdout.strip()}}


def _seeded(env: Mapping[str, str]) -> Any:
    made = subprocess.run([sys.executable, "-m", "e2e.seed"], env=dict(env), capture_output=True, text=True, cwd="/")
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout.splitlines()[-1])
