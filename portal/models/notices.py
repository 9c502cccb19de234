"""What the database does by itself when a row changes: it works out sums again, and counts what pages show.

Triggers, put in place with the guards. Deeds are SQL statements; none of them refuses anything.
"""

from __future__ import annotations

from dataclasses import dataclass


def differ(columns: str) -> str:
    """Is one of `columns` another than it was? `{differs}` tells NULLs apart."""
    return " OR ".join(f"OLD.{column} {{differs}} NEW.{column}" for column in columns.split())


@dataclass(frozen=True)
class Notice:
    """After `event` on a row of `table`, where `condition` holds: `deed`, an SQL statement.

    `{row}` is the row, and `{differs}` tells NULLs apart.
    """

    table: str
    event: str  # UPDATE | INSERT | DELETE
    name: str
    deed: str
    condition: str = ""

    @property
    def trigger(self) -> str:
        return f"{self.table}_{self.name}_{self.event.lower()}"

    @property
    def row(self) -> str:
        return "OLD" if self.event == "DELETE" else "NEW"

    def sqlite(self) -> list[str]:
        when = f"WHEN {self.condition.format(differs='IS NOT')} " if self.condition else ""
        return [
            f"DROP TRIGGER IF EXISTS {self.trigger}",
            f"CREATE TRIGGER {self.trigger} AFTER {self.event} ON {self.table} FOR EACH ROW {when}"
            f"BEGIN {self.deed.format(row=self.row)}; END",
        ]

    def postgresql(self) -> list[str]:
        when = f"WHEN ({self.condition.format(differs='IS DISTINCT FROM')}) " if self.condition else ""
        return [
            f"CREATE OR REPLACE FUNCTION {self.trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"{self.deed.format(row=self.row)}; RETURN NULL; END $$",
            f"DROP TRIGGER IF EXISTS {self.trigger} ON {self.table}",
            f"CREATE TRIGGER {self.trigger} AFTER {self.event} ON {self.table} FOR EACH ROW {when}"
            f"EXECUTE FUNCTION {self.trigger}()",
        ]


@dataclass(frozen=True)
class Usage:
    """After `event` on days of usage: the account page of each customer among them looks different.

    On PostgreSQL once a statement, however many days it brings; customers are held in the order of their ids, so that
    two statements never wait for each other.
    """

    event: str
    table: str = "usage_day"

    @property
    def trigger(self) -> str:
        return f"{self.table}_home_{self.event.lower()}"

    def sqlite(self) -> list[str]:
        return Notice(self.table, self.event, "home", HOME).sqlite()

    def postgresql(self) -> list[str]:
        changed = "OLD" if self.event == "DELETE" else "NEW"
        whose = "IN (SELECT customer_id FROM changed)"
        hold = f"PERFORM 1 FROM published_home WHERE customer_id {whose} ORDER BY customer_id FOR NO KEY UPDATE"
        return [
            f"CREATE OR REPLACE FUNCTION {self.trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"{hold}; {HOME_OF} {whose}; RETURN NULL; END $$",
            f"DROP TRIGGER IF EXISTS {self.trigger} ON {self.table}",
            f"CREATE TRIGGER {self.trigger} AFTER {self.event} ON {self.table} "
            f"REFERENCING {changed} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION {self.trigger}()",
        ]


def _again(whose: str, id: str) -> str:
    """The page of the newest invoices of a customer or an account is rendered again."""
    newest = f"SELECT id FROM invoice WHERE {whose} = {id} ORDER BY invoice_date DESC LIMIT 10000"  # noqa: S608 - ours
    return f"UPDATE published SET due_at = 0 WHERE invoice_id IN ({newest})"  # noqa: S608 - our own names


