"""What always holds of money, as questions to the database: each finds the rows that break it, and so nothing.

What the gateway's own book says is put beside them first, in tables that only this connection sees.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from portal.models.base import db, is_postgresql, rows, run
from portal.models.invoice import Invoice
from portal.models.payment import BY_HAND, Booking, Payment
from tests.proofs.shop import Shop

TABLES = {
    False: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    True: "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
LIVE = "('begun', 'action', 'processing')"
RANK = (
    "CASE {0} WHEN 'begun' THEN 0 WHEN 'action' THEN 1 WHEN 'processing' THEN 2 WHEN 'canceled' THEN 3 "
    "WHEN 'failed' THEN 4 ELSE 5 END"
)
REFUND_RANK = "CASE {0} WHEN 'begun' THEN 0 WHEN 'pending' THEN 1 WHEN 'succeeded' THEN 2 ELSE 3 END"
DISPUTE_RANK = "CASE {0} WHEN 'opened' THEN 0 WHEN 'lost' THEN 1 ELSE 2 END"
REMAINING = """
(i.amount_due - COALESCE((SELECT SUM(b.amount) FROM booking b WHERE b.invoice_id = i.id), 0)
 - COALESCE((SELECT SUM(n.applied) FROM credit_note n WHERE n.invoice_id = i.id AND n.voided_at IS NULL), 0))
