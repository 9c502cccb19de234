"""The account page of each customer is kept as well; what it shows is counted, and what an account's catalog says.

The triggers that count are put in place by `portal.models.guards`.
"""

from peewee import SQL, BigIntegerField, BlobField, CharField, ForeignKeyField, IntegerField, Model


def up(migrator, db):
    class Row(Model):
        class Meta:
            database = db
            legacy_table_names = False  # or indexes are named after the class

    class Customer(Row):
        id = CharField(max_length=16, primary_key=True)

    class PublishedHome(Row):
        customer = ForeignKeyField(Customer, primary_key=True)
        version = CharField(max_length=32)
        build = CharField(max_length=16)
        page = BlobField(null=True)
        due_at = BigIntegerField(null=True, index=True)
        revision = IntegerField(constraints=[SQL("DEFAULT 0")])

    # By hand: on SQLite the migrator would copy the whole table to put in a column that is not null.
    db.execute_sql('ALTER TABLE "account" ADD COLUMN "catalog" INTEGER NOT NULL DEFAULT 0')
    db.create_tables([PublishedHome], safe=False)
    db.execute_sql(
        "INSERT INTO published_home (customer_id, version, build, due_at, revision) "
        "SELECT id, '', '', 0, 0 FROM customer"
    )
