"""What a gateway could tell of very many payments, and what is then true: worked out here a second time, from the news.

A gateway never contradicts itself: it gives back no money that a dispute took, and takes back none that it gave.
"""

from __future__ import annotations

import hmac
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.cashier import catching_up
from portal.models.account import Account
from portal.models.base import db, new_id
from portal.models.customer import Customer
from portal.models.dispute import Dispute
from portal.models.gateway_event import GatewayEvent
from portal.models.invoice import Invoice
from portal.models.payment import Allocation, Booking, Payment
from portal.models.refund import Refund
from portal.models.saved_method import Payer, SavedMethod
from tests.given import Given
from tests.proofs.shop import Shop
from tests.proofs.wire import Answer

PATH = "/webhooks/sandbox"
AMOUNT = 4000  # minor units of each invoice
CUSTOMERS = 40
WAITS = timedelta(days=1)  # until somebody asks about what nothing is told of
Event = dict[str, Any]  # as the sandbox posts it
Dice = random.Random


@dataclass
class Story:
    """Payments of one customer for the same invoices, and all that the gateway has to say about them."""

    customer: str
    invoices: list[str]
    payments: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    void: bool = False  # the invoice was voided after the payment had failed

    def payment(self) -> str:
        self.payments.append(new_id())
        return self.payments[-1]

    def tell(self, kind: str, ref: str, stage: str, **data: Any) -> None:
        said = {"object": kind, "ref": ref, "stage": stage, "currency": "USD", "live": False, **data}
        at = time.time_ns() // 1000
        self.events.append({"id": f"evt_{new_id()}", "type": f"{kind}.{stage}", "at": at, "live": False, "data": said})

    def pay(self, id: str, *stages: str, ref: str | None = None, **data: Any) -> str:
        """The stages of a payment, one after the other."""
        ref = ref or f"pay_{id}"
        for stage in stages:
            failure = "declined" if stage == "failed" else None
            self.tell("payment", ref, stage, payment_id=id, amount=self.amount, failure=failure, method="card", **data)
        return ref

    def refund(self, id: str, amount: int, *stages: str) -> None:
        ref = f"ref_{new_id()}"
        for stage in stages:
            self.tell("refund", ref, stage, payment_ref=f"pay_{id}", payment_id=id, refund_id=None, amount=amount)

    def dispute(self, id: str, amount: int, *stages: str, is_return: bool = False) -> None:
        ref, about = f"dsp_{new_id()}", {"payment_ref": f"pay_{id}", "payment_id": id, "reason": "fraudulent"}
        for stage in stages:
            self.tell("dispute", ref, stage, amount=amount, is_return=is_return, **about)

    @property
    def amount(self) -> int:
        return AMOUNT * len(self.invoices)


# What may happen. Each is told as it happens; nothing is said of when it arrives.


def card(story: Story, dice: Dice) -> None:
    story.pay(story.payment(), *dice.choice([["succeeded"], ["failed"], ["action", "succeeded"], ["action", "failed"]]))


def given_up(story: Story, dice: Dice) -> None:
    """Cancelled, or so it seemed: some had been paid a moment before."""
    story.pay(story.payment(), "action", *dice.choice([["canceled"], ["canceled", "succeeded"]]))


def debit(story: Story, dice: Dice) -> None:
    story.pay(story.payment(), "processing", dice.choice(["succeeded", "succeeded", "failed"]))


def debit_returned(story: Story, dice: Dice) -> None:
    id = story.payment()
    story.pay(id, "processing", "succeeded")
    story.dispute(id, story.amount, "lost", is_return=True)


