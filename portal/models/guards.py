"""What must hold for ever is held by the database: triggers, put in place again after every migration.

A rebuilt SQLite table loses its triggers without a word, so `schema.migrate` installs them all and then asks the
catalogue whether they are there.
"""

from __future__ import annotations

from dataclasses import dataclass

from portal.models.base import db, is_postgresql
from portal.models.notices import NOTICES, Notice, Usage


class GuardMissing(RuntimeError):
    """A trigger or an index that must exist does not."""


@dataclass(frozen=True)
class Guard:
    """Before `event` on a row of `table`: refuse with `message` if `condition` holds.

    `{differs}` tells NULLs apart. `met` is for SQLite, whose REPLACE removes the rows it meets and asks no DELETE
    trigger: it refuses if the new row meets one that is to be kept.
    """

    table: str
    event: str  # UPDATE | INSERT | DELETE | TRUNCATE
    name: str
    condition: str
    message: str
    met: str = ""

    @property
    def trigger(self) -> str:
        return f"{self.table}_{self.name}_{self.event.lower()}"

    def sqlite(self) -> list[str]:
        condition = self.condition.format(differs="IS NOT") + (f" OR {self.met}" if self.met else "")
        return [
            f"DROP TRIGGER IF EXISTS {self.trigger}",
            f"CREATE TRIGGER {self.trigger} BEFORE {self.event} ON {self.table} FOR EACH ROW WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{self.message}'); END",
        ]

    def postgresql(self) -> list[str]:
        condition = self.condition.format(differs="IS DISTINCT FROM")
        row = {"DELETE": "OLD", "TRUNCATE": "NULL"}.get(self.event, "NEW")
        each = "STATEMENT" if self.event == "TRUNCATE" else "ROW"
        return [
            f"CREATE OR REPLACE FUNCTION {self.trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} "
            f"THEN RAISE EXCEPTION '{self.message}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
            f"RETURN {row}; END $$",
            f"DROP TRIGGER IF EXISTS {self.trigger} ON {self.table}",
            f"CREATE TRIGGER {self.trigger} BEFORE {self.event} ON {self.table} FOR EACH {each} "
            f"EXECUTE FUNCTION {self.trigger}()",
        ]


def _kept(table: str, name: str, message: str, *, kept: str, change: str, same: tuple[str, ...]) -> list[Guard]:
    """Rows that are `kept` stay: no DELETE, no `change` by UPDATE, and no other row in their place.

    `kept` speaks of a row as `{row}`; `same` are the ways in which a new row could take the place of `met`.
    """

    def meets(ways: tuple[str, ...], more: str = "") -> str:
        # One question a way: a single one with OR would read the whole table.
        stays = kept.format(row="met")
        return " OR ".join(f"EXISTS (SELECT 1 FROM {table} AS met WHERE {way} AND ({stays}){more})" for way in ways)  # noqa: S608 - our own names

    rowid = ("met.rowid = NEW.rowid",)
    another = " AND met.rowid <> OLD.rowid"
    return [
        Guard(
            table, "UPDATE", name, f"({kept.format(row='OLD')}) AND ({change})", message, meets(same + rowid, another)
        ),
        Guard(table, "DELETE", name, kept.format(row="OLD"), message),
        Guard(table, "INSERT", name, meets(same), message, meets(rowid)),
        Guard(table, "TRUNCATE", name, "TRUE", message),
    ]


def _frozen(columns: str) -> str:
    return " OR ".join(f"OLD.{column} {{differs}} NEW.{column}" for column in columns.split())


ALWAYS = "1 = 1"
DAYS_FROZEN = "the days of an issued invoice are frozen"
NOT_DRAFT = "(SELECT status FROM invoice WHERE id = {row}.invoice_id) <> 'draft'"
BOTH_LIVE = "met.kind = NEW.kind AND met.ended_at IS NULL AND NEW.ended_at IS NULL"

