"""An account opens, is configured, numbers its invoices and shows its keys once."""

from __future__ import annotations

import re

import peewee
import pytest

from portal.models.account import Account, ApiKey, OneWay, checksum
from portal.models.base import db
from portal.models.record import Record


def deeds(subject: str) -> list[str]:
    return [row.deed for row in Record.select().where(Record.subject == subject).order_by(Record.at, Record.id)]


def test_a_new_account_has_six_letters_for_its_numbers_and_is_recorded(acme):
    assert re.fullmatch("[A-Z]{6}", acme.number_prefix)
    assert "I" not in acme.number_prefix
    assert "O" not in acme.number_prefix
    assert deeds(acme.id) == ["account.created"]


def test_the_settings_of_a_new_account_are_those_that_the_product_names(acme):
    fresh = Account.get_by_id(acme.id)

    assert (fresh.invoice_link_days_after_due, fresh.refreshed_link_days) == (30, 60)
    assert fresh.payment_methods is None  # nothing is chosen: domain.methods.DEFAULT counts
    assert fresh.save_payment_method == "off"
    assert fresh.partial_payments == {"allowed": False, "minimum": None}
    assert fresh.embed_origins == fresh.bank_accounts == fresh.reminders == []
    assert fresh.customer_portal_sessions_only is False
    assert fresh.hide_voided_invoices is False
    assert fresh.hide_zero_quantity_lines is False


def test_two_accounts_do_not_share_a_list_that_one_of_them_changes(acme, bolt):
    acme.reminders.append(3)

    assert bolt.reminders == []
    assert Account(name="third").reminders == []


def test_no_method_chosen_is_not_the_same_as_none(acme, clock):
    for methods in ([], None, ["card"]):
        acme.configure({"payment_methods": methods}, clock.now, "test")

        assert Account.get_by_id(acme.id).payment_methods == methods


def test_an_account_is_in_test_or_in_live_mode_and_nothing_else(app, clock):
    with pytest.raises((peewee.IntegrityError, peewee.DataError)), db.atomic():
        Account.open("Odd", clock.now, mode="both", by="test")


def test_settings_change_together_and_the_record_says_which_not_what(acme, clock):
    acme.configure({"memo": "Thank you, Ünïcode 株式会社", "embed_origins": ["https://a.example"]}, clock.now, "api:x")

    fresh = Account.get_by_id(acme.id)
    assert fresh.memo == acme.memo == "Thank you, Ünïcode 株式会社"
    assert fresh.embed_origins == ["https://a.example"]
    changed = Record.get(Record.subject == acme.id, Record.deed == "account.changed")
    assert changed.detail == {"changed": ["embed_origins", "memo"]}
    assert changed.actor == "api:x"


def test_saying_what_is_already_so_is_not_recorded(acme, clock):
    acme.configure({"name": "Acme", "embed_origins": []}, clock.now, "test")

    assert deeds(acme.id) == ["account.created"]


def test_a_refused_setting_takes_the_others_with_it(acme, clock):
    acme.configure({"customer_portal_sessions_only": True}, clock.now, "test")

    with pytest.raises(OneWay, match="cannot be turned off"):
        acme.configure({"memo": "new", "customer_portal_sessions_only": False}, clock.now, "test")

    assert Account.get_by_id(acme.id).memo is None


def test_numbers_count_up_from_one_for_each_account(acme, bolt):
    numbers = [acme.next_number(), acme.next_number(), bolt.next_number()]

    assert numbers == [f"{acme.number_prefix}-00001", f"{acme.number_prefix}-00002", f"{bolt.number_prefix}-00001"]


def test_a_number_is_given_back_when_the_transaction_is_rolled_back(acme):
    with db.atomic() as transaction:
        acme.next_number()
        transaction.rollback()

    assert acme.next_number() == f"{acme.number_prefix}-00001"


def test_an_api_key_has_a_mode_a_secret_and_a_checksum(acme_key):
    assert re.fullmatch(r"portal_test_[0-9A-Za-z]{32}_[0-9a-f]{8}", acme_key)
    assert checksum(acme_key.rpartition("_")[0]) == acme_key[-8:]


def test_a_key_opens_its_own_account(acme, acme_key, bolt, bolt_key):
    assert ApiKey.known(acme_key).account_id == acme.id
    assert ApiKey.known(bolt_key).account_id == bolt.id


def test_no_table_holds_a_key(acme_key):
    for table in db.get_tables():
        rows = db.execute_sql(f'SELECT * FROM "{table}"').fetchall()
        assert acme_key not in str(rows), table
        assert acme_key.split("_")[2] not in str(rows), table


def test_a_revoked_key_is_unknown_and_the_revocation_recorded(acme, acme_key, clock):
    key = ApiKey.known(acme_key)

    clock.advance(minutes=1)
    key.revoke(clock.now, "cli")

    assert ApiKey.known(acme_key) is None
    assert deeds(key.id) == ["api_key.created", "api_key.revoked"]


def test_the_keys_of_a_closed_account_are_unknown(acme, acme_key, clock):
    Account.update(closed_at=clock.now).where(Account.id == acme.id).execute()

    assert ApiKey.known(acme_key) is None


@pytest.mark.parametrize(
    "mistake",
    [
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: key[:15] + ("a" if key[15] != "a" else "b") + key[16:],
        lambda key: key.replace("_test_", "_live_"),
        lambda key: key.upper(),
        lambda key: key + " ",
        lambda key: "",
        lambda key: "portal_",
        lambda key: "_",
        lambda key: key.replace("t", "τ", 1),
        lambda key: "\ud800" + key,
        lambda key: key + "\0",
    ],
)
def test_a_mistyped_key_is_refused_without_asking_the_database(acme_key, mistake, monkeypatch):
    for name in ("execute_sql", "first"):
        monkeypatch.setattr(type(db.obj), name, lambda *_: pytest.fail("the database was asked"), raising=False)

    assert ApiKey.known(mistake(acme_key)) is None


def test_a_key_with_a_good_checksum_that_was_never_minted_is_unknown(acme_key):
    body = f"portal_test_{'A' * 32}"

    assert ApiKey.known(f"{body}_{checksum(body)}") is None
