"""Processes of their own, each with its own connection, that all do something at the same moment."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from portal.models import base

LEAD_SECONDS = 0.05  # for the last of them to hear what is to be done
PATIENCE_SECONDS = 60
# Forked from a process that has opened nothing yet: quick to start, and no connection is shared.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "portal.app", "tests.crowd"])


@dataclass(frozen=True)
class Refusal:
    """What a deed raised."""

    name: str
    text: str


class Crowd:
    def __init__(self, members: list[Connection]) -> None:
        self._members = members

    def all(self, deed: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Does `deed` once with each of the arguments, all at once: what each returned, or its Refusal."""
        members = self._members[: len(arguments)]
        assert len(members) == len(arguments), "more deeds than processes"
        moment = time.time() + LEAD_SECONDS
        for member, values in zip(members, arguments, strict=True):
            member.send((deed, values, moment))
        return [_heard(member) for member in members]


@contextmanager
def gathered(url: str | None, size: int) -> Iterator[Crowd]:
    """`size` processes, connected to the database at `url` if there is one."""
    pipes = [PROCESSES.Pipe() for _ in range(size)]
    processes = [PROCESSES.Process(target=_live, args=(url, theirs), daemon=True) for _, theirs in pipes]
    for process in processes:
        process.start()
    try:
        yield Crowd([ours for ours, _ in pipes])
    finally:
        for ours, _ in pipes:
            ours.send(None)
        for process in processes:
            process.join(PATIENCE_SECONDS)


def _heard(member: Connection) -> Any:
    assert member.poll(PATIENCE_SECONDS), "a process does not answer"
    return member.recv()


def _live(url: str | None, orders: Connection) -> None:
    if url:
        base.connect(url)
        base.db.connect()
    while (order := orders.recv()) is not None:
        deed, values, moment = order
        time.sleep(max(0.0, moment - time.time()))
        try:
            orders.send(deed(*values))
        except Exception as refused:  # noqa: BLE001 - whatever it is, the test has to see it
            orders.send(Refusal(type(refused).__name__, str(refused)))
