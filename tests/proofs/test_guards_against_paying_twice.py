"""The proof of simultaneous clicks has teeth: any one guard against paying twice holds alone, and without it goes red.

Three guards there are against a second payment while one is on its way: a unique index, a trigger, and a look. The last
two see only what has been committed, so they need the lock that makes one payer wait for the other. The index needs
nothing. Against a second payment after one has succeeded there is the look at what is left to pay, which needs the lock
as well; so without it these clicks are by ACH, where no money arrives while others are looking.
Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from portal.models import guards
from portal.models.base import is_postgresql, new_id, rows, run
from portal.models.invoice import Invoice
from portal.models.payment import LIVE, Payment
from tests.proofs import invariants
from tests.proofs.clicks import METHODS, Round, clicked
from tests.proofs.shop import Shop, opened, scaled

pytestmark = pytest.mark.proof

INDEX = "allocation_one_live_an_invoice"
TRIGGER = "allocation_kept_insert"
GUARDS = {"index": INDEX, "trigger": TRIGGER}
EVERYTHING = {"index", "trigger", "look", "lock"}
ROUNDS = 10  # that have to be green
MOST_ROUNDS = 30  # until one has to be red
CLICKS = 60
PAIRS = 20
SQLITE, BOTH = {"sqlite"}, {"sqlite", "postgres"}
# What is left standing, and on which databases an invoice is then still paid once.
CLICKED: list[tuple[set[str], set[str]]] = [
    (EVERYTHING, BOTH),
    ({"index"}, BOTH),
    ({"trigger", "lock"}, BOTH),
    ({"look", "lock"}, BOTH),
    # SQLite refuses whoever has looked before somebody else wrote. PostgreSQL does not.
    ({"trigger"}, SQLITE),
    ({"look"}, SQLITE),
    ({"lock"}, set()),
    (set(), set()),
]
# Past the application there is no look, and no lock but the database's own.
INSERTED = [({"index", "trigger"}, BOTH), ({"index"}, BOTH), ({"trigger"}, SQLITE), (set(), set())]


@contextmanager
def standing(left: set[str]) -> Iterator[None]:
    """The database without those guards of its own that are not left."""
    catalogue = "SELECT indexdef FROM pg_indexes WHERE indexname = ?"
    made = rows(catalogue if is_postgresql() else "SELECT sql FROM sqlite_master WHERE name = ?", INDEX)[0][0]
    for name in GUARDS.keys() - left:
        on = " ON allocation" if is_postgresql() and name == "trigger" else ""
        run(f"DROP {name.upper()} {GUARDS[name]}{on}")
    yield
    # An index cannot be made again over what it would have refused.
    Payment.update(stage="failed", ask_at=None).where(Payment.stage.in_(LIVE)).execute()
    if "index" not in left:
        run(made)
    guards.install()


def changes(left: set[str]) -> list[str]:
    return [f"no_{name}" for name in ("look", "lock") if name not in left]


def named(left: set[str]) -> str:
    guarding = " and ".join(name for name in ("index", "trigger", "look") if name in left)
    return " under ".join(filter(None, (guarding, "lock" if "lock" in left else ""))) or "nothing"


def table(shop: Shop, title: str, told: list[tuple[set[str], bool, str]]) -> None:
    shop.say(f"{title}, left standing being")
    for left, is_green, text in told:
        print(f"\n    {named(left):38} {'green' if is_green else 'RED':6} {text}", end="", flush=True)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def own_shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(request.param, Path(tmp_path_factory.mktemp(f"guards-{request.param}"))) as shop:
        shop.bank.control(hold=True)  # nobody else writes while guards are taken away
        yield shop


def test_two_live_allocations_written_past_the_application_are_refused_by_the_index(own_shop: Shop) -> None:
    customer, told, due = own_shop.given.customer(own_shop.account, email_delivery=False), [], []

    for left, holds in INSERTED:
        with standing(left):
            kept = sum(inserted_twice(own_shop, own_shop.given.invoice(customer)) for _ in range(PAIRS))
            wrong = [one for one in invariants.broken(own_shop, books=False) if "at most one live allocation" in one]
        told.append((left, not wrong, f"of {PAIRS} pairs {kept} kept"))
        is_green = own_shop.kind in holds
        due.append((left, is_green, f"of {PAIRS} pairs {PAIRS if is_green else 2 * PAIRS} kept"))

    table(own_shop, "two allocations of one invoice, written by SQL over two connections at once", told)
    assert told == due


def test_each_guard_holds_alone_against_clicks_at_once_and_without_them_invoices_are_paid_twice(own_shop: Shop) -> None:
    dice, found, runs = random.Random(1), dict[int, list[Round]](), list[str]()
    for n, (left, _) in sorted(enumerate(CLICKED), key=lambda one: changes(one[1][0])):
        if changes(left) != runs:
            runs = changes(left)
            own_shop.start(*runs)
        with standing(left):
            most = scaled(ROUNDS, 3) if own_shop.kind in CLICKED[n][1] else MOST_ROUNDS
            found[n] = rounds(own_shop, most, dice, METHODS if "lock" in left else METHODS[1:])
    told = []
    for n, (left, _) in enumerate(CLICKED):
        charges = [len(one.charges) for one in found[n]]
        told.append((left, max(charges) == 1, f"charges for each invoice: {charges}"))

    table(own_shop, f"{CLICKS} clicks on Pay at once", told)
    for n, (left, is_green, text) in enumerate(told):
        assert is_green == (own_shop.kind in CLICKED[n][1]), (named(left), text)
        # Without locks what was read is stale when it comes to writing, and some databases say so.
        wrong = [one.wrong() for one in found[n] if one.wrong()]
        assert (wrong == []) if is_green and "lock" in left else (wrong or is_green), (named(left), wrong)


def rounds(shop: Shop, most: int, dice: random.Random, ways: Sequence[str]) -> list[Round]:
    """So many, or until an invoice is charged twice."""
    found: list[Round] = []
    while len(found) < most and all(len(one.charges) == 1 for one in found):
        found.append(clicked(shop, CLICKS, dice, ways=ways))
    return found


def inserted_twice(shop: Shop, invoice: Invoice) -> int:
    """How many of two transactions that each write a live allocation of the invoice are committed."""
    payments = [begun(shop, invoice) for _ in range(2)]
    first, second = connection(shop), connection(shop)
    kept: list[bool] = []
    other = threading.Thread(target=lambda: kept.append(written(second, payments[1], invoice, commits=True)))
    kept.append(written(first, payments[0], invoice, commits=False))
    other.start()
    other.join(0.05)  # it waits for us, or it has finished by then
    first.execute("COMMIT")
    other.join()
    first.close()
    second.close()
    return sum(kept)


def begun(shop: Shop, invoice: Invoice) -> Payment:
    named = {"account": invoice.account_id, "customer": invoice.customer_id, "created_by": "proof", "label": "Card"}
    money = {"gateway": "sandbox", "method": "card", "currency": "USD", "amount": invoice.amount_due, "stage": "begun"}
    now = shop.given.now()
    return Payment.create(created_at=now, ask_at=now, order={}, **named, **money)


def connection(shop: Shop) -> Any:
    url = shop.settings.database_url
    if shop.kind == "postgres":
        return psycopg.connect(url, autocommit=True)
    return sqlite3.connect(urlsplit(url).path[1:], timeout=10, isolation_level=None, check_same_thread=False)


def written(connection: Any, payment: Payment, invoice: Invoice, *, commits: bool) -> bool:
    hole = "?" if isinstance(connection, sqlite3.Connection) else "%s"
    sql = "INSERT INTO allocation (id, payment_id, invoice_id, created_at, amount, stage, returned) VALUES "
    connection.execute("BEGIN")
    try:
        row = (new_id(), payment.id, invoice.id, 0, invoice.amount_due, "begun", False)
        connection.execute(f"{sql} ({', '.join([hole] * len(row))})", row)
    except (sqlite3.IntegrityError, psycopg.IntegrityError):
        connection.execute("ROLLBACK")
        return False
    if commits:
        connection.execute("COMMIT")
    return True
