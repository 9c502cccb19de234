"""Migrations end where the models are, in every column, constraint, index and trigger, however many run them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playhouse.schema_diff import diff_models

from portal.models import base, guards, schema
from portal.models.account import Account
from portal.models.base import connection, db, is_postgresql
from portal.models.event import Event
from portal.models.usage import UsageDay, UsageValue
from tests import servers
from tests.crowd import Refusal, gathered


@pytest.fixture
def empty(migrated: str, empty_database_url: str) -> Iterator[str]:
    """An empty database, bound to the models until the test is over."""
    bound = base.db.obj
    base.connect(empty_database_url)
    yield empty_database_url
    base.db.initialize(bound)


def test_a_database_made_by_migrations_is_one_made_from_the_models(empty, database_kind, monkeypatch):
    for model in (UsageDay, UsageValue, Event):  # PostgreSQL has no such thing
        monkeypatch.setattr(model._meta, "without_rowid", database_kind == "sqlite")
    schema.migrate()
    with connection():
        assert not diff_models(db, schema.MODELS), str(diff_models(db, schema.MODELS))
        migrated = structure()

    base.connect(servers.new_database(database_kind))
    with connection():
        db.create_tables(schema.MODELS)
        guards.install()
        made = structure()

    for kind in migrated:
        assert migrated[kind] == made[kind], kind
    assert len(migrated["tables"]) == len(schema.MODELS)
    assert min(len(found) for found in migrated.values()) > 0


def test_every_model_is_in_the_list_that_is_compared():
    def below(model: type) -> Iterator[type]:
        for child in model.__subclasses__():
            yield child
            yield from below(child)

    ours = {model for model in below(base.Row) if model.__module__.startswith("portal.")}
    assert ours == set(schema.MODELS)


def test_the_comparison_sees_types_nullability_constraints_indexes_and_triggers(empty):
    schema.migrate()
    changes = [
        "ALTER TABLE item ADD COLUMN odd INTEGER",
        "CREATE INDEX odd ON item (name)",
        "DROP INDEX link_one_live_an_invoice",
        f"DROP TRIGGER link_kept_update{' ON link' if is_postgresql() else ''}",
    ]
    if is_postgresql():
        changes += [
            "ALTER TABLE item ALTER COLUMN name TYPE varchar(9)",
            "ALTER TABLE item ALTER COLUMN name DROP NOT NULL",
            "ALTER TABLE account DROP CONSTRAINT account_mode_check",
            "ALTER TABLE item ALTER COLUMN name SET DEFAULT 'x'",
            "ALTER TABLE link DISABLE TRIGGER link_kept_update",
        ]

    with connection():
        before = structure()
        for change in changes:
            with db.atomic() as transaction:
                db.execute_sql(change)
                assert structure() != before, change
                transaction.rollback()


def test_each_trigger_and_partial_index_is_missed_when_it_is_gone(empty):
    schema.migrate()
    triggers = {guard.trigger: guard.table for guard in guards.here()}

    with connection():
        assert set(triggers) | set(guards.PARTIAL_INDEXES) <= guards.present()
        for name in [*triggers, *guards.PARTIAL_INDEXES]:
            gone = f"DROP INDEX {name}" if name in guards.PARTIAL_INDEXES else f"DROP TRIGGER {name}"
            on = f" ON {triggers[name]}" if is_postgresql() and name in triggers else ""
            with db.atomic() as transaction:
                db.execute_sql(gone + on)
                with pytest.raises(guards.GuardMissing, match=f"lacks {name}: run `portal migrate`"):
                    guards.assert_present()
                transaction.rollback()
        guards.assert_present()


def test_what_rules_need_guards_for_has_them(empty):
    """Product rule 7 names the three events; the rest follows from what is said to be append-only or frozen."""
    schema.migrate()
    guarded = {"account", "link", "record", "balance_transaction", "invoice", "line_days"}

    with connection():
        catalogue = structure()["triggers"]

    for table in guarded:
        for event in ("UPDATE", "INSERT", "DELETE"):
            assert [text for text in catalogue if f"BEFORE {event} ON {table}" in text.replace("public.", "")], table


def test_no_other_index_is_partial(empty):
    schema.migrate()

    with connection():
        partial = [text for text in structure()["indexes"] if re.search(r"\bWHERE\b", text, re.IGNORECASE)]

    assert len(partial) == len(guards.PARTIAL_INDEXES)
    for name in guards.PARTIAL_INDEXES:
        (text,) = [one for one in partial if name in one]
        assert ("UNIQUE" in text) == ("_one_" in name), text


def test_a_migration_brings_back_triggers_that_a_rebuilt_table_has_lost(empty):
    schema.migrate()
    with connection():
        for guard in guards.here():
            db.execute_sql(f"DROP TRIGGER {guard.trigger}{f' ON {guard.table}' if is_postgresql() else ''}")

    with pytest.raises(guards.GuardMissing):
        schema.check()
    schema.migrate()

    schema.check()


def test_migrating_twice_does_it_once(empty):
    first = schema.migrate()
    with connection():
        before = structure()

    assert schema.migrate() == []

    with connection():
        assert structure() == before
    assert first == sorted(path.stem for path in schema.MIGRATIONS.glob("[0-9]*.py"))


def test_migrating_again_keeps_what_is_there(empty, clock):
    schema.migrate()
    with connection():
        id = Account.open("Acme", clock.now, mode="test", by="test").id

    schema.migrate()

    with connection():
        assert Account.get_by_id(id).name == "Acme"


def test_six_processes_migrate_at_once_and_one_of_them_does_it(empty):
    with gathered(None, 6) as crowd:
        answers = crowd.all(migrate, [(empty,)] * 6)

    assert not [answer for answer in answers if isinstance(answer, Refusal)], answers
    assert sorted(map(len, answers)) == [0] * 5 + [len(list(schema.MIGRATIONS.glob("[0-9]*.py")))]
    schema.check()


def test_a_database_from_the_future_is_refused_with_a_sentence(empty):
    schema.migrate()
    with connection():
        db.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01')")

    for deed in (schema.check, schema.migrate):
        with pytest.raises(schema.SchemaTooNew, match="9999_later: it needs a newer release of the portal"):
            deed()


def test_an_empty_database_is_refused_with_the_command_that_helps(empty):
    with pytest.raises(guards.GuardMissing, match="run `portal migrate`"):
        schema.check()


def migrate(url: str) -> list[str]:
    base.connect(url)
    return schema.migrate()


def structure() -> dict[str, Any]:
    """What the database's own catalogue says of our tables, with nothing in it that depends on the order of events."""
    if is_postgresql():
        found = {kind: rows(question) for kind, question in POSTGRESQL.items()}
    else:
        found = {kind: rows(question) for kind, question in SQLITE.items()}
        found["tables"] = [AS_COLUMN.sub(at_the_end, text) for text in found["tables"]]
    return {kind: sorted(filter(None, lines)) for kind, lines in found.items()}