def refunded(story: Story, dice: Dice) -> None:
    id = story.payment()
    story.pay(id, "succeeded")
    left = story.amount
    for _ in range(dice.randrange(1, 4)):
        part = dice.randrange(1, left // 2)
        left -= part
        story.refund(id, part, *dice.choice([["succeeded"], ["pending", "succeeded"], ["pending", "failed"]]))


def disputed(story: Story, dice: Dice) -> None:
    id = story.payment()
    story.pay(id, "succeeded")
    ends = [["opened"], ["opened", "lost"], ["opened", "won"], ["lost"], ["opened", "lost", "won"]]
    story.dispute(id, story.amount, *dice.choice(ends))


def refunded_and_disputed(story: Story, dice: Dice) -> None:
    """Part of it had gone back, and the bank took the rest."""
    id, part = story.payment(), dice.randrange(1, story.amount)
    story.pay(id, "processing", "succeeded")
    story.refund(id, part, "pending", "succeeded")
    story.dispute(id, story.amount - part, "opened", "lost")


def tried_twice(story: Story, dice: Dice) -> None:
    """The first try seemed to fail; now and then its money came after all, and was one too many."""
    first, second = story.payment(), story.payment()
    story.pay(first, "failed", *dice.choice([[], ["succeeded"]]))
    story.pay(second, "processing", dice.choice(["succeeded", "succeeded", "failed"]))


def voided(story: Story, dice: Dice) -> None:
    """The invoice was voided after its payment had failed, and then money came."""
    story.void = True
    story.pay(story.payment(), "failed", "succeeded")


def two_names(story: Story, dice: Dice) -> None:
    """The gateway has charged twice for one payment of ours."""
    id = story.payment()
    story.pay(id, "succeeded")
    story.pay(id, "processing", "succeeded", ref=f"pay_{id}_again")


def several(story: Story, dice: Dice) -> None:
    """Three invoices at once."""
    dice.choice([card, debit, debit_returned, disputed])(story, dice)


def saving(story: Story, dice: Dice) -> None:
    """The method was saved, changed and removed."""
    id, ref = story.payment(), f"mth_{new_id()}"
    payer = {"payer_ref": f"pyr_{story.customer}"}
    saved = {"ref": ref, "method": "card", "label": "Visa ending in 4242", "expires": "2034-12"}
    story.pay(id, "succeeded", saved=saved, **payer)
    if dice.random() < 0.5:
        story.tell("method", ref, "changed", saved=saved, **payer)
        del story.events[-1]["data"]["stage"], story.events[-1]["data"]["currency"]
    if dice.random() < 0.5:
        story.tell("method", ref, "removed", saved=None, **payer)
        del story.events[-1]["data"]["stage"], story.events[-1]["data"]["currency"]


def foreign(story: Story, dice: Dice) -> None:
    """Signed, and yet of another mode or currency: not to be believed."""
    id = story.payment()
    story.pay(id, "processing")
    story.pay(id, "succeeded", **dice.choice([{"live": True}, {"currency": "EUR"}]))


def nobodys(story: Story, dice: Dice) -> None:
    """Another system shares the gateway."""
    id = new_id()
    story.pay(id, "processing", "succeeded")
    story.refund(id, 100, "succeeded")
    story.invoices.clear()


KINDS = {
    card: 30, given_up: 8, debit: 16, debit_returned: 8, refunded: 10, disputed: 8, refunded_and_disputed: 5,
    tried_twice: 8, voided: 3, two_names: 2, several: 8, saving: 5, foreign: 2, nobodys: 1,
}  # fmt: skip


def stories(given: Given, account: Account, count: int, dice: Dice, gateway: str = "sandbox") -> list[Story]:
    """Stories with `count` events in all, whose payments have begun in the database."""
    with db.atomic():
        customers = [given.customer(account) for _ in range(CUSTOMERS)]
        pattern = given.invoice(customers[0], (("Onboarding", "1", "40.00"),))
        for customer in customers:
            Payer.keep(customer.id, gateway, f"pyr_{customer.id}")
        found: list[Story] = []
        told = 0
        while told < count:
            kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
            story = Story(dice.choice(customers).id, [new_id() for _ in range(3 if kind is several else 1)])
            kind(story, dice)
            found.append(story)
            told += len(story.events)
        _begin(found, pattern, given.now(), gateway)
    return found


def _begin(found: Sequence[Story], pattern: Invoice, now: datetime, gateway: str) -> None:
    """Copies of one invoice, and payments as they are before any gateway was heard."""
    row = dict(pattern.__data__)
    invoices, payments, allocations = [], [], []
    for story in found:
        for id in story.invoices:
            status = {"status": "void", "voided_at": now} if story.void else {}
            invoices.append({**row, "id": id, "number": f"N-{id}", "customer": story.customer, **status})
        for n, id in enumerate(story.payments):
            # What was tried before had failed by then.
            stage = "failed" if story.void or n + 1 < len(story.payments) else "begun"
            payments.append(
                {
                    "id": id, "account": pattern.account_id, "customer": story.customer, "created_at": now,
                    "created_by": "proof", "gateway": gateway, "method": "card", "label": "Card", "currency": "USD",
                    "amount": story.amount, "stage": stage, "order": {},
                    "ask_at": now + WAITS if stage == "begun" else None,
                }
            )  # fmt: skip
            allocations += [
                {"id": new_id(), "payment": id, "invoice": invoice, "created_at": now, "amount": AMOUNT, "stage": stage}
                for invoice in story.invoices
            ]
    for model, rows in ((Invoice, invoices), (Payment, payments), (Allocation, allocations)):
        for at in range(0, len(rows), 200):
            model.insert_many(rows[at : at + 200]).execute()


def post(shop: Shop, event: Event) -> Answer:
    """Posts it as the gateway would, over HTTP."""
    body, signature = signed(event, shop.webhook_secret)
    return shop.call("POST", PATH, body, content_type="application/json", portal_sandbox_signature=signature)


def try_again(shop: Shop, now: datetime) -> int:
    """What had fitted nothing is tried again, as the worker does; how many there were."""
    tried = 0
    while waiting := GatewayEvent.waiting(shop.gateway.name, now, catching_up.BATCH):
        tried += len(waiting)
        for _ in catching_up.orphans(shop.gateway, now):
            pass
    return tried


def signed(event: Event, secret: bytes, now: datetime | None = None) -> tuple[bytes, str]:
    """The body and the signature that the gateway would post it with."""
    body, seconds = json.dumps(event).encode(), int((now or datetime.now(UTC)).timestamp())
    return body, f"t={seconds},v1={hmac.digest(secret, f'{seconds}.'.encode() + body, 'sha256').hex()}"


# What is true then, by a second calculation, and what the database says. Both have the same shape.

RANKS = {
    "payment": ["begun", "action", "processing", "canceled", "failed", "succeeded"],
    "refund": ["begun", "pending", "succeeded", "failed"],
    "dispute": ["opened", "lost", "won"],
}
COUNTED = {"received": "received", "refunded": "refunded", "returned": "returned", "reinstated": "returned"}
State = dict[str, Any]


def oracle(found: Sequence[Story]) -> State:
    """All that follows from what was told, whatever the order."""
    state: State = defaultdict(dict)
    balances: Counter[str] = Counter()
    for story in found:
        _tell(story, state, balances)
    state["balance"] = {id: amount for id, amount in balances.items() if amount}
    state["waiting"] = sorted(event["id"] for story in found if not story.payments for event in story.events)
    return dict(state)


def _tell(story: Story, state: State, balances: Counter[str]) -> None:
    told = [event["data"] for event in story.events if not event["data"]["live"]]
    told = [data for data in told if data.get("currency", "USD") == "USD" and story.payments]
    last: dict[str, dict[str, Any]] = {}
    for data in told:
        kind, ref = data["object"], data["ref"]
        if kind == "method":
            continue
        if ref not in last or RANKS[kind].index(data["stage"]) > RANKS[kind].index(last[ref]["stage"]):
            last[ref] = data
    came = gone = lost = 0
    for id in story.payments:
        mine = [data for data in last.values() if data["payment_id"] == id]
        paid = [data for data in mine if data["object"] == "payment"]
        before = "failed" if story.void or id != story.payments[-1] else "begun"
        stages = [before, *(data["stage"] for data in paid)]
        state["stage"][id] = max(stages, key=RANKS["payment"].index)
        received = sum(data["amount"] for data in paid if data["stage"] == "succeeded")
        back = [data for data in mine if data["object"] == "refund"]
        taken = [data for data in mine if data["object"] == "dispute"]
        state["refunds"] |= {data["ref"]: data["stage"] for data in back}
        state["disputes"] |= {data["ref"]: data["stage"] for data in taken}
        refunds = sum(data["amount"] for data in back if data["stage"] in ("pending", "succeeded"))
        returns = sum(data["amount"] for data in taken if data["stage"] == "lost")
        state["moved"][id] = {
            kind: amount
            for kind, amount in (("received", received), ("refunded", -refunds), ("returned", -returns))
            if amount
        }
        came, gone, lost = came + received, gone + refunds, lost + returns
    if not story.payments:
        return
    due = 0 if story.void else story.amount
    over = max(came - due, 0)  # such stories have neither refunds nor disputes
    balances[story.customer] += over
    remaining = 0 if story.void else due - (came - over) + lost
    for id in story.invoices:
        share = remaining // len(story.invoices)
        state["invoice"][id] = ("void" if story.void else "issued" if share else "paid", share)
    if methods := [data for data in told if data["object"] == "payment" and data.get("saved")]:
        removed = any(data["object"] == "method" and data["saved"] is None for data in told)
        state["methods"][methods[0]["saved"]["ref"]] = "removed" if removed else "kept"


def state(found: Sequence[Story]) -> State:
    """What the database says of the same."""
    mine, invoices = {id for story in found for id in story.payments}, {id for one in found for id in one.invoices}
    customers, events = {story.customer for story in found}, {one["id"] for story in found for one in story.events}
    moved: dict[str, Counter[str]] = {id: Counter() for id in mine}
    booked: Counter[str] = Counter()
    for row in Booking.select():
        if row.payment_id in mine:
            booked[row.invoice_id] += row.amount
            if kind := COUNTED.get(row.kind):
                moved[row.payment_id][kind] += row.amount
    kept = [row for row in SavedMethod.select() if row.customer_id in customers]
    return {
        "stage": {row.id: row.stage for row in Payment.select() if row.id in mine},
        "refunds": {row.gateway_ref: row.stage for row in Refund.select() if row.payment_id in mine},
        "disputes": {row.gateway_ref: row.stage for row in Dispute.select() if row.payment_id in mine},
        "moved": {id: {kind: amount for kind, amount in kinds.items() if amount} for id, kinds in moved.items()},
        "invoice": {
            row.id: (row.status, row.amount_due - booked[row.id] if row.status != "void" else 0)
            for row in Invoice.select()
            if row.id in invoices
        },
        "methods": {row.gateway_ref: "removed" if row.removed_at else "kept" for row in kept},
        "balance": {row.id: row.balance for row in Customer.select() if row.id in customers and row.balance},
        "waiting": sorted(row.id for row in GatewayEvent.select() if row.id in events and row.applied_at is None),
    }


def differences(found: Sequence[Story], most: int = 5) -> list[str]:
    """Where the database and the oracle differ, at most so many of each kind."""
    wanted, there = oracle(found), state(found)
    said = []
    for name in sorted(wanted | there):
        left, right = wanted.get(name) or {}, there.get(name) or {}
        if isinstance(left, dict) and isinstance(right, dict):
            wrong = [f"{id}: {left.get(id)} was told, {right.get(id)} is here" for id in sorted(left | right)
                     if left.get(id) != right.get(id)]  # fmt: skip
        else:
            wrong = [f"{id}" for id in sorted(set(left) ^ set(right))]
        said += [f"{name} {text}" for text in wrong[:most]]
    return said
