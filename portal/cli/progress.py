"""How far a long deed is, on stderr: a bar where somebody watches, and now and then a line where a log is kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

EVERY_SECONDS = 5.0


@contextmanager
def told(label: str, length: int, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[int], None]]:
    """Gives a function that is told how much of `length` was done since it was last called."""
    if sys.stderr.isatty():
        with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
            yield bar.update
        return
    lines = _Lines(label, length, clock)
    click.echo(f"{label} …", err=True)
    yield lines.update
    click.echo(f"{label}: done in {clock() - lines.began:.1f} s", err=True)


class _Lines:
    def __init__(self, label: str, length: int, clock: Callable[[], float]) -> None:
        self.label, self.length, self.clock = label, max(length, 1), clock
        self.began = self.said = clock()
        self.done = 0

    def update(self, more: int) -> None:
        self.done += more
        if self.clock() - self.said >= EVERY_SECONDS:
            self.said = self.clock()
            click.echo(f"{self.label}: {100 * self.done // self.length} %", err=True)