"""
OURS = {
    "an invoice has at most one live allocation": f"""
        SELECT invoice_id, COUNT(*) FROM allocation WHERE stage IN {LIVE} GROUP BY invoice_id HAVING COUNT(*) > 1""",
    "an allocation stands where its payment does": """
        SELECT a.id, a.stage, p.stage FROM allocation a JOIN payment p ON p.id = a.payment_id
         WHERE a.stage <> p.stage""",
    "the allocations of a payment come to its amount": """
        SELECT p.id, p.amount, SUM(a.amount) FROM payment p LEFT JOIN allocation a ON a.payment_id = p.id
         GROUP BY p.id, p.amount HAVING p.amount <> COALESCE(SUM(a.amount), 0)""",
    "only what succeeded is booked, and all of that": """
        SELECT p.id, p.stage, p.amount, b.received FROM payment p LEFT JOIN (
               SELECT payment_id, SUM(amount) AS received FROM booking WHERE kind = 'received' AND ref = ''
                GROUP BY payment_id) b ON b.payment_id = p.id
         WHERE CASE p.stage WHEN 'succeeded' THEN p.amount ELSE 0 END <> COALESCE(b.received, 0)""",
    "an invoice that is issued asks for something, and one that is paid for nothing": f"""
        SELECT i.id, i.status, {REMAINING} FROM invoice i
         WHERE (i.status = 'issued' AND {REMAINING} <= 0) OR (i.status = 'paid' AND {REMAINING} > 0)""",
    "no more is booked on an invoice than it asked for": f"""
        SELECT i.id, i.status, {REMAINING} FROM invoice i WHERE i.status <> 'draft' AND {REMAINING} < 0""",
    "what a customer owes is what her open invoices ask for": f"""
        SELECT o.customer_id, o.currency, o.count, o.remaining, COALESCE(w.count, 0), COALESCE(w.remaining, 0)
          FROM owing o LEFT JOIN (
               SELECT customer_id, currency, COUNT(*) AS count, SUM({REMAINING}) AS remaining FROM invoice i
                WHERE status IN ('issued', 'synced') AND {REMAINING} > 0 GROUP BY customer_id, currency
               ) w ON w.customer_id = o.customer_id AND w.currency = o.currency
         WHERE o.count <> COALESCE(w.count, 0) OR o.remaining <> COALESCE(w.remaining, 0)""",
    "a balance is what its movements come to": """
        SELECT c.id, c.balance, SUM(t.ending_balance - t.starting_balance) FROM customer c
          LEFT JOIN balance_transaction t ON t.customer_id = c.id GROUP BY c.id, c.balance
        HAVING c.balance <> COALESCE(SUM(t.ending_balance - t.starting_balance), 0)""",
    "a movement of a balance goes from where another ended": """
        SELECT t.id, t.starting_balance FROM balance_transaction t
         WHERE t.ending_balance <> t.starting_balance + CASE t.type WHEN 'increment' THEN t.amount ELSE -t.amount END
            OR (t.starting_balance <> 0 AND NOT EXISTS (
                SELECT 1 FROM balance_transaction b WHERE b.customer_id = t.customer_id AND b.id <> t.id
                   AND b.ending_balance = t.starting_balance))""",
    "what no invoice takes stands to the customer's credit": """
        SELECT i.id, s.surplus, m.moved FROM invoice i
          JOIN (SELECT invoice_id, -SUM(amount) AS surplus FROM booking WHERE kind = 'surplus'
                 GROUP BY invoice_id) s ON s.invoice_id = i.id
          JOIN customer c ON c.id = i.customer_id AND c.deleted_at IS NULL AND c.currency = i.currency
          LEFT JOIN (SELECT invoice_id, SUM(ending_balance - starting_balance) AS moved FROM balance_transaction
                      WHERE action = 'external_payment' GROUP BY invoice_id) m ON m.invoice_id = i.id
         WHERE s.surplus <> COALESCE(m.moved, 0)""",
    "what went back was refunded or lost": """
        SELECT b.payment_id, b.kind, SUM(b.amount) FROM booking b WHERE b.kind IN ('refunded', 'returned', 'reinstated')
         GROUP BY b.payment_id, b.kind
        HAVING (b.kind = 'refunded' AND -SUM(b.amount) <> (
                SELECT COALESCE(SUM(r.amount), 0) FROM refund r
                 WHERE r.payment_id = b.payment_id AND r.stage IN ('pending', 'succeeded')))
            OR (b.kind = 'returned' AND NOT EXISTS (
                SELECT 1 FROM dispute d WHERE d.payment_id = b.payment_id AND d.stage IN ('lost', 'won')))""",
    "an event has been acted on, or waits for its next try": """
        SELECT id, type FROM gateway_event WHERE (applied_at IS NULL) <> (retry_at IS NOT NULL)""",
    "a payment that may still succeed is asked about again": f"""
        SELECT id, stage FROM payment WHERE stage IN {LIVE} AND gateway <> 'hand' AND ask_at IS NULL""",
}
BOOKS = {
    "nothing is charged twice": """
        SELECT payment_id, COUNT(*) FROM charge WHERE stage IN ('processing', 'succeeded')
         GROUP BY payment_id HAVING COUNT(*) > 1""",
    "no invoice is paid for by two charges": """
        SELECT a.invoice_id, COUNT(*) FROM charge c JOIN allocation a ON a.payment_id = c.payment_id AND NOT a.returned
          JOIN payment p ON p.id = a.payment_id
         WHERE c.stage IN ('processing', 'succeeded') AND a.amount = p.amount
           AND NOT EXISTS (  -- what a bank took back was asked for again, even if the bank thought better of it then
               SELECT 1 FROM booking b WHERE b.payment_id = a.payment_id AND b.kind = 'returned')
         GROUP BY a.invoice_id HAVING COUNT(*) > 1""",
    "the gateway takes what we asked for": """
        SELECT c.ref, c.amount, p.amount FROM charge c LEFT JOIN payment p ON p.id = c.payment_id
         WHERE p.id IS NULL OR p.amount <> c.amount OR p.currency <> c.currency OR p.method <> c.method""",
    "what the gateway has taken is booked, and nothing else": """
        SELECT p.id, p.stage, p.gateway_ref, b.received, c.amount FROM payment p
          LEFT JOIN (SELECT payment_id, SUM(amount) AS received FROM booking WHERE kind = 'received'
                      GROUP BY payment_id) b ON b.payment_id = p.id
          LEFT JOIN (SELECT payment_id, SUM(amount) AS amount FROM charge WHERE stage = 'succeeded'
                      GROUP BY payment_id) c ON c.payment_id = p.id
         WHERE p.gateway = 'sandbox' AND COALESCE(b.received, 0) <> COALESCE(c.amount, 0)""",
    "a payment stands where the gateway says": """
        SELECT p.id, p.stage, c.stage FROM payment p LEFT JOIN charge c ON c.ref = p.gateway_ref
         WHERE p.gateway = 'sandbox' AND ((p.gateway_ref IS NOT NULL AND c.stage IS NULL) OR p.stage <> c.stage)""",
    "nothing is left in the dark": """
        SELECT id, stage FROM payment WHERE stage = 'begun' AND gateway = 'sandbox'""",
    "the gateway's refunds are ours": """
        SELECT g.ref, g.stage, r.stage FROM charge_refund g
          LEFT JOIN refund r ON r.gateway_ref = g.ref
         WHERE r.id IS NULL OR r.stage <> g.stage OR r.amount <> g.amount""",
    "our refunds are the gateway's": """
        SELECT r.id, r.stage FROM refund r LEFT JOIN charge_refund g ON g.ref = r.gateway_ref
         WHERE r.stage NOT IN ('begun', 'failed') AND g.ref IS NULL""",
    "the gateway's disputes are ours": """
        SELECT g.ref, g.stage, d.stage FROM charge_dispute g
          LEFT JOIN dispute d ON d.gateway_ref = g.ref WHERE d.id IS NULL OR d.stage <> g.stage""",
    "what was lost to banks was taken off": """
        SELECT d.id, d.amount, b.amount FROM dispute d LEFT JOIN (
               SELECT payment_id, SUM(amount) AS amount FROM booking WHERE kind IN ('returned', 'reinstated')
                GROUP BY payment_id) b ON b.payment_id = d.payment_id
         WHERE CASE d.stage WHEN 'lost' THEN d.amount ELSE 0 END <> -COALESCE(b.amount, 0)""",
    "every event of the gateway has come": """
        SELECT t.id, t.type FROM told t LEFT JOIN gateway_event e ON e.id = t.id AND e.gateway = 'sandbox'
         WHERE e.id IS NULL""",
    "every event has been acted on": """
        SELECT id, type, tries FROM gateway_event WHERE applied_at IS NULL""",
    "what an event told has come true": f"""
        SELECT t.id, t.type, p.stage FROM told t JOIN payment p ON p.id = t.payment_id
         WHERE t.kind = 'payment' AND {RANK.format("p.stage")} < {RANK.format("t.stage")}
        UNION ALL
        SELECT t.id, t.type, r.stage FROM told t LEFT JOIN refund r ON r.gateway_ref = t.ref
         WHERE t.kind = 'refund' AND (r.id IS NULL OR {REFUND_RANK.format("r.stage")} < {REFUND_RANK.format("t.stage")})
        UNION ALL
        SELECT t.id, t.type, d.stage FROM told t LEFT JOIN dispute d ON d.gateway_ref = t.ref
         WHERE t.kind = 'dispute'
           AND (d.id IS NULL OR {DISPUTE_RANK.format("d.stage")} < {DISPUTE_RANK.format("t.stage")})""",
}


def broken(shop: Shop, *, books: bool = True, most: int = 5) -> list[str]:
    """Which do not hold, with some of the rows; with `books` those too that need the gateway's own."""
    said = []
    if books:
        _copy_the_books(shop)
    for sentence, sql in (OURS | BOOKS if books else OURS).items():
        if found := rows(sql):
            said.append(f"NOT: {sentence} ({len(found)}): {[tuple(row) for row in found[:most]]}")
    if not is_postgresql() and [tuple(row) for row in rows("PRAGMA integrity_check")] != [("ok",)]:
        said.append("NOT: the database is whole")
    return said


