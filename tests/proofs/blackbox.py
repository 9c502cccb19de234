"""What every thread of a process is at with money, in a file that outlives it: what a kill has met is read there.

The file is mapped into memory, so what was written last is in it even where nothing could be said any more.
"""

from __future__ import annotations

import functools
import mmap
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = "PROOF_BLACK_BOXES"  # in the environment: where the files are, each named after a process
THREADS, WIDTH = 16, 160
APART = " > "
ASKS = "a question at the gateway without an answer"
WRITES = "a transaction that had begun"
BETWEEN = "an open attempt between the two"
NOTHING = "nothing"


def met(folder: Path, pid: int) -> tuple[str, str]:
    """What the process holds, or held when it died: one of the four above, and what it was part of."""
    found = [slot.split(APART) for slot in _slots(folder, pid)]
    for kind, holds in ((ASKS, _asks), (WRITES, _writes), (BETWEEN, _is_deed)):
        for slot in found:
            if any(map(holds, slot)):
                return kind, slot[0].strip("()")
    return NOTHING, ""


def _asks(part: str) -> bool:
    return part.startswith("asking ")


def _writes(part: str) -> bool:
    return part == "transaction"


def _is_deed(part: str) -> bool:
    return not part.startswith("(")  # which is where somebody looks for something to do


def _slots(folder: Path, pid: int) -> list[str]:
    try:
        text = (folder / str(pid)).read_bytes().decode("ascii", "replace")
    except FileNotFoundError:
        return []
    slots = [text[at : at + WIDTH].strip() for at in range(0, len(text), WIDTH)]
    return [slot for slot in slots if slot]


class Box:
    """The file of this process; after a fork it is another one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._pid, self._threads = 0, 0
        self._memory: Any = None

    @contextmanager
    def at(self, what: str) -> Iterator[None]:
        """This thread is at `what`, as part of what it was at before."""
        stack = self._stack()
        stack.append(what)
        self._write(stack)
        try:
            yield
        finally:
            stack.pop()
            self._write(stack)

    def is_at_something(self) -> bool:
        return bool(self._stack())

    def _stack(self) -> list[str]:
        if getattr(self._mine, "pid", 0) != os.getpid():
            self._mine.pid, self._mine.stack, self._mine.slot = os.getpid(), [], self._slot()
        stack: list[str] = self._mine.stack
        return stack

    def _slot(self) -> int:
        with self._lock:
            if self._pid != os.getpid():
                self._pid, self._threads = os.getpid(), 0
                with (self._folder / str(self._pid)).open("w+b") as file:
                    file.write(b" " * WIDTH * THREADS)
                    file.flush()
                    self._memory = mmap.mmap(file.fileno(), WIDTH * THREADS)
            self._threads += 1
            return (self._threads - 1) % THREADS

    def _write(self, stack: list[str]) -> None:
        at = self._mine.slot * WIDTH
        self._memory[at : at + WIDTH] = APART.join(stack)[:WIDTH].ljust(WIDTH).encode("ascii", "replace")


def install() -> None:
    """Everything that moves money says so in the box, from now on."""
    from peewee import _transaction

    from portal.cashier import catching_up, collecting, hearing, returning, taking
    from portal.gateways.sandbox import Sandbox

    box = Box(Path(os.environ[FOLDER]))
    for owner, name, said in (
        (taking, "pay", "paying"), (taking, "ask", "taking"), (taking, "give_up", "giving up"),
        (returning, "ask", "refunding"), (hearing, "told", "hearing"), (collecting, "_begin", "collecting"),
        (catching_up, "_resolved", "resolving"),
    ):  # fmt: skip
        _wrap(owner, name, _deed, box, said)
    for owner, name, said in (
        (catching_up, "resolve", "(resolving)"), (catching_up, "refunds", "(refunds)"),
        (collecting, "collect", "(collecting)"), (catching_up, "read", "(reading)"),
        (catching_up, "orphans", "(orphans)"),
    ):  # fmt: skip
        _wrap(owner, name, _round, box, said)
    _wrap(Sandbox, "_ask", _question, box)
    _watch_transactions(_transaction, box)


def _wrap(owner: Any, name: str, wrapper: Callable[..., Any], box: Box, *more: str) -> None:
    setattr(owner, name, functools.wraps(getattr(owner, name))(wrapper(getattr(owner, name), box, *more)))


def _deed(made: Callable[..., Any], box: Box, said: str) -> Callable[..., Any]:
    def deed(*given: Any, **named: Any) -> Any:
        with box.at(said):
            return made(*given, **named)

    return deed


def _round(made: Callable[..., Any], box: Box, said: str) -> Callable[..., Any]:
    def found(*given: Any) -> Iterator[Any]:
        with box.at(said):
            yield from made(*given)

    return found


def _question(made: Callable[..., Any], box: Box) -> Callable[..., Any]:
    def ask(gateway: Any, verb: str, path: str, *given: Any, **named: Any) -> Any:
        with box.at(f"asking {verb} {re.sub('/[a-z]+_[^/]+', '/ID', path)}"):
            return made(gateway, verb, path, *given, **named)

    return ask


def _watch_transactions(transaction: Any, box: Box) -> None:
    """Of those that are part of a deed: from when it holds what it holds until it is over."""
    enter, leave = transaction.__enter__, transaction.__exit__

    def begin(self: Any) -> Any:
        entered = enter(self)
        if box.is_at_something():
            self.marked = box.at("transaction")
            self.marked.__enter__()
        return entered

    def end(self: Any, *error: Any) -> Any:
        try:
            return leave(self, *error)
        finally:
            if marked := getattr(self, "marked", None):
                marked.__exit__(None, None, None)

    transaction.__enter__, transaction.__exit__ = begin, end
