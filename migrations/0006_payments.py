"""Payments through gateways: attempts, what they are for, what moved, and what gateways keep and say.

Payments that were recorded by hand become attempts that succeeded. The triggers are put in place by
`portal.models.guards`.
"""

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
    TextField,
)

STAGE = Check("stage IN ('begun', 'action', 'processing', 'canceled', 'failed', 'succeeded')")
# What a payment was is put aside, for its table gets another shape under the same name.
BEFORE = """
INSERT INTO payment (id, account_id, customer_id, created_at, created_by, gateway, label, currency, amount, stage,
                     automatic, tries, ended_at, received_on, external_id, notes)
SELECT id, account_id, customer_id, created_at, created_by, 'hand', method, currency, amount, 'succeeded',
       FALSE, 0, created_at, received_on, external_id, notes FROM payment_before
"""
ALLOCATE = """
INSERT INTO allocation (id, payment_id, invoice_id, created_at, amount, stage, returned)
SELECT id, id, invoice_id, created_at, amount, 'succeeded', FALSE FROM payment_before
"""
BOOK = """
INSERT INTO booking (id, payment_id, invoice_id, created_at, kind, amount, ref)
SELECT id, id, invoice_id, created_at, 'received', amount, '' FROM payment_before
"""


def up(migrator, db):
    class Row(Model):
        class Meta:
            database = db
            legacy_table_names = False  # or indexes are named after the class

    class Account(Row):
        id = CharField(max_length=16, primary_key=True)

    class Customer(Row):
        id = CharField(max_length=16, primary_key=True)

    class Invoice(Row):
        id = CharField(max_length=16, primary_key=True)

    class Payer(Row):
        customer = ForeignKeyField(Customer, index=False)
        gateway = CharField(max_length=8)
        ref = TextField()

        class Meta:
            primary_key = CompositeKey("customer", "gateway")
            indexes = ((("gateway", "ref"), False),)

    class SavedMethod(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        customer = ForeignKeyField(Customer, index=False)
        gateway = CharField(max_length=8)
        gateway_ref = TextField()
        method = CharField(max_length=16)
        label = TextField()
        expires = CharField(max_length=7, null=True)
        is_default = BooleanField()
        created_at = BigIntegerField()
        removed_at = BigIntegerField(null=True)

        class Meta:
            indexes = ((("gateway", "gateway_ref"), True), (("customer", "created_at", "id"), False))

    SavedMethod.add_index(
        SavedMethod.index(
            SavedMethod.customer,
            SavedMethod.gateway,
            unique=True,
            where=SavedMethod.is_default & SQL("removed_at IS NULL"),
            name="saved_method_one_default_a_customer",
        )
    )

    class Payment(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        customer = ForeignKeyField(Customer, index=False)
        created_at = BigIntegerField()
        created_by = TextField()
        link_id = CharField(max_length=16, null=True)
        gateway = CharField(max_length=8)
        gateway_ref = TextField(null=True)
        method = CharField(max_length=16, null=True)
        label = TextField()
        currency = CharField(max_length=3)
        amount = BigIntegerField(constraints=[Check("amount > 0")])
        stage = CharField(max_length=10, constraints=[STAGE])
        failure = CharField(max_length=24, null=True)
        ordered = TextField(null=True)
        saved_method_id = CharField(max_length=16, null=True)
        automatic = BooleanField()
        tries = IntegerField()
        ask_at = BigIntegerField(null=True, index=True)
        gives_up_at = BigIntegerField(null=True)
        ended_at = BigIntegerField(null=True)
        received_on = CharField(max_length=10, null=True)
        external_id = TextField(null=True)
        notes = TextField(null=True)

        class Meta:
            indexes = (
                (("account", "created_at", "id"), False),
                (("customer", "created_at", "id"), False),
                (("gateway", "gateway_ref"), True),
            )

    class Allocation(Row):
        id = CharField(max_length=16, primary_key=True)
        payment = ForeignKeyField(Payment, index=False)
        invoice = ForeignKeyField(Invoice, index=False)
        created_at = BigIntegerField()
        amount = BigIntegerField(constraints=[Check("amount > 0")])
        stage = CharField(max_length=10, constraints=[STAGE])
        returned = BooleanField()

        class Meta:
            indexes = ((("payment", "invoice"), True), (("invoice", "created_at", "id"), False))

    live = Allocation.stage.in_([SQL(f"'{stage}'") for stage in ("begun", "action", "processing")])
    Allocation.add_index(
        Allocation.index(Allocation.invoice, unique=True, where=live, name="allocation_one_live_an_invoice")
    )

    class Booking(Row):
        id = CharField(max_length=16, primary_key=True)
        payment = ForeignKeyField(Payment, index=False)
        invoice = ForeignKeyField(Invoice)
        created_at = BigIntegerField()
        kind = CharField(
            max_length=11,
            constraints=[Check("kind IN ('received', 'refunded', 'written_off', 'returned', 'reinstated', 'surplus')")],
        )
        amount = BigIntegerField(constraints=[Check("amount <> 0")])
        ref = TextField()

        class Meta:
            indexes = ((("payment", "invoice", "kind", "ref"), True),)

    class Refund(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        payment = ForeignKeyField(Payment)
        created_at = BigIntegerField()
        created_by = TextField()
        amount = BigIntegerField(constraints=[Check("amount > 0")])
        shares = TextField()
        reason = TextField(null=True)
        stage = CharField(max_length=9, constraints=[Check("stage IN ('begun', 'pending', 'succeeded', 'failed')")])
        gateway_ref = TextField(null=True)
        tries = IntegerField()
        ask_at = BigIntegerField(null=True, index=True)

        class Meta:
            indexes = ((("payment", "gateway_ref"), True),)

    class Dispute(Row):
        id = CharField(max_length=16, primary_key=True)
        account = ForeignKeyField(Account, index=False)
        payment = ForeignKeyField(Payment)
        gateway_ref = TextField()
        created_at = BigIntegerField()
        stage = CharField(max_length=6, constraints=[Check("stage IN ('opened', 'lost', 'won')")])
        amount = BigIntegerField(constraints=[Check("amount > 0")])
        reason = TextField()
        is_return = BooleanField()

        class Meta:
            indexes = ((("payment", "gateway_ref"), True),)

    class Collection(Row):
        invoice = ForeignKeyField(Invoice, primary_key=True)
        next_at = BigIntegerField(null=True, index=True)
        tries = IntegerField()
        previous_at = BigIntegerField(null=True)

    class GatewayEvent(Row):
        gateway = CharField(max_length=8)
        id = TextField()
        type = TextField()
        at = BigIntegerField()
        received_at = BigIntegerField()
        applied_at = BigIntegerField(null=True)
        tries = IntegerField()
        retry_at = BigIntegerField(null=True, index=True)
        said_at = BigIntegerField(null=True)
        news = TextField(null=True)

        class Meta:
            primary_key = CompositeKey("gateway", "id")

    class GatewayCursor(Row):
        gateway = CharField(max_length=8, primary_key=True)
        read_to = BigIntegerField()

    # By hand: on SQLite the migrator would copy a whole table to put in a column.
    db.execute_sql('ALTER TABLE "letter" ADD COLUMN "payment_id" VARCHAR(16)')
    db.execute_sql("CREATE TABLE payment_before AS SELECT * FROM payment")
    db.execute_sql("DROP TABLE payment")
    db.create_tables(
        [
            Payer,
            SavedMethod,
            Payment,
            Allocation,
            Booking,
            Refund,
            Dispute,
            Collection,
            GatewayEvent,
            GatewayCursor,
        ]
    )
    for statement in (BEFORE, ALLOCATE, BOOK):
        db.execute_sql(statement)
    db.execute_sql("DROP TABLE payment_before")
