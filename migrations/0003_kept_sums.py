"""What each customer owes is kept, and what pages, lists and the worker look for is found by an index at any size.

The triggers that work the sums out again are put in place by `portal.models.guards`.
"""

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
)

# Each is the beginning of another index of its table.
NOT_NEEDED = (
    "balance_transaction_customer_id",
    "customer_account_id",
    "item_account_id",
    "letter_customer_id",
    "invoice_customer_id_invoice_date_id",
)
FILL = """
INSERT INTO owing (customer_id, currency, count, remaining)
SELECT customer_id, currency, COUNT(*), SUM(remaining) FROM (
  SELECT i.customer_id, i.currency,
         i.amount_due - COALESCE((SELECT SUM(p.amount) FROM payment p WHERE p.invoice_id = i.id), 0) AS remaining
    FROM invoice i WHERE i.status IN ('issued', 'synced')
) asked WHERE remaining > 0 GROUP BY customer_id, currency
"""
# Where nothing was counted, there are no payments: made true of those that are older than the counting.
COUNT = "UPDATE invoice SET revision = 1 WHERE revision = 0 AND id IN (SELECT invoice_id FROM payment)"


def up(migrator, db):
    class Row(Model):
        class Meta:
            database = db
            legacy_table_names = False  # or indexes are named after the class

    class Customer(Row):
        id = CharField(max_length=16, primary_key=True)

    class Owing(Row):
        customer = ForeignKeyField(Customer, index=False)
        currency = CharField(max_length=3)
        count = IntegerField()
        remaining = BigIntegerField()

        class Meta:
            primary_key = CompositeKey("customer", "currency")

    class Invoice(Row):
        id = CharField(max_length=16, primary_key=True)
        customer = ForeignKeyField(Customer, index=False)
        status = CharField(max_length=6)
        number = CharField(max_length=32, null=True)
        currency = CharField(max_length=3)
        invoice_date = BigIntegerField()
        due_date = CharField(max_length=10, null=True)
        will_auto_issue = BooleanField()
        eligible_to_issue_at = BigIntegerField(null=True)
        amount_due = BigIntegerField()
        revision = IntegerField()

        class Meta:
            indexes = ((("customer", "invoice_date", "id", "status", "number"), False),)

    is_open = Invoice.status.in_([SQL("'issued'"), SQL("'synced'")])
    Invoice.add_index(
        Invoice.index(
            Invoice.customer,
            Invoice.due_date,
            Invoice.invoice_date,
            Invoice.id,
            where=is_open,
            name="invoice_open_by_due_date",
        )
    )
    Invoice.add_index(
        Invoice.index(Invoice.customer, Invoice.invoice_date, Invoice.id, where=is_open, name="invoice_open_by_date")
    )
    Invoice.add_index(
        Invoice.index(
            Invoice.customer,
            Invoice.currency,
            Invoice.id,
            Invoice.amount_due,
            Invoice.status,
            Invoice.revision,
            where=is_open,
            name="invoice_open_by_currency",
        )
    )
    Invoice.add_index(
        Invoice.index(
            Invoice.will_auto_issue,
            Invoice.eligible_to_issue_at,
            Invoice.id,
            where=Invoice.eligible_to_issue_at.is_null(False),
            name="invoice_waiting",
        )
    )
    Invoice._schema.create_indexes(safe=False)
    for name in NOT_NEEDED:
        db.execute_sql(f"DROP INDEX {name}")
    db.create_tables([Owing], safe=False)
    db.execute_sql(FILL)
    db.execute_sql(COUNT)
