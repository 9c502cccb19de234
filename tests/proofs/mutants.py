"""The portal with something changed in it, as a program: `python -m tests.proofs.mutants CHANGE,CHANGE COMMAND …`.

Some changes take a guard away, to see that the proofs miss it. Others only hurry a proof, or make something go wrong.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests import programs

HASTE = 60  # times as fast as ours goes the clock of a worker in haste
BEGAN = "PROOF_BEGAN"  # since when it does: epoch seconds, in the environment
RATE, OFTEN = 0.1, 0.4  # of what is to go wrong


@contextmanager
def running(
    *arguments: str, changes: Sequence[str], env: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[str]]:
    """`portal` with these arguments until the block ends; it may have been killed before."""
    command = [sys.executable, "-m", "tests.proofs.mutants", ",".join(changes), *arguments]
    with log.open("a") as errors:
        started = subprocess.Popen(command, env=dict(env), stdout=errors, stderr=errors, text=True, cwd=programs.HOUSE)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(programs.PATIENCE_SECONDS)


# Guards that are taken away.


def no_lock() -> None:
    """Nobody waits for anybody: PostgreSQL's rows are not held, SQLite's transactions begin deferred."""
    from portal.models import base, invoice, paying, settling

    for module in (base, invoice, paying, settling):
        if hasattr(module, "locked"):
            module.locked = lambda query: query
    from portal.models import customer

    if hasattr(customer, "locked"):
        customer.locked = lambda query: query
    made = base._sqlite
    base._sqlite = lambda path: _deferred(made(path))


def _deferred(database: Any) -> Any:
    database._lock_type = None
    return database


def no_look() -> None:
    """A payment begins without looking whether another one is on its way."""
    from portal.models.payment import Allocation

    setattr(Allocation, "live", classmethod(lambda cls, ids: []))  # noqa: B010 - an assignment would need more waivers


def new_key() -> None:
    """Every time an order is sent, it has another key."""
    from dataclasses import replace

    from portal.cashier import taking

    made: Callable[..., Any] = taking._order
    setattr(taking, "_order", lambda *given: replace(made(*given), key=f"pay_{secrets.token_hex(8)}"))  # noqa: B010 - as above


def told_first() -> None:
    """An event counts as told before anything came of it."""
    from portal.cashier import hearing
    from portal.models.gateway_event import GatewayEvent

    def told(gateway: Any, event: Any, now: datetime) -> bool:
        with hearing.db.atomic():
            row = GatewayEvent.first(gateway.name, event.id, event.type, event.at, now)
        if row is None:
            return False
        with hearing.db.atomic():
            if event.news and not hearing.apply(gateway.name, event.news, now, hearing._by(gateway.name)):
                row.keep(hearing.written(event.news), now)
        return True

    hearing.told = told


# What goes wrong, and what hurries.


def dies() -> None:
    """Now and then the process that acts on an event is gone before it is done.

    More often where nothing else would ever tell: payments are looked at again anyhow.
    """
    from portal.cashier import hearing
    from portal.gateways import PaymentNews

    acts = hearing.apply

    def apply(*given: Any) -> bool:
        rate = RATE if any(isinstance(one, PaymentNews) for one in given) else OFTEN
        if random.SystemRandom().random() < rate:  # processes that were forked alike would die alike
            os.kill(os.getpid(), 9)
        return acts(*given)

    hearing.apply = apply


def in_haste() -> None:
    """The worker's days go by within minutes."""
    from portal.cli import running
    from portal.delivery import worker

    began = float(os.environ[BEGAN])
    running.now = lambda: hastened(began)
    worker.work.__defaults__ = tuple(
        0.2 if value == worker.PAUSE_SECONDS else value for value in worker.work.__defaults__
    )


def hastened(began: float) -> datetime:
    """What time it is for a worker in haste."""
    return datetime.fromtimestamp(began + (time.time() - began) * HASTE, UTC)


def boxed() -> None:
    """What every thread is at with money can be read after its process was killed."""
    from tests.proofs import blackbox

    blackbox.install()


def born_again() -> None:
    """A program that was killed begins again at once, in a process forked from one that has read all modules.

    To be named last: what is called after it is done in each of those processes.
    """
    import portal.cli  # noqa: F401 - read here, once

    ends = {signal.SIGTERM, signal.SIGINT}
    child = 0

    def end(number: int, _: object) -> None:
        nonlocal child
        with suppress(ProcessLookupError):
            os.kill(child, number)
            os.waitpid(child, 0)
        os._exit(0)

    for number in ends:
        signal.signal(number, end)
    while True:
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        child = os.fork()
        if child == 0:
            for number in ends:
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ends)
        if child == 0:
            return
        _, status = os.waitpid(child, 0)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            sys.exit(f"It ended by itself: {status}.")


if __name__ == "__main__":
    for name in filter(None, sys.argv.pop(1).split(",")):
        globals()[name]()
    from portal.cli import main

    main()
