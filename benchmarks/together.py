"""Reading while events arrive: how fast an invoice page comes while another process takes in 10,000 events a second."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.speed import Asked, World, speed
from portal.models import base
from portal.models.account import Account
from portal.models.catalog import Metric

ROUNDS = 15
PACE = 10_000  # events a second
SETTLE = 0.2  # seconds
GOAL = 0.85
PAGES = ("the invoice page, published", "the portal home, published")
SQL = ("SELECT COUNT(*) FROM events", "SELECT SUM(bytes) FROM events", "SELECT MAX(ms) FROM events")


def main() -> None:
    print(f"Reading while {PACE:,} events a second arrive: medians of {ROUNDS} rounds, by turns with quiet ones\n")
    for kind in ("sqlite", "postgres"):
        with TemporaryDirectory() as folder, ExitStack() as stack:
            world = World.made(kind, Path(folder))
            writer = stack.enter_context(Writer.of(world))
            asked = stack.enter_context(world.served())
            for name in PAGES:
                report(kind, name, asked[name], writer)


class Writer:
    """The process that takes events in; it stands still between rounds."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.written = process, 0
        threading.Thread(target=self._count, daemon=True).start()
        while not self.written:
            time.sleep(0.05)
        self.process.send_signal(signal.SIGSTOP)

    @classmethod
    @contextmanager
    def of(cls, world: World) -> Iterator[Writer]:
        url = world.env["PORTAL_DATABASE_URL"]
        account = _metrics(url)
        command = [sys.executable, "-m", "benchmarks._writer", url, account, str(PACE)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield cls(process)
            finally:
                process.kill()

    def _count(self) -> None:
        for line in self.process.stdout or ():
            self.written += int(line)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self.process.send_signal(signal.SIGCONT)
        time.sleep(SETTLE)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGSTOP)


def _metrics(url: str) -> str:
    """Has the account's metrics count events, and names the account."""
    base.connect(url)
    with base.connection():
        account: Any = Account.select().get()
        for metric, sql in zip(Metric.select().order_by(Metric.id), SQL, strict=True):
            Metric.update(sql=sql).where(Metric.id == metric.id).execute()
    base.db.close()
    return str(account.id)


def report(kind: str, name: str, asked: Asked, writer: Writer) -> None:
    speed(asked)
    ratios, paces = [], []
    for _ in range(ROUNDS):
        quiet = speed(asked)
        before, began = writer.written, time.perf_counter()
        with writer.at_work():
            busy = speed(asked)
        paces.append((writer.written - before) / (time.perf_counter() - began))
        ratios.append(busy / quiet)
    ratio, verdict = median(ratios), "within" if median(ratios) >= GOAL else "below"
    print(f"  {kind:<10}{name:<32}{ratio:>6.2f} of quiet, goal {GOAL} {verdict}; {median(paces):,.0f} events/s arrived")
