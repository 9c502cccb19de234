"""Events and their rollups, plans, coupons, prepaid credits, credit notes, and what subscriptions are billed by.

The triggers are put in place by `portal.models.guards`.
"""

import secrets
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    CharField,
    Check,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# By hand: on SQLite the migrator would copy a whole table to put in a column.
COLUMNS = (
    ("metric", "archived_at", "BIGINT"),
    ("metric", "dimensions", "TEXT"),
    ("price", "external_id", "TEXT"),
    ("subscription", "plan_id", "VARCHAR(16) REFERENCES plan (id)"),
    ("subscription", "starts_at", "BIGINT"),
    ("subscription", "ends_at", "BIGINT"),
    ("subscription", "anchor", "VARCHAR(10)"),
    ("subscription", "trial_end", "VARCHAR(10)"),
    ("subscription", "metadata", "TEXT"),
    ("subscription", "auto_collection", "BOOLEAN"),
    ("subscription", "auto_issuance", "BOOLEAN"),
    ("subscription", "invoicing_threshold", "BIGINT"),
    ("subscription", "default_invoice_memo", "TEXT"),
    ("subscription", "coupon", "TEXT"),
    ("subscription", "bill_at", "BIGINT"),
    ("subscription", "billed_to", "VARCHAR(10)"),
    ("subscription_price", "interval_id", "VARCHAR(16)"),
    ("subscription_price", "start_date", "VARCHAR(10)"),
    ("subscription_price", "end_date", "VARCHAR(10)"),
    ("invoice", "billing_date", "VARCHAR(10)"),
    ("invoice", "manual_lines", "TEXT"),
    ("customer", "deleted_at", "BIGINT"),
)
# Each is the beginning of another index of its table.
NOT_NEEDED = ("metric_account_id", "price_account_id", "subscription_account_id")
INDEXES = (
    'CREATE INDEX "metric_account_id_created_at_id" ON "metric" ("account_id", "created_at", "id")',
    'CREATE UNIQUE INDEX "price_account_id_external_id" ON "price" ("account_id", "external_id")',
    'CREATE INDEX "price_account_id_created_at_id" ON "price" ("account_id", "created_at", "id")',
    'CREATE INDEX "subscription_account_id_created_at_id" ON "subscription" ("account_id", "created_at", "id")',
    'CREATE INDEX "subscription_plan_id" ON "subscription" ("plan_id")',
    'CREATE INDEX "subscription_bill_at" ON "subscription" ("bill_at")',
    'CREATE UNIQUE INDEX "invoice_one_a_period" ON "invoice" ("subscription_id", "billing_date") '
    """WHERE (("source" = 'subscription') AND ("billing_date" IS NOT NULL))""",
    """CREATE INDEX "credit_block_that_expires" ON "credit_block" ("expires_at") WHERE balance <> '0'""",
)


