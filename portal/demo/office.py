"""The office that keeps the demo's books: it works through the API, and has a clock that it may set."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from portal.api import shapes
from portal.app import create_app
from portal.config import Settings
from portal.secret_store import ensure_secrets
from portal.tokens import Keyring

Then = Callable[[dict[str, Any]], object]  # what becomes of an invoice, as the API told of it when it was issued


class Muddle(Exception):
    """The API refused what the demo asked of it: the demo is wrong."""


class Office:
    """Deeds are put on the calendar, and done in their order, each at its own moment."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self.now = self.moment = now
        self.key = ""
        self.kid = Keyring.parse(ensure_secrets(settings).keyring_text).active
        self._client = create_app(settings, lambda: self.moment).test_client()
        self._calendar: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = itertools.count()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, data: bytes | None = None) -> Any:
        """What /v1 answers to the JSON `body`, or to the file `data`. Raises Muddle unless it is a success."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if data is None:  # by the API's own writer, whose numbers stay as exact as they are
            data, headers["Content-Type"] = b"" if body is None else shapes.wire(body), "application/json"
        answer = self._client.open(f"/v1{path}", method=method, headers=headers, data=data)
        if answer.status_code >= 300:
            raise Muddle(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json

    def on(self, moment: datetime, deed: Callable[[], object]) -> None:
        heapq.heappush(self._calendar, (moment, next(self._order), deed))

    def ago(self, days: int) -> datetime:
        return self.now - timedelta(days=days)

    def live(self, told: Callable[[int], None] = lambda days: None) -> None:
        """Does all deeds up to now; a deed may put others on the calendar. Tells how many days have passed."""
        while self._calendar and self._calendar[0][0] <= self.now:
            before = self.moment
            self.moment, _, deed = heapq.heappop(self._calendar)
            told((self.moment - before).days)
            deed()
        told((self.now - self.moment).days)
        self.moment = self.now