def count(books: bool = True) -> int:
    return len(OURS | BOOKS if books else OURS)


def contents() -> dict[str, list[Any]]:
    """Every row of every table, to be compared with what is there later."""
    found = {}
    for table in sorted(row[0] for row in rows(TABLES[is_postgresql()])):
        found[table] = sorted(json.dumps(list(row), default=str) for row in rows(f"SELECT * FROM {table}"))
    return found


def changed(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> list[str]:
    return [
        f"{table}: {len(set(before[table]) ^ set(after[table]))} rows differ, such as "
        f"{sorted(set(before[table]) ^ set(after[table]))[:2]}"
        for table in before
        if before[table] != after[table]
    ]


def _copy_the_books(shop: Shop) -> None:
    for table in ("charge", "charge_refund", "charge_dispute", "told"):
        run(f"DROP TABLE IF EXISTS {table}")
    run("CREATE TEMP TABLE charge (ref TEXT, payment_id TEXT, amount BIGINT, currency TEXT, method TEXT, stage TEXT)")
    run("CREATE TEMP TABLE charge_refund (ref TEXT, amount BIGINT, stage TEXT)")
    run("CREATE TEMP TABLE charge_dispute (ref TEXT, stage TEXT)")
    run("CREATE TEMP TABLE told (id TEXT, type TEXT, kind TEXT, ref TEXT, payment_id TEXT, stage TEXT)")
    _fill("charge", shop.told("SELECT ref, payment_id, amount, currency, method, stage FROM payment"))
    _fill("charge_refund", shop.told("SELECT ref, amount, stage FROM refund"))
    _fill("charge_dispute", shop.told("SELECT ref, stage FROM dispute"))
    events = []
    for row in shop.told("SELECT id, type, data FROM event ORDER BY at"):
        data = json.loads(row["data"])
        if data["object"] != "method":
            named = {"kind": data["object"], "ref": data["ref"], "payment_id": data["payment_id"]}
            events.append({"id": row["id"], "type": row["type"], **named, "stage": data["stage"]})
    _fill("told", events)


def _fill(table: str, found: list[dict[str, Any]]) -> None:
    holes = ", ".join("?" * len(found[0])) if found else ""
    with db.atomic():
        for row in found:
            run(f"INSERT INTO {table} VALUES ({holes})", *row.values())


def unbooked(shop: Shop, invoices: list[Invoice]) -> list[str]:
    """Of these invoices, what the gateway has taken and the books do not say so; or the other way round."""
    taken: Counter[str] = Counter()
    for row in shop.charges(*invoices):
        taken[row["payment_id"]] += row["amount"] if row["stage"] == "succeeded" else 0
    ids = [invoice.id for invoice in invoices]
    booked: Counter[str] = Counter()
    received = (Booking.kind == "received") & Booking.invoice.in_(ids) & (Payment.gateway != BY_HAND)
    for row in Booking.select().join(Payment).where(received):
        booked[row.payment_id] += row.amount
    return [f"{id}: {taken[id]} taken, {booked[id]} booked" for id in taken | booked if taken[id] != booked[id]]