def up(migrator, db):
    sqlite = isinstance(getattr(db, "obj", db), SqliteDatabase)

    class Row(Model):
        class Meta:
            database = db
            legacy_table_names = False  # or indexes are named after the class

    class Account(Row):
        id = CharField(max_length=16, primary_key=True)

    class Customer(Row):
        id = CharField(max_length=16, primary_key=True)

    class Metric(Row):
        id = CharField(max_length=16, primary_key=True)

    class Price(Row):
        id = CharField(max_length=16, primary_key=True)

    class Subscription(Row):
        id = CharField(max_length=16, primary_key=True)

    class Invoice(Row):
        id = CharField(max_length=16, primary_key=True)

    class Plan(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        created_at = BigIntegerField()
        name = TextField()
        description = TextField()
        external_id = TextField(null=True)
        currency = CharField(max_length=3)
        net_terms = IntegerField(null=True)
        default_invoice_memo = TextField(null=True)
        status = CharField(max_length=8, constraints=[Check("status IN ('active', 'archived', 'draft')")])
        metadata = TextField()
        product_id = CharField(max_length=16)
        adjustments = TextField()
        trial_days = IntegerField(null=True)

        class Meta:
            indexes = ((("account", "external_id"), True), (("account", "created_at", "id"), False))

    class PlanPrice(Row):
        plan = ForeignKeyField(Plan, index=False)
        price = ForeignKeyField(Price)
        position = IntegerField()

        class Meta:
            primary_key = CompositeKey("plan", "price")

    class Coupon(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        created_at = BigIntegerField()
        code = TextField()
        discount = TextField()
        months = IntegerField(null=True)
        most = IntegerField(null=True)
        redeemed = IntegerField()
        archived_at = BigIntegerField(null=True)

        class Meta:
            indexes = ((("account", "created_at", "id"), False),)

    Coupon.add_index(
        Coupon.index(
            Coupon.account, Coupon.code, unique=True, where=Coupon.archived_at.is_null(), name="coupon_one_live_a_code"
        )
    )

    class UsageDay(Row):
        customer = ForeignKeyField(Customer, index=False)
        metric = ForeignKeyField(Metric, index=False)
        day = CharField(max_length=10)
        cell = TextField()
        quantity = TextField()
        count = BigIntegerField(constraints=[SQL("DEFAULT 0")])
        at = BigIntegerField(constraints=[SQL("DEFAULT 0")])

        class Meta:
            primary_key = CompositeKey("customer", "metric", "day", "cell")
            without_rowid = sqlite

    class UsageValue(Row):
        customer = ForeignKeyField(Customer, index=False)
        metric = ForeignKeyField(Metric, index=False)
        day = CharField(max_length=10)
        cell = TextField()
        value = TextField()

        class Meta:
            primary_key = CompositeKey("customer", "metric", "day", "cell", "value")
            without_rowid = sqlite

    class Backfill(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        customer = ForeignKeyField(Customer, null=True)
        created_at = BigIntegerField()
        status = CharField(
            max_length=14, constraints=[Check("status IN ('pending', 'reflected', 'pending_revert', 'reverted')")]
        )
        timeframe_start = BigIntegerField()
        timeframe_end = BigIntegerField()
        close_at = BigIntegerField(null=True)
        reverted_at = BigIntegerField(null=True)
        replaces = BooleanField()
        deprecation_filter = TextField(null=True)

        class Meta:
            indexes = ((("account", "created_at", "id"), False), (("status", "close_at"), False))

    class Event(Row):
        account = ForeignKeyField(Account, index=False)
        key = TextField()
        customer = ForeignKeyField(Customer, null=True, index=False)
        external_id = TextField(null=True)
        name = TextField()
        at = BigIntegerField()
        properties = TextField()
        received_at = BigIntegerField()
        backfill = ForeignKeyField(Backfill, null=True, index=False)
        counts = BooleanField(constraints=[SQL("DEFAULT TRUE")])
        deprecated_at = BigIntegerField(null=True)
        replaced_by = CharField(max_length=16, null=True)

        class Meta:
            primary_key = CompositeKey("account", "key")
            without_rowid = sqlite
            indexes = ((("customer", "at"), False),)

    Event.add_index(
        Event.index(Event.account, Event.external_id, where=Event.customer.is_null(), name="event_waiting_for_customer")
    )
    Event.add_index(Event.index(Event.backfill, where=Event.backfill.is_null(False), name="event_of_backfill"))

    class EventBefore(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        key = TextField()
        ended_at = BigIntegerField()
        ended_by = TextField()
        body = TextField()

        class Meta:
            indexes = ((("account", "key", "ended_at"), False),)

    class EventHour(Row):
        account = ForeignKeyField(Account, index=False)
        hour = BigIntegerField()
        count = BigIntegerField()

        class Meta:
            primary_key = CompositeKey("account", "hour")

    class Threshold(Row):
        subscription = ForeignKeyField(Subscription, primary_key=True)
        revision = IntegerField()

    class CreditBlock(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        customer = ForeignKeyField(Customer, index=False)
        created_at = BigIntegerField()
        currency = CharField(max_length=64)
        initial = TextField()
        balance = TextField()
        effective_at = BigIntegerField()
        expires_at = BigIntegerField(null=True)
        cost_basis = TextField(null=True)
        source = CharField(max_length=16)
        description = TextField(null=True)
        filters = TextField()
        metadata = TextField()

        class Meta:
            indexes = ((("customer", "currency", "effective_at", "id"), False),)

    class CreditEntry(Row):
        id = CharField(max_length=16, primary_key=True)
        customer = ForeignKeyField(Customer, index=False)
        block = ForeignKeyField(CreditBlock)
        created_at = BigIntegerField()
        currency = CharField(max_length=64)
        sequence = IntegerField()
        type = CharField(max_length=20)
        status = CharField(max_length=9, constraints=[Check("status IN ('committed', 'pending')")])
        amount = TextField()
        starting_balance = TextField()
        ending_balance = TextField()
        description = TextField(null=True)
        invoice_id = CharField(max_length=16, null=True, index=True)
        detail = TextField()
        metadata = TextField()

        class Meta:
            indexes = ((("customer", "currency", "sequence"), True), (("customer", "created_at", "id"), False))

    class CreditNote(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        customer = ForeignKeyField(Customer, index=False)
        invoice = ForeignKeyField(Invoice)
        created_at = BigIntegerField()
        created_by = TextField()
        number = CharField(max_length=40)
        reason = CharField(max_length=24, null=True)
        memo = TextField(null=True)
        currency = CharField(max_length=3)
        subtotal = BigIntegerField()
        total = BigIntegerField()
        applied = BigIntegerField()
        to_balance = BigIntegerField()
        lines = TextField()
        voided_at = BigIntegerField(null=True)

        class Meta:
            indexes = ((("account", "number"), True), (("account", "created_at", "id"), False))

    _rebuild_usage(db, UsageDay, sqlite)
    db.create_tables(
        [
            Plan,
            PlanPrice,
            Coupon,
            UsageValue,
            Backfill,
            Event,
            EventBefore,
            EventHour,
            Threshold,
            CreditBlock,
            CreditEntry,
            CreditNote,
        ],
        safe=False,
    )
    for table, column, kind in COLUMNS:
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" {_kind(kind, sqlite)}')
    for index in NOT_NEEDED:
        db.execute_sql(f'DROP INDEX IF EXISTS "{index}"')
    for index in INDEXES:
        db.execute_sql(index)
    _date_subscriptions(db, "?" if sqlite else "%s")


def _kind(kind, sqlite):
    """SQLite's own name for what Peewee calls a big integer or a boolean there."""
    return kind.replace("BIGINT", "INTEGER").replace("BOOLEAN", "INTEGER") if sqlite else kind


def _rebuild_usage(db, made_new, sqlite):
    """A day's quantity is kept for each cell of its metric. SQLite cannot change a key, so the rows move."""
    for event in ("insert", "update", "delete"):
        db.execute_sql(f"DROP TRIGGER IF EXISTS usage_day_home_{event}{'' if sqlite else ' ON usage_day'}")
    db.execute_sql("ALTER TABLE usage_day RENAME TO usage_day_before")
    if not sqlite:
        db.execute_sql("ALTER TABLE usage_day_before DROP CONSTRAINT usage_day_pkey")
        for column in ("customer", "metric"):
            db.execute_sql(f"ALTER TABLE usage_day_before DROP CONSTRAINT usage_day_{column}_id_fkey")
    db.create_tables([made_new], safe=False)
    db.execute_sql(
        "INSERT INTO usage_day (customer_id, metric_id, day, cell, quantity) "
        "SELECT customer_id, metric_id, day, '', quantity FROM usage_day_before"
    )
    db.execute_sql("DROP TABLE usage_day_before")


def _date_subscriptions(db, value):
    """The instants of the days that subscriptions have, and names for their prices' intervals."""
    found = db.execute_sql(
        "SELECT s.id, s.start_date, s.end_date, c.timezone FROM subscription s JOIN customer c ON c.id = s.customer_id"
    ).fetchall()
    for id, start, end, timezone in found:
        instants = (_midnight(start, timezone), _midnight(end, timezone) if end else None)
        db.execute_sql(
            f"UPDATE subscription SET starts_at = {value}, ends_at = {value} WHERE id = {value}",  # noqa: S608 - ours
            (*instants, id),
        )
    for subscription, price in db.execute_sql("SELECT subscription_id, price_id FROM subscription_price").fetchall():
        db.execute_sql(
            f"UPDATE subscription_price SET interval_id = {value} "  # noqa: S608 - our own names
            f"WHERE subscription_id = {value} AND price_id = {value}",
            (secrets.token_hex(8), subscription, price),
        )


def _midnight(day, timezone):
    moment = datetime.combine(date.fromisoformat(day), time(0), ZoneInfo(timezone)).astimezone(UTC)
    return int((moment - EPOCH).total_seconds()) * 1_000_000
