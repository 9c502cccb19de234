"""The rules of links, as far as rows and the database keep them: rules 1 to 8, and every way around rule 7."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import peewee
import pytest

from portal.domain.periods import OutOfRange
from portal.models import moments
from portal.models.account import Account
from portal.models.base import db, is_postgresql
from portal.models.customer import Customer
from portal.models.invoice import IllegalState, Invoice
from portal.models.link import Link, SessionsOnly
from portal.models.opening import opened
from portal.models.payment import Payment
from tests.models.conftest import RING

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def live(invoice):
    return Link.select().where(Link.invoice == invoice.id, Link.ended_at.is_null())


def is_open(link, now):
    """Does the one query of a page find this link, neither ended nor expired?"""
    row = opened(bytes.fromhex(link.token_id))
    return row is not None and not row.ended and (row.expires_at is None or now < row.expires_at)


# Rule 1: an invoice link is signed and expiring.


@pytest.mark.parametrize(
    ("due", "timezone", "ends"),
    [
        (date(2026, 12, 31), "Etc/UTC", datetime(2027, 1, 30, 23, 59, 59, tzinfo=UTC)),
        (date(2026, 12, 31), "Pacific/Kiritimati", datetime(2027, 1, 30, 9, 59, 59, tzinfo=UTC)),
        (date(2026, 12, 31), "Etc/GMT+12", datetime(2027, 1, 31, 11, 59, 59, tzinfo=UTC)),
        (date(2027, 2, 20), "America/New_York", datetime(2027, 3, 23, 3, 59, 59, tzinfo=UTC)),  # after the clocks moved
        (date(2028, 1, 30), "Europe/Berlin", datetime(2028, 2, 29, 22, 59, 59, tzinfo=UTC)),
        (None, "Etc/UTC", datetime(2026, 12, 23, 23, 59, 59, tzinfo=UTC)),
        (None, "Asia/Tokyo", datetime(2026, 12, 23, 14, 59, 59, tzinfo=UTC)),
        # Never born dead: less than seven days are left, or none, so it opens 60 days from now.
        (date(2026, 10, 25), "Etc/UTC", NOON + timedelta(days=60)),
        (date(2020, 1, 1), "Etc/UTC", NOON + timedelta(days=60)),
        (date(2026, 10, 30), "Etc/UTC", NOON + timedelta(days=60)),
        (date(2026, 10, 31), "Etc/UTC", datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_the_first_link_opens_until_thirty_days_after_the_due_date(acme, given, due, timezone, ends):
    invoice = given.invoice(given.customer(acme, timezone=timezone), due=due)

    assert Link.of_invoice(invoice.id).expires_at == ends


def test_the_days_are_the_accounts_to_choose(acme, given, clock, kid):
    acme.configure({"invoice_link_days_after_due": 90, "refreshed_link_days": 14}, clock.now, "test")
    customer = given.customer(acme)

    soon = given.invoice(customer, due=date(2026, 12, 1))
    long_ago = given.invoice(customer, due=date(2020, 1, 1))

    assert Link.of_invoice(soon.id).expires_at == datetime(2027, 3, 1, 23, 59, 59, tzinfo=UTC)
    assert Link.of_invoice(long_ago.id).expires_at == NOON + timedelta(days=14)


def test_the_token_carries_the_same_end_as_the_row(acme, given, clock):
    clock.now = clock.now.replace(microsecond=987654)

    link = Link.of_invoice(given.invoice(given.customer(acme), due=date(2020, 1, 1)).id)

    assert link.expires_at.microsecond == 0
    assert datetime.fromtimestamp(link.token_exp, UTC) == link.expires_at
    assert RING.unseal("invoice", given.url(link).split("/")[2]).exp == link.token_exp


def test_a_link_is_expired_from_its_last_second_on(acme, given):
    link = Link.of_invoice(given.invoice(given.customer(acme)).id)

    assert not link.expired(link.expires_at - timedelta(microseconds=1))
    assert link.expired(link.expires_at)
    assert link.expired(link.expires_at + timedelta(seconds=1))


def test_links_of_paid_and_void_invoices_keep_opening(acme, given, clock):
    customer = given.customer(acme)
    paid, void = given.invoice(customer), given.invoice(customer)

    Payment.record(paid, clock.now, "test", received_on=clock.now.date())
    moments.void(void, clock.now, "test")

    assert is_open(Link.of_invoice(paid.id), clock.now)
    assert is_open(Link.of_invoice(void.id), clock.now)


# Rule 2: a refresh gives a new link and stops the old one.


@pytest.mark.parametrize(
    ("due", "ends"),
    [
        (date(2026, 11, 30), NOON + timedelta(days=60)),
        (date(2026, 12, 22), NOON + timedelta(days=60)),
        (date(2026, 12, 23), datetime(2027, 1, 22, 23, 59, 59, tzinfo=UTC)),
        (date(2027, 6, 1), datetime(2027, 7, 1, 23, 59, 59, tzinfo=UTC)),
        (None, NOON + timedelta(days=60)),
    ],
)
def test_a_refreshed_link_opens_for_sixty_days_or_until_thirty_after_the_due_date(acme, given, clock, kid, due, ends):
    invoice = given.invoice(given.customer(acme, timezone="Etc/UTC"), due=due)

    link = Link.reissue(invoice, acme, "Etc/UTC", clock.now, kid, "test")

    assert link.expires_at == ends


def test_refreshing_stops_the_earlier_link_at_once_and_says_how_it_ended(acme, given, clock, kid):
    invoice = given.invoice(given.customer(acme))
    earlier = Link.of_invoice(invoice.id)

    fresh = Link.reissue(invoice, acme, "Etc/UTC", clock.now, kid, "cli")

    assert is_open(fresh, clock.now)
    assert not is_open(earlier, clock.now)
    assert given.url(fresh) != given.url(earlier)
    (ended,) = Link.history("invoice", invoice.id)
    assert (ended.id, ended.ended_how, ended.ended_by, ended.ended_at) == (earlier.id, "refreshed", "cli", clock.now)


def test_a_revoked_link_can_be_followed_by_a_fresh_one(acme, given, clock, kid):
    invoice = given.invoice(given.customer(acme))
    Link.of_invoice(invoice.id).revoke(clock.now, "test")

    assert is_open(Link.reissue(invoice, acme, "Etc/UTC", clock.now, kid, "test"), clock.now)
    assert [link.ended_how for link in Link.history("invoice", invoice.id)] == ["revoked"]


@pytest.mark.parametrize("status", ["draft", "void"])
def test_a_draft_and_a_void_invoice_get_no_fresh_link(acme, given, clock, kid, status):
    invoice = given.invoice(given.customer(acme), issued=status != "draft")
    if status == "void":
        moments.void(invoice, clock.now, "test")
    before = Link.select().count()

    with pytest.raises(IllegalState, match=status):
        Link.reissue(invoice, acme, "Etc/UTC", clock.now, kid, "test")

    assert Link.select().count() == before


def test_a_refresh_that_fails_leaves_the_earlier_link(acme, given, clock, kid):
    invoice = given.invoice(given.customer(acme))
    earlier = Link.of_invoice(invoice.id)

    with db.atomic() as transaction:
        Link.reissue(invoice, acme, "Etc/UTC", clock.now, kid, "test")
        transaction.rollback()

    assert is_open(earlier, clock.now)
    assert Link.of_invoice(invoice.id).id == earlier.id


# Rule 3: one live link an invoice.


def test_a_draft_has_no_link(acme, given):
    assert Link.of_invoice(given.invoice(given.customer(acme), issued=False).id) is None


def test_however_often_it_is_refreshed_an_invoice_has_one_live_link(acme, given, clock, kid):
    invoice = given.invoice(given.customer(acme))

    for _ in range(5):
        clock.advance(minutes=1)
        Link.reissue(invoice, acme, "Etc/UTC", clock.now, kid, "test")

    assert live(invoice).count() == 1
    assert [row.created_at for row in Link.history("invoice", invoice.id)] == [
        clock.now - timedelta(minutes=minutes) for minutes in (1, 2, 3, 4, 5)
    ]


@pytest.mark.parametrize("kind", ["invoice", "customer"])
def test_where_code_would_make_a_second_live_link_the_database_does_not(acme, given, outside, kind):
    invoice = given.invoice(given.customer(acme))
    first = Link.of_invoice(invoice.id) if kind == "invoice" else Link.of_customer(invoice.customer_id)
    row = outside.row("SELECT * FROM link WHERE id = ?", first.id)
    second = {**row, "id": "freshfreshfresh1", "token_id": "0" * 32}

    assert outside.refused(outside.inserting("link", second))
    assert outside.row("SELECT * FROM link WHERE id = ?", first.id) == row


def test_an_ended_link_makes_room_whatever_code_says(acme, given, clock, outside):
    invoice = given.invoice(given.customer(acme))
    first = Link.of_invoice(invoice.id)
    row = outside.row("SELECT * FROM link WHERE id = ?", first.id)

    first.revoke(clock.now, "test")

    assert not outside.refused(
        outside.inserting("link", {**row, "id": first.id[::-1], "token_id": row["token_id"][::-1]})
    )


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "session"},  # of an invoice
        {"kind": "customer"},
        {"invoice_id": None},
        {"expires_at": None, "kind": "invoice"},
        {"ended_at": 1},  # without saying how
        {"ended_how": "revoked"},
        {"kind": "account"},
    ],
)
def test_a_link_that_contradicts_itself_cannot_be_made(acme, given, outside, change):
    invoice = given.invoice(given.customer(acme))
    row = outside.row("SELECT * FROM link WHERE invoice_id = ?", invoice.id)
    odd = {**row, "id": "freshfreshfresh1", "token_id": "0" * 32, **change}

    assert outside.refused(outside.inserting("link", odd))


# Rule 4: a revocation says who, when and why, and holds.


def test_revoking_ends_a_link_and_keeps_who_when_and_why(acme, given, clock):
    link = Link.of_invoice(given.invoice(given.customer(acme)).id)

    link.revoke(clock.now, "api:key", "wrong address")

    row = Link.get_by_id(link.id)
    assert (row.ended_at, row.ended_by, row.ended_how, row.reason) == (
        clock.now,
        "api:key",
        "revoked",
        "wrong address",
    )
    assert not is_open(row, clock.now)


def test_revoking_again_changes_nothing(acme, given, clock):
    link = Link.of_invoice(given.invoice(given.customer(acme)).id)
    link.revoke(clock.now, "first", "because")
    clock.advance(hours=1)

    link.revoke(clock.now, "second", "no")

    assert (Link.get_by_id(link.id).ended_by, Link.get_by_id(link.id).reason) == ("first", "because")


def test_an_expired_link_can_still_be_revoked_on_purpose(acme, given, clock):
    link = Link.of_invoice(given.invoice(given.customer(acme)).id)
    clock.advance(days=400)

    link.revoke(clock.now, "test")

    assert Link.get_by_id(link.id).newest().ended_how == "revoked"


def attacks_on_a_link(row, other, outside):
    table = "link"
    for name, value in {
        "token_id": "0" * 32,
        "kid": "zz",
        "token_exp": 0,
        "customer_id": other["customer_id"],
        "account_id": other["account_id"],
        "created_by": "x",
        "created_at": 1,
        "expires_at": row["expires_at"] + 1,
        "ended_at": None if row["ended_at"] else row["created_at"],
        "reason": "another",
        "ended_by": "x",
    }.items():
        if row["ended_at"] or name not in ("ended_at", "reason", "ended_by"):
            yield f"UPDATE link SET {name} = ? WHERE id = ?", (value, row["id"])
    yield "DELETE FROM link WHERE id = ?", (row["id"],)
    again = {**row, "ended_at": None, "ended_how": None, "ended_by": None, "reason": None}
    later = {**row, "expires_at": row["expires_at"] + 10**12}
    yield outside.upserting(table, later, "expires_at")
    yield outside.upserting(table, later, "expires_at", key="token_id")
    if row["ended_at"]:
        yield outside.upserting(table, again, "ended_at", "ended_how", "ended_by", "reason")
    if not outside.is_sqlite:
        yield "TRUNCATE link", ()
        return
    yield outside.inserting(table, again, "REPLACE INTO")
    yield outside.inserting(table, {**again, "id": "freshfreshfresh1"}, "INSERT OR REPLACE INTO")
    fresh = {**again, "id": "freshfreshfresh1", "token_id": "0" * 32}
    if not row["ended_at"]:
        yield outside.inserting(table, fresh, "INSERT OR REPLACE INTO")  # meets the index of live links
    rowid = outside.row("SELECT rowid AS n FROM link WHERE id = ?", row["id"])["n"]
    yield outside.inserting(table, {"rowid": rowid, **fresh}, "INSERT OR REPLACE INTO")
    yield "UPDATE OR REPLACE link SET rowid = ? WHERE id = ?", (rowid, other["id"])
    yield "UPDATE OR REPLACE link SET id = ? WHERE id = ?", (row["id"], other["id"])


@pytest.mark.parametrize("state", ["live", "revoked"])
def test_a_link_keeps_its_terms_and_once_ended_stays_ended_whoever_writes(acme, bolt, given, clock, outside, state):
    link = Link.of_invoice(given.invoice(given.customer(acme)).id)
    other = Link.of_invoice(given.invoice(given.customer(bolt)).id)
    if state == "revoked":
        link.revoke(clock.now, "test", "because")
    row, neighbour = (outside.row("SELECT * FROM link WHERE id = ?", one.id) for one in (link, other))

    for attack in attacks_on_a_link(row, neighbour, outside):
        assert outside.refused(attack), attack
        assert outside.row("SELECT * FROM link WHERE id = ?", link.id) == row, attack


def test_an_end_may_come_earlier_but_never_later(acme, given, outside):
    link = Link.of_invoice(given.invoice(given.customer(acme)).id)
    row = outside.row("SELECT * FROM link WHERE id = ?", link.id)

    assert not outside.refused(("UPDATE link SET expires_at = ? WHERE id = ?", (row["expires_at"] - 1, link.id)))
    assert outside.refused(("UPDATE link SET expires_at = ? WHERE id = ?", (row["expires_at"], link.id)))


# Rule 5: the permanent link.


def test_rotating_gives_another_permanent_link_and_stops_the_earlier_one(acme, given, clock, kid):
    customer = given.customer(acme)
    earlier = Link.of_customer(customer.id)

    fresh = Link.rotate(customer, clock.now, kid, "test")

    assert (fresh.expires_at, fresh.token_exp) == (None, 0)
    assert is_open(fresh, clock.now)
    assert not is_open(earlier, clock.now)
    assert [row.ended_how for row in Link.history("customer", customer.id)] == ["rotated"]


def test_a_permanent_link_opens_for_ever_until_it_is_revoked(acme, given, clock):
    link = Link.of_customer(given.customer(acme).id)

    assert is_open(link, datetime(2105, 1, 1, tzinfo=UTC))
    link.revoke(clock.now, "test")

    assert not is_open(link, clock.now)


def test_a_customer_who_is_to_have_no_permanent_link_cannot_rotate_to_one(acme, given, clock, kid):
    customer = given.customer(acme, permanent_portal_link=False)

    with pytest.raises(SessionsOnly, match="permanent_portal_link"):
        Link.rotate(customer, clock.now, kid, "test")

    customer.change({"permanent_portal_link": True}, clock.now, "test")
    assert Link.rotate(customer, clock.now, kid, "test").kind == "customer"


# Rule 6: portal sessions.


@pytest.mark.parametrize("minutes", [1, 60, 180])
def test_a_session_opens_for_its_minutes(acme, given, clock, kid, minutes):
    session = Link.start_session(given.customer(acme), clock.now, kid, "test", minutes=minutes)

    assert is_open(session, clock.now + timedelta(minutes=minutes, microseconds=-1))
    assert not is_open(session, clock.now + timedelta(minutes=minutes))


def test_a_session_opens_for_an_hour_unless_told_otherwise(acme, given, clock, kid):
    assert Link.start_session(given.customer(acme), clock.now, kid, "test").expires_at == clock.now + timedelta(hours=1)


@pytest.mark.parametrize("minutes", [0, -1, 181, 10**9])
def test_a_session_of_too_few_or_too_many_minutes_is_refused_and_ends_nothing(acme, given, clock, kid, minutes):
    customer = given.customer(acme)
    session = Link.start_session(customer, clock.now, kid, "test")

    with pytest.raises(OutOfRange, match="between 1 and 180"):
        Link.start_session(customer, clock.now, kid, "test", minutes=minutes)

    assert is_open(session, clock.now)


def test_a_new_session_ends_the_customers_others_and_nobody_elses(acme, given, clock, kid):
    customer, neighbour = given.customer(acme), given.customer(acme)
    first = Link.start_session(customer, clock.now, kid, "test")
    foreign = Link.start_session(neighbour, clock.now, kid, "test")

    second = Link.start_session(customer, clock.now, kid, "test")

    assert [is_open(link, clock.now) for link in (first, second, foreign)] == [False, True, True]
    assert Link.get_by_id(first.id).ended_how == "replaced"


def test_a_new_session_may_keep_the_others(acme, given, clock, kid):
    customer = given.customer(acme)
    first = Link.start_session(customer, clock.now, kid, "test")

    second = Link.start_session(customer, clock.now, kid, "test", invalidate_existing=False)

    assert {link.id for link in Link.live_sessions(customer.id, clock.now)} == {first.id, second.id}


def test_sessions_never_touch_the_permanent_link_nor_the_invoices(acme, given, clock, kid):
    customer = given.customer(acme)
    invoice = given.invoice(customer)

    Link.start_session(customer, clock.now, kid, "test")
    assert Link.end_sessions(customer, clock.now, "test") == 1

    assert is_open(Link.of_customer(customer.id), clock.now)
    assert is_open(Link.of_invoice(invoice.id), clock.now)


def test_ending_all_sessions_says_how_many_were_live(acme, given, clock, kid):
    customer = given.customer(acme)
    for _ in range(3):
        Link.start_session(customer, clock.now, kid, "test", invalidate_existing=False)

    assert Link.end_sessions(customer, clock.now, "test", "left") == 3
    assert Link.end_sessions(customer, clock.now, "test") == 0
    assert {link.reason for link in Link.history("session", customer.id)} == {"left"}


# Rule 7: sessions only, for ever.


@pytest.fixture
def strict(acme, given, clock):
    """Acme after the switch, with a customer from before."""
    given.customer(acme, name="From before")
    acme.configure({"customer_portal_sessions_only": True}, clock.now, "test")
    return acme


def still_strict(account):
    return Account.get_by_id(account.id).customer_portal_sessions_only is True


def test_new_customers_get_no_permanent_link(strict, given):
    assert Link.of_customer(given.customer(strict).id) is None


def test_permanent_links_from_before_keep_opening_and_can_be_revoked_but_not_rotated(strict, clock, kid):
    customer = Customer.get(Customer.account == strict.id)
    link = Link.of_customer(customer.id)

    assert is_open(link, clock.now)
    with pytest.raises(SessionsOnly, match="sessions only"):
        Link.rotate(customer, clock.now, kid, "test")
    assert is_open(link, clock.now)
    link.revoke(clock.now, "test")
    assert not is_open(link, clock.now)


def test_sessions_and_invoice_links_are_given_as_before(strict, given, clock, kid):
    customer = given.customer(strict)

    assert is_open(Link.start_session(customer, clock.now, kid, "test"), clock.now)
    assert is_open(Link.of_invoice(given.invoice(customer).id), clock.now)


def test_an_account_that_is_not_sessions_only_can_be_anything(acme, clock, outside):
    acme.configure({"customer_portal_sessions_only": False}, clock.now, "test")

    assert not outside.refused(("UPDATE account SET name = 'Still Acme' WHERE id = ?", (acme.id,)))


def test_a_strict_account_can_still_be_configured(strict, clock):
    strict.configure({"memo": "m", "customer_portal_sessions_only": True}, clock.now, "test")
    strict.next_number()

    assert (Account.get_by_id(strict.id).memo, Account.get_by_id(strict.id).last_number) == ("m", 1)


def ways_back_through_the_models(account):
    def save():
        loaded = Account.get_by_id(account.id)
        loaded.customer_portal_sessions_only = False
        loaded.save()

    def save_only_the_switch():
        loaded = Account.get_by_id(account.id)
        loaded.customer_portal_sessions_only = False
        loaded.save(only=[Account.customer_portal_sessions_only])

    def update():
        Account.update(customer_portal_sessions_only=False).where(Account.id == account.id).execute()

    def set_by_id():
        Account.set_by_id(account.id, {"customer_portal_sessions_only": False})

    def delete():
        Account.delete_by_id(account.id)

    def delete_with_everything():
        Account.get_by_id(account.id).delete_instance(recursive=True)

    def bulk_update():
        loaded = Account.get_by_id(account.id)
        loaded.customer_portal_sessions_only = False
        Account.bulk_update([loaded], [Account.customer_portal_sessions_only])

    def upsert():
        row = {**Account.select().where(Account.id == account.id).dicts().get(), "customer_portal_sessions_only": False}
        Account.insert(row).on_conflict(
            conflict_target=[Account.id], preserve=[Account.customer_portal_sessions_only]
        ).execute()

    def replace():
        row = {**Account.select().where(Account.id == account.id).dicts().get(), "customer_portal_sessions_only": False}
        Account.replace(**row).execute()

    ways = [save, save_only_the_switch, update, set_by_id, delete, delete_with_everything, bulk_update, upsert]
    return ways if is_postgresql() else [*ways, replace]


def test_there_is_no_way_back_through_the_models(strict):
    for way in ways_back_through_the_models(strict):
        with pytest.raises(peewee.IntegrityError), db.atomic():
            way()
        assert still_strict(strict), way.__name__


def ways_back_from_outside(row, other, outside):
    """`row` is the strict account, `other` one that is not."""
    table, off = "account", False if not outside.is_sqlite else 0
    loose = {**row, "customer_portal_sessions_only": off}
    yield (("UPDATE account SET customer_portal_sessions_only = ? WHERE id = ?", (off, row["id"])),)
    yield (("UPDATE account SET customer_portal_sessions_only = ?", (off,)),)
    yield (("UPDATE account SET id = 'freshfreshfresh1' WHERE id = ?", (row["id"],)),)
    yield ("DELETE FROM account WHERE id = ?", (row["id"],)), outside.inserting(table, loose)
    yield (("DELETE FROM account", ()),)
    yield (outside.inserting(table, loose),)
    yield (outside.upserting(table, loose, "customer_portal_sessions_only"),)
    yield (outside.upserting(table, loose, "customer_portal_sessions_only", key="number_prefix"),)
    if not outside.is_sqlite:
        yield ("TRUNCATE account CASCADE",)
        yield (
            (
                "MERGE INTO account USING (SELECT 1) AS one ON id = ? WHEN MATCHED THEN "
                "UPDATE SET customer_portal_sessions_only = false",
                (row["id"],),
            ),
        )
        return
    yield (("UPDATE account SET customer_portal_sessions_only = NULL WHERE id = ?", (row["id"],)),)
    yield (("UPDATE account SET customer_portal_sessions_only = 'f' WHERE id = ?", (row["id"],)),)
    yield (("UPDATE OR IGNORE account SET customer_portal_sessions_only = 0 WHERE id = ?", (row["id"],)),)
    yield (("UPDATE OR REPLACE account SET customer_portal_sessions_only = 0 WHERE id = ?", (row["id"],)),)
    yield (outside.inserting(table, loose, "INSERT OR REPLACE INTO"),)
    yield (outside.inserting(table, loose, "REPLACE INTO"),)
    fresh = {**loose, "id": "freshfreshfresh1"}
    yield (outside.inserting(table, fresh, "REPLACE INTO"),)  # meets the number prefix
    rowid = outside.row("SELECT rowid AS n FROM account WHERE id = ?", row["id"])["n"]
    fresh |= {"number_prefix": "FRESHX"}
    back = ("UPDATE account SET id = ?, number_prefix = ? WHERE id = ?", (row["id"], row["number_prefix"], fresh["id"]))
    yield outside.inserting(table, {"rowid": rowid, **fresh}, "REPLACE INTO"), back
    yield outside.inserting(table, {"_rowid_": rowid, **fresh}, "INSERT OR REPLACE INTO"), back
    yield (("UPDATE OR REPLACE account SET id = ? WHERE id = ?", (row["id"], other["id"])),)
    yield (("UPDATE OR REPLACE account SET number_prefix = ? WHERE id = ?", (row["number_prefix"], other["id"])),)
    yield (("UPDATE OR REPLACE account SET rowid = ? WHERE id = ?", (rowid, other["id"])),)


def test_there_is_no_way_back_from_outside(strict, bolt, outside):
    row, other = (outside.row("SELECT * FROM account WHERE id = ?", account.id) for account in (strict, bolt))

    for attack in ways_back_from_outside(row, other, outside):
        assert outside.refused("PRAGMA foreign_keys = 0" if outside.is_sqlite else "SELECT 1", *attack), attack
        assert outside.row("SELECT * FROM account WHERE id = ?", strict.id) == row, attack


@pytest.mark.parametrize(
    "setting", ["foreign_keys", "recursive_triggers", "ignore_check_constraints", "defer_foreign_keys"]
)
def test_no_setting_of_a_sqlite_connection_opens_a_way_back(strict, outside, setting):
    if not outside.is_sqlite:
        pytest.skip("PostgreSQL has no such settings")
    row = outside.row("SELECT * FROM account WHERE id = ?", strict.id)
    loose = {**row, "customer_portal_sessions_only": 0}

    for value in (0, 1):
        assert outside.refused(f"PRAGMA {setting} = {value}", outside.inserting("account", loose, "REPLACE INTO"))
    assert still_strict(strict)


# Rule 8: the same live link always has the same URL.


def test_the_same_link_has_the_same_url_whenever_it_is_asked_for(acme, given, clock):
    link = Link.of_customer(given.customer(acme).id)
    first = given.url(link)
    clock.advance(days=300)

    assert given.url(Link.get_by_id(link.id)) == first
    assert len(first.split("/")[2]) == 73


def test_the_one_query_of_a_page_brings_what_the_row_and_its_owners_say(acme, given, clock):
    customer = given.customer(acme, timezone="Asia/Tokyo", locale="ja")
    invoice = given.invoice(customer)
    link = Link.of_invoice(invoice.id)

    row = opened(bytes.fromhex(link.token_id))

    assert (row.id, row.kind, row.kid, row.token_exp, row.expires_at) == (
        link.id,
        "invoice",
        link.kid,
        link.token_exp,
        link.expires_at,
    )
    assert (row.account_id, row.account_name, row.account_mode, row.account_closed) == (acme.id, "Acme", "test", False)
    assert (row.customer_id, row.timezone, row.locale, row.invoice_id) == (customer.id, "Asia/Tokyo", "ja", invoice.id)
    assert (row.embed_origins, row.hide_voided_invoices, row.support_email) == ([], False, "help@acme.example")


def test_a_token_id_that_nobody_minted_finds_nothing(app):
    assert opened(bytes(16)) is None


def test_current_links_of_many_owners_come_at_once(acme, given, clock):
    invoices = [given.invoice(given.customer(acme)) for _ in range(3)]
    Link.of_invoice(invoices[0].id).revoke(clock.now, "test")

    found = Link.current("invoice", [invoice.id for invoice in invoices])

    assert set(found) == {invoices[1].id, invoices[2].id}
    assert Link.current("invoice", []) == {}
    assert set(Link.current("customer", [invoices[0].customer_id])) == {invoices[0].customer_id}


def test_the_newest_link_of_an_owner_decides_about_a_fresh_one(acme, given, clock, kid):
    invoice = given.invoice(given.customer(acme))
    first = Link.of_invoice(invoice.id)
    clock.advance(minutes=1)
    second = Link.reissue(invoice, acme, "Etc/UTC", clock.now, kid, "test")
    permanent = Link.of_customer(invoice.customer_id)

    assert first.newest().id == second.newest().id == second.id
    assert permanent.newest().id == permanent.id


def test_an_invoice_keeps_its_link_while_its_customer_gets_others(acme, given, clock, kid):
    invoice = given.invoice(given.customer(acme))
    link = Link.of_invoice(invoice.id)

    Link.rotate(Customer.get_by_id(invoice.customer_id), clock.now, kid, "test")
    Link.start_session(Customer.get_by_id(invoice.customer_id), clock.now, kid, "test")

    assert Link.of_invoice(invoice.id).id == link.id
    assert Invoice.get_by_id(invoice.id).status == "issued"
