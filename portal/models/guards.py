"""What must hold for ever is held by the database: triggers, put in place again after every migration.

A rebuilt SQLite table loses its triggers without a word, so `schema.migrate` installs them all and then asks the
catalogue whether they are there.
"""

from __future__ import annotations

from dataclasses import dataclass

from portal.models.base import db, is_postgresql


class GuardMissing(RuntimeError):
    """A trigger or an index that must exist does not."""


@dataclass(frozen=True)
class Guard:
    """Before `event` on a row of `table`: refuse with `message` if `condition` holds. `{differs}` tells NULLs apart."""

    table: str
    event: str  # UPDATE | INSERT | DELETE
    name: str
    condition: str
    message: str

    @property
    def trigger(self) -> str:
        return f"{self.table}_{self.name}_{self.event.lower()}"

    def sqlite(self) -> list[str]:
        condition = self.condition.format(differs="IS NOT")
        return [
            f"DROP TRIGGER IF EXISTS {self.trigger}",
            f"CREATE TRIGGER {self.trigger} BEFORE {self.event} ON {self.table} FOR EACH ROW WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{self.message}'); END",
        ]

    def postgresql(self) -> list[str]:
        condition = self.condition.format(differs="IS DISTINCT FROM")
        row = "OLD" if self.event == "DELETE" else "NEW"
        return [
            f"CREATE OR REPLACE FUNCTION {self.trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} "
            f"THEN RAISE EXCEPTION '{self.message}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
            f"RETURN {row}; END $$",
            f"DROP TRIGGER IF EXISTS {self.trigger} ON {self.table}",
            f"CREATE TRIGGER {self.trigger} BEFORE {self.event} ON {self.table} FOR EACH ROW "
            f"EXECUTE FUNCTION {self.trigger}()",
        ]


def _append_only(table: str) -> list[Guard]:
    message = f"{table} rows are only ever added"
    again = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608 - our own table names
    return [
        Guard(table, "UPDATE", "kept", "1 = 1", message),
        Guard(table, "DELETE", "kept", "1 = 1", message),
        Guard(table, "INSERT", "kept", again, message),  # REPLACE would delete the row it meets
    ]


def _frozen(columns: str) -> str:
    return " OR ".join(f"OLD.{column} {{differs}} NEW.{column}" for column in columns.split())


ONE_WAY = "customer_portal_sessions_only cannot be turned off"
LINK_KEPT = "a link cannot be deleted, only ended"
INVOICE_FROZEN = "an issued invoice is a frozen document"
DAYS_FROZEN = "the days of an issued invoice are frozen"
NOT_DRAFT = "(SELECT status FROM invoice WHERE id = {row}.invoice_id) <> 'draft'"

GUARDS = [
    Guard(
        "account",
        "UPDATE",
        "sessions_only",
        "OLD.customer_portal_sessions_only AND (NEW.customer_portal_sessions_only {differs} TRUE OR OLD.id <> NEW.id)",
        ONE_WAY,
    ),
    Guard("account", "DELETE", "sessions_only", "OLD.customer_portal_sessions_only", ONE_WAY),
    Guard(
        "account",
        "INSERT",
        "sessions_only",
        "EXISTS (SELECT 1 FROM account WHERE customer_portal_sessions_only "
        "AND (id = NEW.id OR number_prefix = NEW.number_prefix))",
        ONE_WAY,
    ),
    *_append_only("record"),
    *_append_only("balance_transaction"),
    Guard(
        "link",
        "UPDATE",
        "kept",
        _frozen("id token_id kind account_id customer_id invoice_id kid token_exp created_at created_by")
        + " OR (OLD.expires_at IS NOT NULL AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at))"
        + " OR (OLD.ended_at IS NOT NULL AND ("
        + _frozen("ended_at ended_by ended_how reason")
        + "))",
        "a link keeps its terms, and once ended it stays ended",
    ),
    Guard("link", "DELETE", "kept", "1 = 1", LINK_KEPT),
    Guard(
        "link",
        "INSERT",
        "kept",
        "EXISTS (SELECT 1 FROM link WHERE id = NEW.id OR token_id = NEW.token_id)",
        LINK_KEPT,
    ),
    Guard(
        "invoice",
        "UPDATE",
        "frozen",
        "OLD.status <> 'draft' AND (NEW.status = 'draft' OR "
        + _frozen(
            "id account_id customer_id subscription_id source number currency invoice_date due_date issued_at "
            "memo subtotal total balance_applied amount_due document"
        )
        + ")",
        INVOICE_FROZEN,
    ),
    Guard("invoice", "DELETE", "frozen", "OLD.status <> 'draft'", INVOICE_FROZEN),
    Guard(
        "invoice",
        "INSERT",
        "frozen",
        "EXISTS (SELECT 1 FROM invoice WHERE status <> 'draft' "
        "AND (id = NEW.id OR (account_id = NEW.account_id AND number = NEW.number)))",
        INVOICE_FROZEN,
    ),
    Guard("line_days", "UPDATE", "frozen", NOT_DRAFT.format(row="OLD"), DAYS_FROZEN),
    Guard("line_days", "DELETE", "frozen", NOT_DRAFT.format(row="OLD"), DAYS_FROZEN),
    Guard("line_days", "INSERT", "frozen", NOT_DRAFT.format(row="NEW"), DAYS_FROZEN),
]
PARTIAL_INDEXES = ("link_one_live_an_invoice", "link_one_permanent_a_customer")


def install() -> None:
    """Puts every trigger in place, and then asks the catalogue for all of them. Raises GuardMissing."""
    with db.atomic():
        for guard in GUARDS:
            for statement in guard.postgresql() if is_postgresql() else guard.sqlite():
                db.execute_sql(statement)
    assert_present()


def assert_present() -> None:
    missing = ({guard.trigger for guard in GUARDS} | set(PARTIAL_INDEXES)) - present()
    if missing:
        raise GuardMissing(f"the database lacks {', '.join(sorted(missing))}: run `portal migrate`")


def present() -> set[str]:
    """The names of all triggers and indexes that the database's own catalogue lists."""
    catalogue = (
        "SELECT tgname FROM pg_trigger UNION SELECT indexname FROM pg_indexes"
        if is_postgresql()
        else "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'index')"
    )
    return {name for (name,) in db.execute_sql(catalogue).fetchall()}
