"""The sandbox as a process of its own, for tests: `portal sandbox`, its client, and what a test makes it do.

One process serves all tests of a test process. Payments are told apart by their ids, so make ids of your own; what was
made to go wrong is right again at the end of each test.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from portal.config import Settings
from portal.gateways import Order, Payer, open_gateway
from portal.gateways.sandbox import Sandbox as Client
from tests import programs

SECRET_KEY = "a secret that only the tests know 0123456789"
LINK_KEYS = "k1:QmVob2xkIHRoZSBvbmUgdGVzdCBrZXkgb2Yga2V5cyE=:active"
NOWHERE = "http://127.0.0.1:9/webhooks/sandbox"  # nobody listens there
FOR_EVER = "100000000"  # seconds: nothing settles but by `settle`

_numbers = itertools.count(1)


@dataclass
class Sandbox:
    """A running sandbox. `Settings(gateway="sandbox", sandbox_url=….url, secret_key=SECRET_KEY)` reaches it."""

    url: str
    gateway: Client
    data: Path
    pid: int

    def control(self, **asked: Any) -> list[dict[str, Any]]:
        """Faults and deeds of portal/sandbox/asked.py; answers what came of the deeds."""
        return self._ask("POST", "/_control", json=asked)["done"]

    def settle(self, ref: str) -> None:
        """Lets the days pass that a payment or a refund waits for; the second time, for its return."""
        self.control(settle=ref)

    def payments(self, payment_id: str | None = None) -> list[dict[str, Any]]:
        """All that were made, or those for one payment of ours: what `succeeded` was charged."""
        return self._ask("GET", "/v1/payments", params={"payment_id": payment_id})["data"]

    def events(self) -> list[dict[str, Any]]:
        """All that was ever told, oldest first."""
        found, after = [], 0
        while page := self._ask("GET", "/v1/events", params={"after": after})["data"]:
            found += page
            after = page[-1]["at"]
        return found

    def keep(self, payer_ref: str, method: str = "card", outcome: str = "4242") -> dict[str, Any]:
        """A saved method that ends as `outcome` says whenever it is charged."""
        return self._ask("POST", f"/v1/payers/{payer_ref}/methods", json={"method": method, "outcome": outcome})

    def _ask(self, verb: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.gateway._key}"}
        answer = requests.request(verb, f"{self.url}{path}", headers=headers, timeout=10, **more)
        assert answer.ok, answer.text
        return answer.json()


@contextmanager
def running(data: Path, *options: str, log: Path | None = None) -> Iterator[Sandbox]:
    """A sandbox that keeps its file in `data`. Started there again, it goes on where it was."""
    settings = Settings(data_dir=data, link_keys=LINK_KEYS, secret_key=SECRET_KEY)
    env = programs.environment(data_dir=str(data), link_keys=LINK_KEYS, secret_key=SECRET_KEY)
    command = ("sandbox", "--port", "0", "--settle-seconds", FOR_EVER, *options)
    data.mkdir(parents=True, exist_ok=True)
    with programs.running(*command, env=env, log=log or data / "sandbox.log") as process:
        assert process.stdout
        url = process.stdout.readline().strip()  # said once it listens
        assert url, "the sandbox did not start"
        client = open_gateway("sandbox", settings.model_copy(update={"sandbox_url": url}))
        assert isinstance(client, Client)
        yield Sandbox(url, client, data, process.pid)


@dataclass
class Ear:
    """Listens for webhooks, and answers each with the next of `answers`, then with 200."""

    url: str
    heard: list[tuple[dict[str, str], bytes]]
    answers: list[int]

    def wait(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        assert programs.wait_until(lambda: len(self.heard) >= count), f"heard {len(self.heard)} of {count}"
        return self.heard


@contextmanager
def listening() -> Iterator[Ear]:
    heard: list[tuple[dict[str, str], bytes]] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            heard.append((dict(self.headers), body))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield Ear(f"http://127.0.0.1:{server.server_port}/webhooks/sandbox", heard, answers)
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Somebody who listens for webhooks: `order(notify_url=ear.url)`."""
    with listening() as one:
        yield one


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as one:
        yield one


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Iterator[Sandbox]:
    """The sandbox of this test process, with nothing going wrong."""
    yield sandbox_process
    sandbox_process.control(reset=True)


def order(outcome: str = "", **more: Any) -> Order:
    """An order of its own: 10.00 USD by card, unless `more` says otherwise."""
    number = next(_numbers)
    made = Order(
        payment_id=f"pmt_{number}",
        key=f"pay_{number}",
        amount=1000,
        currency="USD",
        method="card",
        details={"sandbox_outcome": outcome} if outcome else {},
        saved_ref=None,
        saves=False,
        present=True,
        payer=Payer(f"cus_{number}", None, "Harbor Lights", "ap@harbor.example"),
        reference="INV-1",
        notify_url=NOWHERE,
    )
    return replace(made, **more)
