"""What opening a link costs: each step of it in microseconds, and whole requests beside those of an empty Flask app."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask
from werkzeug.test import EnvironBuilder

from portal.app import create_app
from portal.config import Settings
from portal.models import base, schema
from portal.models.account import Account
from portal.models.link import Link
from portal.models.opening import opened
from portal.tokens import SHAPE, BadToken, Key, Keyring, new_secret, new_token_id
from portal.web import access
from tests import servers
from tests.given import Given

ROUNDS = 7
REPEATS = 2000  # of a step, a round
REQUESTS = 300  # a round
LINKS = 50_000  # rows that the one query does not want
KEYS = 3  # in the ring
GOAL = 60  # microseconds, of all steps together


def main() -> None:
    print(
        f"Opening a link: medians of {ROUNDS} rounds, {LINKS:,} links, {KEYS} keys; Python {platform.python_version()}"
    )
    costs, speeds = {}, {}
    for kind in ("sqlite", "postgres"):
        with TemporaryDirectory() as folder:
            world = World.made(kind, Path(folder))
            costs[kind], speeds[kind] = steps(world), requests(world)
            base.db.close()
    table("microseconds", costs, "{:10.1f}")
    table("requests a second, one process", speeds, "{:10.0f}")
    for kind, cost in costs.items():
        verdict = "within" if cost[TOGETHER] <= GOAL else "above"
        share = speeds[kind][PAGE] / speeds[kind][BARE]
        print(
            f"{kind}: {cost[TOGETHER]:.0f} us to open a link, {verdict} the goal of {GOAL}, {cost[FLOOR]:.0f} of them "
            f"the way to the database and back; a page comes at {share:.0%} of bare speed"
        )


TOGETHER = "all of them, one after the other"
FLOOR = "of which to ask anything (SELECT 1)"
PAGE = "the invoice page"
BARE = "a bare Flask route"


@dataclass
class World:
    app: Flask
    ring: Keyring
    token: str
    link: Link
    url: str

    @classmethod
    def made(cls, kind: str, folder: Path) -> World:
        ring = Keyring([Key("k1", new_secret()), *(Key(f"v{n}", new_secret(), "verify") for n in range(1, KEYS))])
        settings = Settings(
            data_dir=folder,
            database_url=servers.new_database(kind),
            link_keys=ring.dump(),
            secret_key="only for measuring 0123456789abcdef",
            log_level="error",
        )
        app = create_app(settings)
        schema.migrate()
        base.db.connect()
        now = datetime.now(UTC)
        given = Given(lambda: now, "k1", ring)
        account = Account.open("Acme", now, mode="live", by="bench", support_email="help@acme.example")
        invoice = given.invoice(given.customer(account))
        link = Link.of_invoice(invoice.id)
        assert link
        crowd(link)
        url = given.url(link)
        return cls(app, ring, url.split("/")[2], link, url)


def crowd(link: Link) -> None:
    """Many other links, ended ones of the same customer, as years would leave them."""
    row = {name: value for name, value in link.__data__.items() if name not in ("id", "token_id")}
    row |= {"kind": "session", "invoice": None, "ended_at": link.created_at, "ended_how": "replaced"}
    with base.db.atomic():
        for _ in range(0, LINKS, 500):
            Link.insert_many(
                [{**row, "id": base.new_id(), "token_id": new_token_id().hex()} for _ in range(500)]
            ).execute()
    base.db.execute_sql("ANALYZE")


def steps(world: World) -> dict[str, float]:
    """Microseconds of each step."""
    token, ring = world.token, world.ring
    sealed = ring.unseal("invoice", token)
    forged = token[:-1] + ("A" if token[-1] != "A" else "E")
    signer, now = ring._signers["k1", "invoice"], datetime.now(UTC)
    with world.app.test_request_context(world.url):
        world.app.preprocess_request()
        return {
            "its shape": of(lambda: SHAPE.fullmatch(token)),
            "its key": of(lambda: ring._signers.get((token[:2], "invoice"))),
            "its signature": of(lambda: signer.unsign(token)),
            "its end": of(lambda: now >= datetime.fromtimestamp(sealed.exp, UTC)),
            "the one query": of(lambda: opened(sealed.token_id)),
            FLOOR: of(lambda: base.one("SELECT 1")),
            TOGETHER: of(lambda: access.open_link(token, "invoice")),
            "a forged token, refused": of(lambda: refused(ring, forged)),
            "for comparison: the row by the ORM": of(lambda: Link.get(Link.token_id == world.link.token_id)),
        }


def refused(ring: Keyring, token: str) -> None:
    try:
        ring.unseal("invoice", token)
    except BadToken:
        return
    raise AssertionError("a forged token opens")


def requests(world: World) -> dict[str, float]:
    """Requests a second through the whole app, without a network."""
    bare = Flask("bare")
    bare.add_url_rule("/", view_func=lambda: "Hello")
    return {
        PAGE: speed(world.app, world.url, 200),
        "the same as JSON": speed(world.app, f"{world.url}invoice.json", 200),
        "a link that is not one": speed(world.app, "/i/nothing/", 404, limited=True),
        "a probe (/healthz)": speed(world.app, "/healthz", 200),
        BARE: speed(bare, "/", 200),
    }


def speed(app: Flask, path: str, status: int, *, limited: bool = False) -> float:
    """`limited`: each request comes from another address, so that none has to wait."""
    environ = EnvironBuilder(path).get_environ()

    def ask(n: int) -> str:
        told: list[str] = []
        one = {**environ, "REMOTE_ADDR": f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"} if limited else dict(environ)
        for _ in app.wsgi_app(one, lambda line, _headers, _error=None: told.append(line) or (lambda _: None)):
            pass
        return told[0]

    assert ask(0).startswith(str(status)), ask(0)
    taken = []
    for round in range(ROUNDS):
        start = time.perf_counter()
        for n in range(REQUESTS):
            ask(round * REQUESTS + n + 1)
        taken.append(time.perf_counter() - start)
    return REQUESTS / median(taken)


def of(step: Callable[[], Any]) -> float:
    """The median of the rounds, in microseconds for one."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(REPEATS):
            step()
        taken.append(time.perf_counter() - start)
    return median(taken) / REPEATS * 1e6


def table(title: str, columns: dict[str, dict[str, float]], form: str) -> None:
    print(f"\n{title:<40}" + "".join(f"{name:>12}" for name in columns))
    for row in next(iter(columns.values())):
        print(f"  {row:<38}" + "".join(f"  {form.format(column[row])}" for column in columns.values()))
    print()
