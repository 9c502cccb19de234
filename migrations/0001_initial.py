"""The first schema: accounts, customers, the catalog, invoices, links, the record and the outbox.

A frozen copy, on purpose independent of `portal.models`. Triggers are put in place by `portal.models.guards`.
"""

from peewee import (
    BigIntegerField,
    BlobField,
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


def up(migrator, db):
    sqlite = isinstance(getattr(db, "obj", db), SqliteDatabase)

    class Row(Model):
        class Meta:
            database = db
            legacy_table_names = False  # or indexes are named after the class

    class Account(Row):
        id = CharField(max_length=16, primary_key=True)
        created_at = BigIntegerField()
        closed_at = BigIntegerField(null=True)
        mode = CharField(max_length=4, constraints=[Check("mode IN ('test', 'live')")])
        name = TextField()
        company = TextField()
        support_email = TextField(null=True)
        accent_color = CharField(max_length=7)
        timezone = CharField(max_length=64)
        memo = TextField(null=True)
        footer = TextField(null=True)
        embed_origins = TextField()
        payment_methods = TextField()
        payment_method_limits = TextField()
        save_payment_method = CharField(max_length=8)
        partial_payments = TextField()
        bank_accounts = TextField()
        reminders = TextField()
        invoice_link_days_after_due = IntegerField()
        refreshed_link_days = IntegerField()
        hide_voided_invoices = BooleanField()
        hide_zero_quantity_lines = BooleanField()
        customer_portal_sessions_only = BooleanField()
        number_prefix = CharField(max_length=6, unique=True)
        last_number = IntegerField()

        class Meta:
            table_name = "account"

    class Logo(Row):
        account = ForeignKeyField(Account, primary_key=True)
        png = BlobField()
        width = IntegerField()
        height = IntegerField()
        digest = CharField(max_length=64)
        created_at = BigIntegerField()

        class Meta:
            table_name = "logo"

    class ApiKey(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account)
        lookup = CharField(max_length=8, index=True)
        digest = CharField(max_length=64, unique=True)
        created_at = BigIntegerField()
        created_by = TextField()
        revoked_at = BigIntegerField(null=True)

        class Meta:
            table_name = "api_key"

    class Record(Row):
        id = CharField(max_length=16, primary_key=True)
        account_id = CharField(max_length=16)
        at = BigIntegerField()
        actor = TextField()
        deed = TextField()
        subject = CharField(max_length=16)
        detail = TextField()

        class Meta:
            table_name = "record"
            indexes = (
                (("account_id", "at"), False),
                (("subject", "at"), False),
            )

    class Customer(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account)
        created_at = BigIntegerField()
        external_id = TextField(null=True)
        name = TextField()
        email = TextField()
        additional_emails = TextField()
        currency = CharField(max_length=3, null=True)
        timezone = CharField(max_length=64)
        locale = CharField(max_length=16, null=True)
        billing_address = TextField(null=True)
        shipping_address = TextField(null=True)
        tax_id = TextField(null=True)
        metadata = TextField()
        auto_collection = BooleanField()
        auto_issuance = BooleanField(null=True)
        email_delivery = BooleanField()
        permanent_portal_link = BooleanField()
        payment_methods = TextField(null=True)
        payment_provider = TextField(null=True)
        payment_provider_id = TextField(null=True)
        payment_configuration = TextField(null=True)
        balance = BigIntegerField()

        class Meta:
            table_name = "customer"
            indexes = (
                (("account", "external_id"), True),
                (("account", "created_at", "id"), False),
            )

    class BalanceTransaction(Row):
        id = CharField(max_length=16, primary_key=True)
        customer = ForeignKeyField(Customer)
        created_at = BigIntegerField()
        type = CharField(max_length=9, constraints=[Check("type IN ('increment', 'decrement')")])
        action = CharField(max_length=32)
        amount = BigIntegerField(constraints=[Check("amount > 0")])
        starting_balance = BigIntegerField()
        ending_balance = BigIntegerField()
        description = TextField(null=True)
        invoice_id = CharField(max_length=16, index=True, null=True)

        class Meta:
            table_name = "balance_transaction"
            indexes = ((("customer", "created_at", "id"), False),)

    class Item(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account)
        created_at = BigIntegerField()
        archived_at = BigIntegerField(null=True)
        name = TextField()
        metadata = TextField()

        class Meta:
            table_name = "item"
            indexes = ((("account", "created_at", "id"), False),)

    class Metric(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account)
        item = ForeignKeyField(Item)
        created_at = BigIntegerField()
        name = TextField()
        unit = TextField()
        description = TextField(null=True)
        sql = TextField()
        metadata = TextField()

        class Meta:
            table_name = "metric"

    class Price(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account)
        item = ForeignKeyField(Item)
        metric = ForeignKeyField(Metric, null=True)
        created_at = BigIntegerField()
        name = TextField()
        currency = CharField(max_length=3)
        model_type = CharField(max_length=32)
        wire = TextField()

        class Meta:
            table_name = "price"

    class UsageDay(Row):
        customer = ForeignKeyField(Customer, index=False)
        metric = ForeignKeyField(Metric, index=False)
        day = CharField(max_length=10)
        quantity = TextField()

        class Meta:
            table_name = "usage_day"
            primary_key = CompositeKey("customer", "metric", "day")
            without_rowid = sqlite

    class Subscription(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account)
        customer = ForeignKeyField(Customer)
        created_at = BigIntegerField()
        name = TextField()
        currency = CharField(max_length=3)
        start_date = CharField(max_length=10)
        end_date = CharField(max_length=10, null=True)
        billing_cycle_day = IntegerField()
        net_terms = IntegerField()
        terms = TextField()

        class Meta:
            table_name = "subscription"

    class SubscriptionPrice(Row):
        subscription = ForeignKeyField(Subscription, index=False)
        price = ForeignKeyField(Price)
        position = IntegerField()

        class Meta:
            table_name = "subscription_price"
            primary_key = CompositeKey("subscription", "price")

    class Invoice(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        customer = ForeignKeyField(Customer, index=False)
        subscription = ForeignKeyField(Subscription, null=True)
        created_at = BigIntegerField()
        source = CharField(max_length=12, constraints=[Check("source IN ('subscription', 'partial', 'one_off')")])
        status = CharField(max_length=6, constraints=[Check("status IN ('draft', 'issued', 'paid', 'synced', 'void')")])
        number = CharField(max_length=32, null=True)
        currency = CharField(max_length=3)
        invoice_date = BigIntegerField()
        due_date = CharField(max_length=10, null=True)
        net_terms = IntegerField(null=True)
        issued_at = BigIntegerField(null=True)
        paid_at = BigIntegerField(null=True)
        voided_at = BigIntegerField(null=True)
        payment_received_at = BigIntegerField(null=True)
        will_auto_issue = BooleanField()
        eligible_to_issue_at = BigIntegerField(null=True)
        auto_collection = BooleanField()
        payment_methods = TextField(null=True)
        memo = TextField(null=True)
        metadata = TextField()
        subtotal = BigIntegerField()
        total = BigIntegerField()
        balance_applied = BigIntegerField()
        amount_due = BigIntegerField()
        document = TextField()

        class Meta:
            table_name = "invoice"
            indexes = (
                (("account", "number"), True),
                (("account", "invoice_date", "id"), False),
                (("customer", "invoice_date", "id"), False),
                (("customer", "status", "invoice_date", "id"), False),
            )

    class LineDays(Row):
        invoice = ForeignKeyField(Invoice, index=False)
        line_id = CharField(max_length=16)
        days = TextField()

        class Meta:
            table_name = "line_days"
            primary_key = CompositeKey("invoice", "line_id")

    class Payment(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        customer = ForeignKeyField(Customer, index=False)
        invoice = ForeignKeyField(Invoice)
        created_at = BigIntegerField()
        created_by = TextField()
        amount = BigIntegerField(constraints=[Check("amount > 0")])
        currency = CharField(max_length=3)
        received_on = CharField(max_length=10)
        method = TextField()
        external_id = TextField(null=True)
        notes = TextField(null=True)

        class Meta:
            table_name = "payment"

    class Link(Row):
        id = CharField(max_length=16, primary_key=True)
        token_id = CharField(max_length=32, unique=True)
        kind = CharField(max_length=8, constraints=[Check("kind IN ('invoice', 'customer', 'session')")])
        account = ForeignKeyField(Account)
        customer = ForeignKeyField(Customer, index=False)
        invoice = ForeignKeyField(Invoice, index=False, null=True)
        kid = CharField(max_length=2, index=True)
        token_exp = BigIntegerField()
        expires_at = BigIntegerField(null=True)
        created_at = BigIntegerField()
        created_by = TextField()
        ended_at = BigIntegerField(null=True)
        ended_by = TextField(null=True)
        ended_how = CharField(max_length=12, null=True)
        reason = TextField(null=True)

        class Meta:
            table_name = "link"
            indexes = (
                (("invoice", "created_at"), False),
                (("customer", "kind", "created_at"), False),
            )
            constraints = [
                Check("(kind = 'invoice') = (invoice_id IS NOT NULL)"),
                Check("(kind = 'customer') = (expires_at IS NULL)"),
                Check("(ended_at IS NULL) = (ended_how IS NULL)"),
            ]

    Link.add_index(
        Link.index(
            Link.invoice,
            unique=True,
            where=(Link.kind == "invoice") & Link.ended_at.is_null(),
            name="link_one_live_an_invoice",
        )
    )
    Link.add_index(
        Link.index(
            Link.customer,
            unique=True,
            where=(Link.kind == "customer") & Link.ended_at.is_null(),
            name="link_one_permanent_a_customer",
        )
    )

    class Letter(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account)
        customer = ForeignKeyField(Customer)
        kind = TextField()
        invoice_id = CharField(max_length=16, null=True)
        link_id = CharField(max_length=16, null=True)
        dedupe_key = TextField(unique=True)
        created_at = BigIntegerField()
        due_at = BigIntegerField()
        sent_at = BigIntegerField(null=True)

        class Meta:
            table_name = "letter"
            indexes = (
                (("customer", "kind", "created_at"), False),
                (("link_id", "created_at"), False),
            )

    class Idempotency(Row):
        account = ForeignKeyField(Account, index=False)
        key = CharField(max_length=64)
        request_digest = CharField(max_length=64)
        locked_at = BigIntegerField()
        created_at = BigIntegerField(index=True)
        status = IntegerField(null=True)
        body = TextField(null=True)

        class Meta:
            table_name = "idempotency"
            primary_key = CompositeKey("account", "key")

    db.create_tables(
        [
            Account,
            Logo,
            ApiKey,
            Record,
            Customer,
            BalanceTransaction,
            Item,
            Metric,
            Price,
            UsageDay,
            Subscription,
            SubscriptionPrice,
            Invoice,
            LineDays,
            Payment,
            Link,
            Letter,
            Idempotency,
        ]
    )
