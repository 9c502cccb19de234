"""Published pages: each invoice counts the changes to what it shows, and keeps its page once that is rendered.

The triggers that count are put in place by `portal.models.guards`.
"""

from peewee import BigIntegerField, BlobField, CharField, ForeignKeyField, Model


def up(migrator, db):
    class Row(Model):
        class Meta:
            database = db
            legacy_table_names = False  # or indexes are named after the class

    class Invoice(Row):
        id = CharField(max_length=16, primary_key=True)

    class Published(Row):
        invoice = ForeignKeyField(Invoice, primary_key=True)
        version = CharField(max_length=32)
        build = CharField(max_length=16)
        page = BlobField(null=True)
        due_at = BigIntegerField(null=True, index=True)

    # By hand: on SQLite the migrator would copy the whole table to put in a column that is not null.
    db.execute_sql('ALTER TABLE "invoice" ADD COLUMN "revision" INTEGER NOT NULL DEFAULT 0')
    db.create_tables([Published], safe=False)
    # Those that were issued before are rendered by and by, like any other.
    db.execute_sql(
        "INSERT INTO published (invoice_id, version, build, due_at) "
        "SELECT id, '', '', 0 FROM invoice WHERE status <> 'draft'"
    )
