"""What every part of the sandbox reaches for: its book, its secrets, its clock, and what is to go wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from secrets import SystemRandom

from portal.sandbox.asked import Faults
from portal.sandbox.book import Book, Entry

_RANDOM = SystemRandom()


@dataclass
class Bank:
    book: Book
    base_url: str  # of the sandbox
    portal_url: str
    key: str
    webhook_secret: str
    clock: Callable[[], int]  # microseconds since 1970
    faults: Faults = field(default_factory=Faults)
    begun_with: Faults = field(default_factory=Faults)
    woken: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def entry(self) -> Iterator[Entry]:
        """One transaction; what it told may go out at once."""
        with self.book.entry(self.clock(), self.base_url) as entry:
            yield entry
        self.woken.set()

    def happens(self, rate: float) -> bool:
        return _RANDOM.random() < rate

    def up_to(self, limit: int) -> int:
        return _RANDOM.randint(0, limit)
