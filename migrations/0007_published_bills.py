"""What the API says of an issued invoice for ever is kept beside it, compressed. The worker writes it."""

from peewee import BlobField, CharField, ForeignKeyField, Model


def up(migrator, db):
    class Row(Model):
        class Meta:
            database = db
            legacy_table_names = False  # or indexes are named after the class

    class Invoice(Row):
        id = CharField(max_length=16, primary_key=True)

    class PublishedBill(Row):
        invoice = ForeignKeyField(Invoice, primary_key=True)
        build = CharField(max_length=16)
        body = BlobField()

    db.create_tables([PublishedBill], safe=False)
