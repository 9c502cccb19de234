"""A shop in unrest: payers, an operator and banks do what they do, while processes are killed and answers get lost."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests

from portal.cashier.catching_up import CatchingUp
from portal.models import base
from portal.models.collection import Collection
from portal.models.invoice import Invoice
from portal.models.payment import Payment
from tests import programs
from tests.proofs import mutants, payer
from tests.proofs.kills import Kills
from tests.proofs.shop import PATIENCE_SECONDS, Shop
from tests.proofs.wire import Answer

PAYERS = 5
PAUSE_SECONDS = (0.02, 0.2)  # between two kills
SLOW_SECONDS = 2  # that are waited at most for something to happen between them
TRIES = 6  # of a payer whose answer did not come
ENDS = [("card", "4242")] * 5 + [("card", "0002"), ("card", "3155"), ("card", "3155")]
ENDS += [("us_bank_account", end) for end in ("settles", "settles", "fails", "returned", "micro_deposits")]
COLLECTED_EVERY = timedelta(seconds=5)  # of a worker's time in haste: one after the other falls due
SAVED = [("card", "4242"), ("us_bank_account", "settles"), ("card", "4242"), ("card", "0002"), ("card", "3155")]
FAULTS = {"timeout_rate": 0.2, "duplicate_rate": 0.2, "reorder_seconds": 0.5, "settle_seconds": 1.0}
CALM = {"timeout_rate": 0.0, "duplicate_rate": 0.0, "reorder_seconds": 0.0, "settle_seconds": 0.0}
# What it looks like when the process that was asked is killed.
GONE = (OSError, http.client.HTTPException, AssertionError, ValueError)
LATER = timedelta(hours=7)  # than anything is asked about again


@dataclass
class Unrest:
    shop: Shop
    invoices: list[Invoice]
    changes: Sequence[str] = ()
    faults: dict[str, float] = field(default_factory=lambda: dict(FAULTS))
    over: threading.Event = field(default_factory=threading.Event)
    seen: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _workers: ExitStack = field(default_factory=ExitStack)

    def go(self, chance: random.Random, *, kills: int = 0, events: int = 0) -> Kills:
        """Until so many processes of the web and as many workers were killed, and the gateway had so much to tell."""
        shop = self.shop
        assert shop.server
        shop.bank.control(**self.faults)
        self._plan_collections()
        changes = ["in_haste", "boxed", *self.changes, "born_again"]
        worker = self._workers.enter_context(shop.command("worker", changes=changes))
        done = Kills(shop.boxes, {"web": shop.server, "worker": worker}, kills, chance)
        acting = [threading.Thread(target=self._pay, args=(n,)) for n in range(PAYERS)]
        acting.append(threading.Thread(target=self._operate))
        for thread in acting:
            thread.start()
        while not done.are_done():
            before = sum(self.seen.values())
            time.sleep(chance.uniform(*PAUSE_SECONDS))
            # However slow the machine is, something happens between two kills.
            programs.wait_until(lambda seen=before: sum(self.seen.values()) >= seen + 2, SLOW_SECONDS)
            done.go_on()
        assert programs.wait_until(lambda: len(shop.told("SELECT id FROM event")) >= events, 2 * PATIENCE_SECONDS)
        self.over.set()
        for thread in acting:
            thread.join()
        self._workers.close()
        shop.bank.control(**CALM)
        assert programs.wait_until(lambda: not self._banks_are_busy(), PATIENCE_SECONDS)
        return done

    def deeds(self) -> Counter[str]:
        """What the workers said they did about money while all this went on."""
        lines = self.shop.log("worker").splitlines()
        kinds = ("payment ", "collected ", "refund ", "read ", "applied ", "the gateway sandbox does not answer")
        return Counter(kind.strip() for line in lines for kind in kinds if line.startswith(kind))

    def reconcile(self, now: datetime) -> int:
        """Round after round until nothing is left to be done, and no news is under way; how many deeds that took."""
        deeds = self._rounds(now)
        self.shop.bank.control(hold=False)
        assert programs.wait_until(lambda: not self._news_is_under_way(), PATIENCE_SECONDS)
        return deeds + self._rounds(now)

    def _rounds(self, now: datetime) -> int:
        deeds = 0
        for _ in range(200):
            catching_up = CatchingUp.at(self.shop.gateway, f"http://127.0.0.1:{self.shop.port}")
            assert catching_up
            found = len(list(catching_up.deeds(now)))
            deeds += found
            if not found:
                break
        return deeds

    def _news_is_under_way(self) -> bool:
        waits = self.shop.told("SELECT at FROM event WHERE planned = 0 AND notify_url IS NOT NULL")
        return bool(waits or self.shop.told("SELECT id FROM delivery"))

    # Those who act.

    def _pay(self, n: int) -> None:
        chance = random.Random(n)
        while not self.over.is_set():
            with self._lock:
                invoice = self.invoices.pop() if self.invoices else None
            if invoice is None:
                time.sleep(0.05)
                continue
            url = payer.link_of(self.shop, invoice)
            for _ in range(TRIES):
                method, outcome = chance.choice(ENDS)
                answer = self._tried(url, method, outcome)
                if answer and answer.status == 303 and outcome in ("3155", "micro_deposits"):
                    self._confirm(invoice, chance)
                if answer and answer.status in (303, 409):
                    break
                time.sleep(0.02)
        base.db.close()

    def _tried(self, url: str, method: str, outcome: str) -> Answer | None:
        try:
            tab = payer.opened(self.shop, url)
            answer = tab.pay(method, outcome) if tab.stamp else None
        except GONE as error:
            self.note("refused" if isinstance(error, ConnectionRefusedError) else "cut off")
            return None
        self.note(str(answer.status) if answer else f"nothing to click ({tab.status})")
        return answer or (Answer(409, {}, "", 0) if tab.status == 200 else None)

    def _confirm(self, invoice: Invoice, chance: random.Random) -> None:
        """What her bank asks is answered, or it is not."""
        for row in self.shop.orders(invoice):
            if row["stage"] == "action" and chance.random() < 0.7:
                where = "confirm" if row["method"] == "card" else "verify"
                said = {"answer": chance.choice(["approve", "approve", "fail"]), "first": "32", "second": "45"}
                requests.post(f"{self.shop.bank.url}/{where}/{row['ref']}", data=said, timeout=PATIENCE_SECONDS)

    def _operate(self) -> None:
        """Money goes back: by an operator here, by one at the gateway, by a bank. Each has payments of its own."""
        chance, done = random.Random(99), set()
        while not self.over.is_set():
            time.sleep(0.1)
            rows = self.shop.told("SELECT * FROM payment WHERE stage = 'succeeded' AND outcome != 'returned'")
            for row in [row for row in rows if row["ref"] not in done][:3]:
                done.add(row["ref"])
                deed = int(row["ref"][4], 16)
                if deed < 3:
                    self._refund(row["payment_id"], chance)
                elif deed < 6:
                    self._control(refund={"payment": row["ref"], "amount": chance.randrange(1, row["amount"])})
                elif deed < 9:
                    for stage in chance.choice([["opened"], ["opened", "lost"], ["lost"], ["opened", "lost", "won"]]):
                        self._control(dispute={"payment": row["ref"], "stage": stage})

    def _refund(self, payment_id: str, chance: random.Random) -> None:
        body = json.dumps({"amount": f"{chance.randrange(1, 3000) / 100:.2f}"})
        key = f"proof-{payment_id}"
        for _ in range(TRIES):
            try:
                request = self.shop.api("POST", f"/v1/payments/{payment_id}/refunds", body, idempotency_key=key)
                answer = self.shop.volley([request])[0]
            except GONE:
                self.note("refund cut off")
            else:
                self.note(f"refund {answer.status}")
                if answer.status in (200, 201):
                    return
            time.sleep(0.05)

    def _control(self, **asked: Any) -> None:
        self.note(f"{next(iter(asked))} at the gateway")
        self.shop.bank.control(**asked)

    def note(self, what: str) -> None:
        with self._lock:
            self.seen[what] += 1

    def _plan_collections(self) -> None:
        """The worker is to collect what the payers come to last: one invoice after the other falls due."""
        due = mutants.hastened(self.shop.began)
        with base.db.atomic():
            for n, invoice in enumerate(self.invoices):
                Collection.create(invoice=invoice, next_at=due + n * COLLECTED_EVERY)

    def _banks_are_busy(self) -> bool:
        waits = self.shop.told("SELECT ref FROM payment WHERE waits IS NOT NULL")
        waits += self.shop.told("SELECT ref FROM refund WHERE stage = 'pending'")
        return bool(waits)


def latest(shop: Shop) -> datetime:
    """A moment at which everything is due that is still to be asked about, for workers in haste too."""
    return mutants.hastened(shop.began) + LATER


def pool(shop: Shop, count: int, customers: int = 1) -> list[Invoice]:
    """Invoices of customers who may be charged without being asked; some of their banks will say no."""
    with base.db.atomic():
        found = [shop.given.customer(shop.account) for _ in range(customers)]
        for n, customer in enumerate(found):
            payer.keep(shop, customer, *SAVED[n % len(SAVED)])
        return [shop.given.invoice(found[n % customers]) for n in range(count)]


def live() -> int:
    return int(Payment.select().where(Payment.stage.in_(("begun", "action", "processing"))).count())