# What a customer owes is worked out again from her open invoices. The row is held first, by a statement of its own:
# PostgreSQL's next one then sees what those have done who held it before. An invoice that has counted nothing has no
# payments or credit notes and is not asked for them, as most that are open: the index says it all.
OWING = """
INSERT INTO owing (customer_id, currency, count, remaining) VALUES ({row}.customer_id, {row}.currency, 0, 0)
  ON CONFLICT (customer_id, currency) DO UPDATE SET count = owing.count;
UPDATE owing SET (count, remaining) = (
  SELECT COUNT(*), COALESCE(SUM(asked.remaining), 0) FROM (
    SELECT i.amount_due - CASE i.revision WHEN 0 THEN 0
           ELSE COALESCE((SELECT SUM(b.amount) FROM booking b WHERE b.invoice_id = i.id), 0)
              + COALESCE((SELECT SUM(n.applied) FROM credit_note n
                           WHERE n.invoice_id = i.id AND n.voided_at IS NULL), 0) END AS remaining
      FROM invoice i
     WHERE i.customer_id = {row}.customer_id AND i.currency = {row}.currency AND i.status IN ('issued', 'synced')
  ) asked WHERE asked.remaining > 0
) WHERE customer_id = {row}.customer_id AND currency = {row}.currency
"""
BRAND = "name support_email accent_color mode hide_zero_quantity_lines bank_accounts"
# An invoice counts what happens to its payments, a customer's account page whatever it shows, an account what its
# catalog says. A page that is kept can then be known to be of today, whoever wrote, and in whatever way. Where all of
# somebody's pages look different the newest are enough; others are rendered when asked for (models.published).
HOME_OF = "UPDATE published_home SET revision = revision + 1, due_at = 0 WHERE customer_id"
HOME = HOME_OF + " = {row}.customer_id"
PUBLISH = """
INSERT INTO published (invoice_id, version, build, due_at) VALUES (NEW.id, '', '', 0)
  ON CONFLICT (invoice_id) DO UPDATE SET due_at = 0;
"""
SUBSCRIBED = "(SELECT customer_id FROM subscription WHERE id = {row}.subscription_id)"
# What the account page shows of a subscription; when the worker looks at it next is no part of it.
AGREED = (
    "name currency start_date end_date billing_cycle_day net_terms terms plan_id anchor trial_end ends_at coupon "
    "auto_issuance invoicing_threshold"
)
COUNTED = "UPDATE invoice SET revision = revision + 1 WHERE id = {row}.invoice_id"
PAID = "OLD.status <> NEW.status OR OLD.revision <> NEW.revision"
EVENTS = ("INSERT", "UPDATE", "DELETE")
NOTICES: list[Notice | Usage] = [
    *(Notice(table, event, "counted", COUNTED) for table in ("booking", "credit_note") for event in EVENTS),
    # An allocation stands where its payment does, and its invoice looks different whenever that changes.
    Notice(
        "payment",
        "UPDATE",
        "moved",
        "UPDATE allocation SET stage = NEW.stage WHERE payment_id = NEW.id",
        differ("stage"),
    ),
    Notice("allocation", "INSERT", "counted", COUNTED),
    Notice("allocation", "UPDATE", "counted", COUNTED, differ("stage returned")),
    *(Notice("saved_method", event, "home", HOME) for event in EVENTS),
    Notice(
        "invoice",
        "UPDATE",
        "shown",
        PUBLISH + HOME,
        f"NEW.status <> 'draft' AND ({PAID})",
    ),
    Notice("invoice", "INSERT", "owed", OWING, "NEW.status IN ('issued', 'synced')"),
    Notice(
        "invoice",
        "UPDATE",
        "owed",
        OWING,
        f"(OLD.status IN ('issued', 'synced') OR NEW.status IN ('issued', 'synced')) AND ({PAID})",
    ),
    Notice(
        "customer",
        "INSERT",
        "home",
        "INSERT INTO published_home (customer_id, revision, version, build, due_at) VALUES (NEW.id, 0, '', '', 0)",
    ),
    Notice(
        "link",
        "INSERT",
        "home",
        "UPDATE published_home SET due_at = 0 WHERE customer_id = NEW.customer_id",
        "NEW.kind = 'customer'",
    ),
    Notice("customer", "UPDATE", "home", HOME.replace("{row}.customer_id", "NEW.id")),
    Notice("customer", "UPDATE", "shown", _again("customer_id", "NEW.id"), differ("locale timezone")),
    *(Notice("subscription", event, "home", HOME, differ(AGREED) if event == "UPDATE" else "") for event in EVENTS),
    *(Notice("credit_block", event, "home", HOME) for event in EVENTS),
    *(
        Notice(
            "subscription_price",
            event,
            "home",
            HOME.replace(
                "{row}.customer_id", "(SELECT customer_id FROM subscription WHERE id = {row}.subscription_id)"
            ),
        )
        for event in EVENTS
    ),
    *(Usage(event) for event in EVENTS),
    *(
        Notice(table, "UPDATE", "named", "UPDATE account SET catalog = catalog + 1 WHERE id = NEW.account_id")
        for table in ("item", "metric", "price")
    ),
    # What is measured is kept by those who count events, for as long as the catalog says the same.
    *(
        Notice("metric", event, "measured", "UPDATE account SET catalog = catalog + 1 WHERE id = {row}.account_id")
        for event in ("INSERT", "DELETE")
    ),
    Notice("account", "UPDATE", "shown", _again("account_id", "NEW.id"), differ(BRAND)),
    *(Notice("logo", event, "shown", _again("account_id", "{row}.account_id")) for event in EVENTS),
]