def rows(question: str) -> list[str]:
    return [" ".join(map(str, row)) for row in db.execute_sql(question).fetchall()]


# SQLite adds a foreign key only as a part of its column; Peewee writes it behind all columns. It is the same key.
AS_COLUMN = re.compile(r'"(\w+)" (VARCHAR\(16\)) REFERENCES (\w+) \((\w+)\)(.*)\)$')


def at_the_end(found: re.Match[str]) -> str:
    column, kind, table, key, rest = found.groups()
    return f'"{column}" {kind}{rest}, FOREIGN KEY ("{column}") REFERENCES "{table}" ("{key}"))'


SQLITE = {
    # The text of a table says everything of its columns: type, NOT NULL, DEFAULT, CHECK, REFERENCES, WITHOUT ROWID.
    "tables": "SELECT sql FROM sqlite_master WHERE type = 'table' AND name <> 'schema_migration'",
    "columns": "SELECT m.name, c.* FROM sqlite_master m, pragma_table_info(m.name) c "
    "WHERE m.type = 'table' AND m.name <> 'schema_migration'",
    "indexes": "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name <> 'schema_migration' "
    "AND sql IS NOT NULL",
    "triggers": "SELECT sql FROM sqlite_master WHERE type = 'trigger'",
}
OURS = "n.nspname = 'public' AND c.relname <> 'schema_migration'"
POSTGRESQL = {
    "tables": "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE c.relkind = 'r' AND {OURS}",
    "columns": "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, "
    "ordinal_position FROM information_schema.columns "
    "WHERE table_schema = 'public' AND table_name <> 'schema_migration'",
    "constraints": "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated FROM pg_constraint k "
    f"JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS}",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'schema_migration'",
    "triggers": "SELECT pg_get_triggerdef(t.oid), t.tgenabled, pg_get_functiondef(t.tgfoid) FROM pg_trigger t "
    f"JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE NOT t.tgisinternal AND {OURS}",
}
