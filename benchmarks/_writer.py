"""A process that takes in events at a steady pace: `python -m benchmarks._writer URL ACCOUNT EVENTS_A_SECOND`."""

from __future__ import annotations

import secrets
import sys
import time
from datetime import UTC, datetime

from portal.models import base, ingestion
from portal.models.arrival import Arrival
from portal.models.base import db, micros
from portal.models.customer import Customer

BATCH = 500


def main(url: str, account_id: str, pace: int) -> None:
    base.connect(url)
    db.connect()
    customers = [id for (id,) in base.tuples(Customer.select(Customer.id).where(Customer.account == account_id))]
    due = time.monotonic()
    while True:
        now = datetime.now(UTC)
        at = micros(now)
        arrivals = [
            Arrival(
                secrets.token_hex(16), customers[n % len(customers)], None, "call", at - n, {"bytes": n, "ms": n % 89}
            )
            for n in range(BATCH)
        ]
        with db.atomic():
            ingestion.share(account_id)
            ingestion.ingest(account_id, arrivals, now)
        print(BATCH, flush=True)
        due = max(due + BATCH / pace, time.monotonic())  # after a pause it does not catch up
        time.sleep(max(due - time.monotonic(), 0))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