GUARDS = [
    *_kept(
        "account",
        "sessions_only",
        "customer_portal_sessions_only cannot be turned off",
        kept="{row}.customer_portal_sessions_only",
        change="NEW.customer_portal_sessions_only {differs} TRUE OR OLD.id <> NEW.id",
        same=("met.id = NEW.id", "met.number_prefix = NEW.number_prefix"),
    ),
    *(
        guard
        for table in ("record", "balance_transaction", "credit_entry", "event_before")
        for guard in _kept(
            table, "kept", f"{table} rows are only ever added", kept=ALWAYS, change=ALWAYS, same=("met.id = NEW.id",)
        )
    ),
    *_kept(
        "booking",
        "kept",
        "booking rows are only ever added",
        kept=ALWAYS,
        change=ALWAYS,
        same=(
            "met.id = NEW.id",
            "met.payment_id = NEW.payment_id AND met.invoice_id = NEW.invoice_id AND met.kind = NEW.kind "
            "AND met.ref = NEW.ref",
        ),
    ),
    *_kept(
        "payment",
        "kept",
        "a payment is never deleted or replaced, keeps its terms, and once it has succeeded it has",
        kept=ALWAYS,
        change=_frozen("id account_id customer_id created_at created_by link_id gateway method currency amount")
        + " OR (OLD.gateway_ref IS NOT NULL AND OLD.gateway_ref {differs} NEW.gateway_ref)"
        + " OR (OLD.stage = 'succeeded' AND NEW.stage <> 'succeeded')",
        same=("met.id = NEW.id", "met.gateway = NEW.gateway AND met.gateway_ref = NEW.gateway_ref"),
    ),
    *_kept(
        "allocation",
        "kept",
        "an allocation is never deleted or replaced, and keeps its terms",
        kept=ALWAYS,
        change=_frozen("id payment_id invoice_id created_at amount"),
        same=(
            "met.id = NEW.id",
            "met.payment_id = NEW.payment_id AND met.invoice_id = NEW.invoice_id",
            "met.invoice_id = NEW.invoice_id AND met.stage IN ('begun', 'action', 'processing') "
            "AND NEW.stage IN ('begun', 'action', 'processing')",
        ),
    ),
    *_kept(
        "link",
        "kept",
        "a link is never deleted or replaced, keeps its terms, and once ended stays ended",
        kept=ALWAYS,
        change=_frozen("id token_id kind account_id customer_id invoice_id kid token_exp created_at created_by")
        + " OR (OLD.expires_at IS NOT NULL AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at))"
        + " OR (OLD.ended_at IS NOT NULL AND ("
        + _frozen("ended_at ended_by ended_how reason")
        + "))",
        same=(
            "met.id = NEW.id",
            "met.token_id = NEW.token_id",
            f"met.invoice_id = NEW.invoice_id AND NEW.kind = 'invoice' AND {BOTH_LIVE}",
            f"met.customer_id = NEW.customer_id AND NEW.kind = 'customer' AND {BOTH_LIVE}",
        ),
    ),
    *_kept(
        "invoice",
        "frozen",
        "an issued invoice is a frozen document",
        kept="{row}.status <> 'draft'",
        change="NEW.status = 'draft' OR "
        + _frozen(
            "id account_id customer_id subscription_id source number currency invoice_date due_date issued_at "
            "memo subtotal total balance_applied amount_due document"
        )
        + " OR NEW.revision < OLD.revision",
        same=("met.id = NEW.id", "met.account_id = NEW.account_id AND met.number = NEW.number"),
    ),
    *_kept(
        "line_days",
        "frozen",
        DAYS_FROZEN,
        kept=NOT_DRAFT,
        change=ALWAYS,
        same=("met.invoice_id = NEW.invoice_id AND met.line_id = NEW.line_id",),
    ),
    Guard("line_days", "INSERT", "added", NOT_DRAFT.format(row="NEW"), DAYS_FROZEN),
    Guard("line_days", "UPDATE", "added", NOT_DRAFT.format(row="NEW"), DAYS_FROZEN),
]
PARTIAL_INDEXES = (
    "link_one_live_an_invoice",
    "link_one_permanent_a_customer",
    "invoice_open_by_due_date",
    "invoice_open_by_date",
    "invoice_open_by_currency",
    "invoice_waiting",
    "invoice_one_a_period",
    "coupon_one_live_a_code",
    "event_waiting_for_customer",
    "event_of_backfill",
    "credit_block_that_expires",
    "allocation_one_live_an_invoice",
    "saved_method_one_default_a_customer",
)


def install() -> None:
    """Puts every trigger in place, and then asks the catalogue for all of them. Raises GuardMissing."""
    with db.atomic():
        for guard in here():
            for statement in guard.postgresql() if is_postgresql() else guard.sqlite():
                db.execute_sql(statement)
    assert_present()


def here() -> list[Guard | Notice | Usage]:
    """The triggers of this kind of database: SQLite has no TRUNCATE."""
    triggers: list[Guard | Notice | Usage] = [*GUARDS, *NOTICES]
    return [trigger for trigger in triggers if is_postgresql() or trigger.event != "TRUNCATE"]


def assert_present() -> None:
    missing = ({guard.trigger for guard in here()} | set(PARTIAL_INDEXES)) - present()
    if missing:
        raise GuardMissing(f"the database lacks {', '.join(sorted(missing))}: run `portal migrate`")


def present() -> set[str]:
    """The names of all triggers and indexes that the database's own catalogue lists."""
    catalogue = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION SELECT indexname FROM pg_indexes"
        if is_postgresql()
        else "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'index')"
    )
    return {name for (name,) in db.execute_sql(catalogue).fetchall()}
