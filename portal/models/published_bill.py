"""What the API says of an issued invoice and can change no more, written ahead; all the rest is read when it is asked.

The document of an issued invoice is frozen by the database, so what was written from it holds for as long as the same
code would write it: `build` names that code. Nothing else is kept, and so nothing can go stale.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from peewee import BlobField, CharField, ForeignKeyField

from portal.models.account import digest, is_key
from portal.models.base import JsonField, Row, instant, is_postgresql, one
from portal.models.collection import Collection
from portal.models.customer import BalanceTransaction, Customer
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import BY_HAND


class PublishedBill(Row):
    """The frozen part of an invoice, as the API says it."""

    invoice = ForeignKeyField(Invoice, primary_key=True)
    invoice_id: str
    build = CharField(max_length=16)
    body = BlobField()  # compression.Begun

    @classmethod
    def keep(cls, invoice_id: str, build: str, body: bytes) -> None:
        kept = cls.insert(invoice=invoice_id, build=build, body=body)
        kept.on_conflict(conflict_target=[cls.invoice], preserve=[cls.build, cls.body]).execute()

    @classmethod
    def is_kept(cls, invoice_id: str, build: str) -> bool:
        return bool(cls.select().where(cls.invoice == invoice_id, cls.build == build).exists())


@dataclass(frozen=True, slots=True)
class Fetched:
    """An issued invoice as one query brings it: its frozen part as it is kept, and as rows what still moves."""

    key_id: str  # the API key of its account that was shown
    body: bytes
    invoice: Invoice  # without what is frozen, but for its currency and what was asked for
    link: Link | None  # that has not ended
    plan: Collection | None
    settled: int  # minor units
    was_tried: bool  # through a gateway
    was_credited: bool
    moves: list[BalanceTransaction]  # of the customer's balance, oldest first

    @classmethod
    def of(cls, key: str, id: str, build: str) -> Self | None:
        """The invoice `id` of the account that `key` is of.

        None where the key is not live, its account has no such invoice, or nothing of it is kept by this `build`.
        """
        row = one(FETCH[is_postgresql()], build, digest(key), id) if is_key(key) else None
        if row is None:
            return None
        key_id, body, *facts, settled, tried, credited, moved = row
        invoice, link, plan = facts[:INVOICE], facts[INVOICE : INVOICE + LINK], facts[INVOICE + LINK :]
        moves = sorted(map(BalanceTransaction.read, json.loads(moved or "[]")), key=BalanceTransaction.when)
        rows = _invoice(invoice), _link(link), _plan(plan)
        return cls(key_id, bytes(body), *rows, int(settled), bool(tried), bool(credited), moves)


def _invoice(row: list[Any]) -> Invoice:
    id, customer_id, external_id, status, currency, amount_due, revision, metadata, methods, collects, issues, *at = row
    created_at, eligible_at, paid_at, voided_at, received_at = (None if one is None else instant(one) for one in at)
    return Invoice(
        __no_default__=True,
        id=id,
        customer=Customer(__no_default__=True, id=customer_id, external_id=external_id),
        status=status,
        currency=currency,
        amount_due=amount_due,
        revision=revision,
        metadata=JsonField().python_value(metadata),
        payment_methods=JsonField().python_value(methods),
        auto_collection=bool(collects),
        will_auto_issue=bool(issues),
        created_at=created_at,
        eligible_to_issue_at=eligible_at,
        paid_at=paid_at,
        voided_at=voided_at,
        payment_received_at=received_at,
    )


def _link(row: list[Any]) -> Link | None:
    id, token_id, kid, token_exp, expires_at = row
    if id is None:
        return None
    ends = None if expires_at is None else instant(expires_at)
    return Link(
        __no_default__=True, id=id, kind="invoice", token_id=token_id, kid=kid, token_exp=token_exp, expires_at=ends
    )


def _plan(row: list[Any]) -> Collection | None:
    tries, next_at, previous_at = row
    if tries is None:
        return None
    at, before = (None if one is None else instant(one) for one in (next_at, previous_at))
    return Collection(__no_default__=True, tries=tries, next_at=at, previous_at=before)


# By hand: who keeps books fetches invoices one by one (decision 8). What has counted nothing was neither paid nor
# credited, as in models.invoice.settlement.
INVOICE, LINK = 16, 5
BOOKED = "COALESCE((SELECT SUM(b.amount) FROM booking b WHERE b.invoice_id = i.id), 0)"
NOTED = "COALESCE((SELECT SUM(n.applied) FROM credit_note n WHERE n.invoice_id = i.id AND n.voided_at IS NULL), 0)"


def _fetch(as_json: str) -> str:
    """The query, which has the movements of the balance written down by `as_json`."""
    return f"""
SELECT y.id, f.body,
       i.id, i.customer_id, c.external_id, i.status, i.currency, i.amount_due, i.revision, i.metadata,
       i.payment_methods, i.auto_collection, i.will_auto_issue, i.created_at, i.eligible_to_issue_at, i.paid_at,
       i.voided_at, i.payment_received_at,
       l.id, l.token_id, l.kid, l.token_exp, l.expires_at,
       k.tries, k.next_at, k.previous_at,
       CASE i.revision WHEN 0 THEN 0 ELSE {BOOKED} + {NOTED} END,
       i.revision > 0 AND EXISTS (SELECT 1 FROM allocation s JOIN payment p ON p.id = s.payment_id
                                   WHERE s.invoice_id = i.id AND p.gateway <> '{BY_HAND}'),
       i.revision > 0 AND EXISTS (SELECT 1 FROM credit_note n WHERE n.invoice_id = i.id),
       (SELECT {as_json} FROM balance_transaction m WHERE m.invoice_id = i.id)
  FROM api_key y
  JOIN account a ON a.id = y.account_id AND a.closed_at IS NULL
  JOIN invoice i ON i.account_id = a.id AND i.status <> 'draft'
  JOIN published_bill f ON f.invoice_id = i.id AND f.build = ?
  JOIN customer c ON c.id = i.customer_id
  LEFT JOIN link l ON l.invoice_id = i.id AND l.kind = 'invoice' AND l.ended_at IS NULL
  LEFT JOIN collection k ON k.invoice_id = i.id
 WHERE y.digest = ? AND y.revoked_at IS NULL AND i.id = ?
"""  # noqa: S608 - our own names


MOVED = BalanceTransaction.columns("m")
FETCH = {
    False: _fetch(f"json_group_array(json_array({MOVED}))"),
    True: _fetch(f"CAST(json_agg(json_build_array({MOVED})) AS TEXT)"),  # PostgreSQL
}
