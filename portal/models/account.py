"""An account is one company that sends links; everything else belongs to exactly one."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from datetime import datetime
from typing import Any, Self

from peewee import SQL, BlobField, BooleanField, CharField, Check, ForeignKeyField, IntegerField, TextField

from portal.models.base import ALPHABET, IdField, InstantField, JsonField, Row, db, locked, one
from portal.models.record import Record

PREFIX_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
KEY_LETTERS = 32
LOOKUP_LETTERS = 8


class OneWay(ValueError):
    """A switch that can only be thrown once was asked to go back."""


class ChosenField(JsonField):
    """A JSON value that may be null, in a column that may not: nothing was chosen."""

    def __init__(self) -> None:
        super().__init__(default=lambda: None)  # called, so that it is inserted; a plain None would not be

    def db_value(self, value: Any) -> str:
        return "null" if value is None else str(super().db_value(value))


class Account(Row):
    id = IdField()
    created_at = InstantField()
    closed_at = InstantField(null=True)
    mode = CharField(max_length=4, constraints=[Check("mode IN ('test', 'live')")])
    name = TextField()
    company = JsonField(default=dict)  # {name, address, tax_id}
    support_email = TextField(null=True)
    accent_color = CharField(max_length=7, default="#0b5cad")
    timezone = CharField(max_length=64, default="Etc/UTC")
    memo = TextField(null=True)
    footer = TextField(null=True)
    embed_origins = JsonField(default=list)
    payment_methods = ChosenField()  # None: nothing was chosen, domain.methods.DEFAULT counts
    payment_method_limits = JsonField(default=dict)
    save_payment_method = CharField(max_length=8, default="off")
    partial_payments = JsonField(default=lambda: {"allowed": False, "minimum": None})
    bank_accounts = JsonField(default=list)
    reminders = JsonField(default=list)
    invoice_link_days_after_due = IntegerField(default=30)
    refreshed_link_days = IntegerField(default=60)
    hide_voided_invoices = BooleanField(default=False)
    hide_zero_quantity_lines = BooleanField(default=False)
    customer_portal_sessions_only = BooleanField(default=False)
    number_prefix = CharField(max_length=6, unique=True)
    last_number = IntegerField(default=0)
    # Counted by the database: what items, metrics and prices are called (models.notices).
    catalog = IntegerField(default=0, constraints=[SQL("DEFAULT 0")])

    @classmethod
    def open(cls, name: str, now: datetime, *, mode: str, by: str, **settings: Any) -> Self:
        prefix = "".join(secrets.choice(PREFIX_LETTERS) for _ in range(6))
        with db.atomic():
            account = cls.create(name=name, created_at=now, mode=mode, number_prefix=prefix, **settings)
            Record.write(account.id, now, by, "account.created", account.id)
        return account

    def configure(self, changes: dict[str, Any], now: datetime, by: str) -> None:
        """Changes settings, all or none. Raises OneWay for a way back from sessions only."""
        with db.atomic():
            held = locked(Account.select().where(Account.id == self.id)).get()
            if held.customer_portal_sessions_only and changes.get("customer_portal_sessions_only") is False:
                raise OneWay("customer_portal_sessions_only cannot be turned off once it is on")
            changed = {name: value for name, value in changes.items() if getattr(held, name) != value}
            for name, value in changed.items():
                setattr(self, name, value)
            if changed:
                Account.update(**changed).where(Account.id == self.id).execute()
                Record.write(self.id, now, by, "account.changed", self.id, changed=sorted(changed))

    def next_number(self) -> str:
        """The next invoice number, without a gap: it is given back if the transaction fails."""
        (last,) = (
            Account.update(last_number=Account.last_number + 1)
            .where(Account.id == self.id)
            .returning(Account.last_number)
            .tuples()
            .execute()
        )[0]
        return f"{self.number_prefix}-{last:05d}"


class Logo(Row):
    """The account's logo, re-encoded as PNG when it was uploaded."""

    account = ForeignKeyField(Account, primary_key=True, backref="logos")
    account_id: str
    png = BlobField()
    width = IntegerField()
    height = IntegerField()
    digest = CharField(max_length=64)
    created_at = InstantField()


class ApiKey(Row):
    """A key is shown once; only its SHA-256 is kept (32 random letters need no slow hash)."""

    id = IdField()
    account = ForeignKeyField(Account, backref="api_keys")
    account_id: str
    lookup = CharField(max_length=LOOKUP_LETTERS, index=True)
    digest = CharField(max_length=64, unique=True)
    created_at = InstantField()
    created_by = TextField()
    revoked_at = InstantField(null=True)

    @classmethod
    def mint(cls, account: Account, now: datetime, by: str) -> tuple[Self, str]:
        """A new key's row and its text, `portal_<mode>_<32 letters>_<checksum>`."""
        secret = "".join(secrets.choice(ALPHABET) for _ in range(KEY_LETTERS))
        body = f"portal_{account.mode}_{secret}"
        text = f"{body}_{checksum(body)}"
        with db.atomic():
            key = cls.create(
                account=account, lookup=secret[:LOOKUP_LETTERS], digest=digest(text), created_at=now, created_by=by
            )
            Record.write(account.id, now, by, "api_key.created", key.id)
        return key, text

    @classmethod
    def known(cls, text: str) -> Self | None:
        """The live key that `text` is. A mistyped one fails its checksum before the database is asked."""
        row = one(KNOWN, digest(text)) if is_key(text) else None
        if row is None:
            return None
        id, *account = row
        return cls(__no_default__=True, id=id, account=Account.read(account))

    def revoke(self, now: datetime, by: str) -> None:
        with db.atomic():
            ApiKey.update(revoked_at=now).where(ApiKey.id == self.id, ApiKey.revoked_at.is_null()).execute()
            Record.write(self.account_id, now, by, "api_key.revoked", self.id)


# By hand, for it runs before every call (decision 8).
KNOWN = f"""
SELECT k.id, {Account.columns("a")} FROM api_key k JOIN account a ON a.id = k.account_id
 WHERE k.digest = ? AND k.revoked_at IS NULL AND a.closed_at IS NULL
"""  # noqa: S608 - our own names


def is_key(text: str) -> bool:
    """Could it be a key? Its checksum holds."""
    body, _, check = text.rpartition("_")
    return body.startswith("portal_") and text.isascii() and checksum(body) == check


def checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
