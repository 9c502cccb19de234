"""The demo's customers pay: through the cashier, at the sandbox of the demo's tree, whose days pass as the books say.

Nobody else is there yet, so the gateway may be asked within the one transaction that makes the world.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from portal.cashier import collecting, hearing, taking
from portal.config import Settings
from portal.demo.office import Muddle, Office, Then
from portal.gateways.sandbox import OUTCOME, open_gateway
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.paying import Part, Wanted
from portal.secret_store import derived_secret

FOR_EVER = 10**8  # seconds
TIMEOUT = 10  # seconds
# Days after a debit was ordered on which its bank says something.
SAYS = {"settles": (4,), "fails": (4,), "returned": (4, 7)}


class Till:
    def __init__(self, office: Office, settings: Settings) -> None:
        self.office = office
        self._gateway = open_gateway(settings)
        self._bank = settings.sandbox_address
        self._key = derived_secret(settings, "sandbox api")
        self._notify_url = f"{settings.base_url}/webhooks/{self._gateway.name}"
        self._heard = datetime.fromtimestamp(0, UTC)

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Within it the bank does nothing of itself; what happened it posts afterwards, when the portal answers."""
        self._tell(settle_seconds=FOR_EVER, hold=True)
        yield
        self._tell(reset=True)

    def paid_after(self, days: int, method: str, outcome: str = "", *, of: int = 1, saves: bool = False) -> Then:
        """By somebody who has the invoice's link: all that is left, or one part `of` so many."""

        def pay(id: str) -> None:
            invoice, link = Invoice.get_by_id(id), Link.current("invoice", [id])[id]
            left = invoice.remaining()
            wanted = Wanted(
                customer_id=invoice.customer_id,
                parts=[Part(id, left // of, left)],
                method=method,
                label=method,  # until the sandbox tells a better one
                gateway=self._gateway.name,
                order=taking.order(reference=str(invoice.number), details={OUTCOME: outcome}, saves=saves),
                link_id=link.id,
            )
            now = self.office.moment
            payment = taking.pay(self._gateway, wanted, self._notify_url, now, f"visitor:{link.id}")
            self.listen()
            for later in SAYS.get(outcome, ()):
                self.office.on(now + timedelta(days=later), lambda: self._settle(str(payment.gateway_ref)))

        return lambda made: self.office.on(self.office.moment + timedelta(days=days), lambda: pay(made["id"]))

    def collected(self, made: dict[str, Any]) -> None:
        """By itself, on the day on which it is due."""

        def collect() -> None:
            list(collecting.collect(self._gateway, self._notify_url, self.office.moment))
            self.listen()

        self.office.on(datetime.fromisoformat(made["due_date"]), collect)

    def listen(self) -> None:
        """Hears what the sandbox has told since the last time."""
        for event in self._gateway.since(self._heard):
            self._heard = event.at
            hearing.told(self._gateway, event, self.office.moment)

    def _settle(self, ref: str) -> None:
        self._tell(settle=ref)
        self.listen()

    def _tell(self, **asked: Any) -> None:
        headers = {"Authorization": f"Bearer {self._key}"}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(f"{self._bank}/_control", json=asked, headers=headers, timeout=TIMEOUT)
        if not answer.ok:
            raise Muddle(f"the sandbox: {answer.status_code} {answer.text}")
