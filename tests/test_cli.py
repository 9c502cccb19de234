"""The `portal` command: what it prints, what it changes, and how it refuses."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from portal.cli import main
from portal.models import base, schema
from portal.models.account import Account, ApiKey
from portal.models.customer import Customer
from portal.models.link import Link
from portal.models.record import Record
from portal.tokens import Keyring
from tests import programs
from tests.given import Given

RING = "k1:QmVob2xkIHRoZSBvbmUgdGVzdCBrZXkgb2Yga2V5cyE=:active"
BASE = "https://pay.acme.example"
MIGRATIONS = sorted(path.stem for path in schema.MIGRATIONS.glob("[0-9]*.py"))


class Portal:
    """The command, run inside this process."""

    def __init__(self, **settings: str) -> None:
        self.env = {f"PORTAL_{name.upper()}": value for name, value in settings.items()}

    def __call__(self, *arguments: str, **more: str) -> Result:
        return CliRunner().invoke(main, arguments, env={**self.env, **more})

    def says(self, *arguments: str) -> str:
        """Its stdout, which must be the one line."""
        result = self(*arguments)
        assert result.exit_code == 0, result.stderr
        (line,) = result.stdout.splitlines()
        return line

    def refuses(self, *arguments: str, **more: str) -> str:
        """Its stderr, which must be one sentence."""
        result = self(*arguments, **more)
        assert (result.exit_code, result.stdout) == (1, "")
        (line,) = result.stderr.splitlines()
        return line


@pytest.fixture(autouse=True)
def _same_database_afterwards() -> Iterator[None]:
    """The command binds the models to its own database."""
    bound = base.db.obj
    yield
    base.db.initialize(bound)


@pytest.fixture
def fresh(tmp_path: Path) -> Portal:
    """A portal of its own, embedded, migrated, empty."""
    portal = Portal(data_dir=str(tmp_path / "data"), base_url=BASE)
    portal("migrate")
    return portal


@pytest.fixture
def portal(migrated: str, tmp_path: Path, acme: Account) -> Portal:
    """The portal of the shared database, in which Acme has customers."""
    return Portal(
        data_dir=str(tmp_path),
        database_url=migrated,
        link_keys=RING,
        secret_key="a secret that only the tests know 0123456789",
        base_url=BASE,
    )


def records(subject: str) -> list[tuple[str, str]]:
    return [(row.actor, row.deed) for row in Record.select().where(Record.subject == subject).order_by(Record.at)]


def in_database() -> None:
    base.db.connect(reuse_if_open=True)


# The first minutes.


def test_migrating_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    portal = Portal(data_dir=str(tmp_path / "data"))

    first, second = portal("migrate"), portal("migrate")

    assert first.stdout.split() == MIGRATIONS
    assert [line for line in first.stderr.splitlines() if "Applying" in line] == [
        f"Applying {name} …" for name in MIGRATIONS
    ]
    assert (second.exit_code, second.stdout) == (0, "")


@pytest.mark.parametrize("command", ["serve", "worker", "account create Acme", "api-key create", "keys status"])
def test_a_database_without_tables_is_refused_with_the_command_to_run(tmp_path: Path, command: str) -> None:
    assert "portal migrate" in Portal(data_dir=str(tmp_path)).refuses(*command.split())


def test_a_database_of_a_later_release_is_refused(fresh: Portal) -> None:
    in_database()
    base.db.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01')")
    base.db.close()

    assert "newer release" in fresh.refuses("serve")
    assert "newer release" in fresh.refuses("migrate")


def test_the_account_id_and_the_key_stand_alone_on_their_lines(fresh: Portal) -> None:
    account_id = fresh.says("account", "create", "Acme")
    key = fresh.says("api-key", "create")

    in_database()
    assert Account.get_by_id(account_id).mode == "live"
    assert ApiKey.known(key).account_id == account_id
    assert records(account_id) == [("cli", "account.created")]


def test_an_account_made_beside_the_sandbox_is_in_test_mode(fresh: Portal) -> None:
    made = fresh("account", "create", "Acme", PORTAL_GATEWAY="sandbox").stdout.strip()

    in_database()
    assert Account.get_by_id(made).mode == "test"


def test_a_name_is_checked_like_that_of_the_api(fresh: Portal) -> None:
    assert "name" in fresh.refuses("account", "create", " ")
    assert "name" in fresh.refuses("account", "create", "a" * 201)
    assert "UTF-8" in fresh.refuses("account", "create", "caf\udce9")
    assert fresh.says("account", "create", "true")


def test_the_account_must_be_named_once_there_are_two(fresh: Portal) -> None:
    assert "portal account create" in fresh.refuses("api-key", "create")
    acme, _ = (fresh.says("account", "create", name) for name in ("Acme", "Bolt"))

    assert "--account" in fresh.refuses("api-key", "create")
    assert "no open account nobody" in fresh.refuses("api-key", "create", "--account", "nobody")
    assert "no account nobody" in fresh.refuses("payment", "list", "--account", "nobody")
    assert fresh.says("api-key", "create", "--account", acme).startswith("portal_live_")


def test_a_revoked_key_no_longer_opens(fresh: Portal) -> None:
    fresh("account", "create", "Acme")
    key = fresh.says("api-key", "create")
    key_id = fresh.says("api-key", "list").split()[0]

    assert fresh.says("api-key", "revoke", key_id) == "revoked"

    in_database()
    assert ApiKey.known(key) is None
    base.db.close()
    assert "revoked" in fresh.says("api-key", "list")
    assert "no API key nothing" in fresh.refuses("api-key", "revoke", "nothing")


def test_a_setting_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    refused = Portal(data_dir=str(tmp_path)).refuses("migrate", PORTAL_GATEWAY="paypal")

    assert "PORTAL_GATEWAY must be" in refused


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    portal = Portal(
        data_dir=str(tmp_path),
        database_url="postgresql://portal@127.0.0.1:1/portal",
        link_keys=RING,
        secret_key="a secret that only the tests know 0123456789",
    )

    assert "does not answer" in portal.refuses("account", "create", "Acme")


def test_every_command_asks_for_the_secrets_of_a_database_elsewhere(tmp_path: Path) -> None:
    env = {"data_dir": str(tmp_path), "database_url": "postgresql://portal@127.0.0.1:1/portal"}

    for command in ("migrate", "serve", "worker", "account create A", "api-key create", "keys status"):
        assert "portal keys new" in Portal(**env).refuses(*command.split())


# Settings of an account.


def test_settings_are_checked_like_those_of_the_api(fresh: Portal) -> None:
    account_id = fresh.says("account", "create", "Acme")

    done = fresh("account", "set", "name=Acme & Sons", "reminders=[3, 7]", "hide_voided_invoices=true", "memo=2026")

    assert done.exit_code == 0, done.stderr
    in_database()
    acme = Account.get_by_id(account_id)
    assert (acme.name, acme.reminders, acme.hide_voided_invoices, acme.memo) == ("Acme & Sons", [3, 7], True, "2026")
    base.db.close()
    assert "colour" in fresh.refuses("account", "set", "colour=red")
    assert "accent_color" in fresh.refuses("account", "set", "accent_color=red")
    assert "KEY=VALUE" in fresh.refuses("account", "set", "name")


@pytest.mark.parametrize(
    ("setting", "text", "kept"),
    [
        ("payment_methods", '["us_bank_account"]', ["us_bank_account"]),
        ("payment_methods", "[]", []),
        (
            "payment_method_limits",
            '{"card": {"maximum": "10000"}}',
            {"card": {"minimum": None, "maximum": "10000"}},
        ),
        ("save_payment_method", "optional", "optional"),
        ("partial_payments", '{"allowed": true, "minimum": "50.00"}', {"allowed": True, "minimum": "50.00"}),
        (
            "bank_accounts",
            '[{"currency": "EUR", "holder": "Acme GmbH", "iban": "DE89 3704 0044 0532 0130 00"}]',
            [
                {
                    "currency": "EUR",
                    "holder": "Acme GmbH",
                    "iban": "DE89370400440532013000",
                    "account_number": None,
                    "routing_number": None,
                    "bic": None,
                }
            ],
        ),
    ],
)
def test_how_customers_may_pay_is_set_as_json(
    portal: Portal, acme: Account, setting: str, text: str, kept: object
) -> None:
    done = portal("account", "set", f"{setting}={text}", "--account", acme.id)

    assert done.exit_code == 0, done.stderr
    in_database()
    assert getattr(Account.get_by_id(acme.id), setting) == kept


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("payment_methods=card", "payment_methods must be a list"),
        ('payment_methods=["cash"]', "some of card, us_bank_account, sepa_debit, bank_transfer"),
        ('payment_method_limits={"card": {"maximum": 5}}', "must be an amount as text"),
        ("save_payment_method=always", "'off', 'optional' or 'required'"),
        ('partial_payments={"allowed": "yes"}', "must be true or false"),
        ('bank_accounts=[{"currency": "EUR", "holder": "Acme"}]', "must have an iban"),
    ],
)
def test_how_customers_may_pay_is_refused_in_a_sentence(
    portal: Portal, acme: Account, setting: str, sentence: str
) -> None:
    assert sentence in portal.refuses("account", "set", setting, "--account", acme.id)


def test_sessions_only_has_no_way_back(fresh: Portal) -> None:
    fresh("account", "create", "Acme")

    assert fresh("account", "set", "customer_portal_sessions_only=true").exit_code == 0
    assert "customer_portal_sessions_only" in fresh.refuses("account", "set", "customer_portal_sessions_only=false")


# Links.


def test_an_invoice_link_is_found_by_either_id(portal: Portal, given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    link = Link.of_invoice(invoice.id)

    assert portal.says("link", "show", invoice.id) == BASE + given.url(link)
    assert portal.says("link", "show", link.id) == BASE + given.url(link)


def test_a_refreshed_link_replaces_the_earlier_one(portal: Portal, given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    earlier = Link.of_invoice(invoice.id)

    url = portal.says("link", "refresh", invoice.id)

    in_database()
    fresh = Link.of_invoice(invoice.id)
    assert url == BASE + given.url(fresh)
    assert fresh.id != earlier.id
    assert ("cli", "link.refreshed") in records(earlier.id)
    assert portal.says("link", "show", earlier.id) == "refreshed"


def test_a_revoked_link_keeps_who_and_why(portal: Portal, given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    link = Link.of_invoice(invoice.id)

    assert portal.says("link", "revoke", invoice.id, "--reason", "sent to the wrong person") == "revoked"
    assert portal.says("link", "revoke", invoice.id) == "revoked"

    in_database()
    ended = Link.get_by_id(link.id)
    assert (ended.ended_by, ended.ended_how, ended.reason) == ("cli", "revoked", "sent to the wrong person")
    assert records(link.id).count(("cli", "link.revoked")) == 1
    assert "because: sent to the wrong person" in portal("link", "show", invoice.id).stderr


def test_a_permanent_link_is_rotated_by_the_customers_id(portal: Portal, given: Given, acme: Account) -> None:
    customer = given.customer(acme)
    earlier = Link.of_customer(customer.id)

    url = portal.says("link", "rotate", customer.id)

    in_database()
    assert url == BASE + given.url(Link.of_customer(customer.id))
    assert Link.get_by_id(earlier.id).ended_how == "rotated"


def test_refresh_is_for_invoices_and_rotate_for_customers(portal: Portal, given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))

    assert "portal link rotate" in portal.refuses("link", "refresh", invoice.customer_id)
    assert "portal link refresh" in portal.refuses("link", "rotate", invoice.id)
    assert "no link, invoice or customer nothing" in portal.refuses("link", "show", "nothing")


def test_a_draft_has_no_link_to_show_or_refresh(portal: Portal, given: Given, acme: Account) -> None:
    draft = given.invoice(given.customer(acme), issued=False)

    assert "has no link" in portal.refuses("link", "show", draft.id)
    assert "draft" in portal.refuses("link", "refresh", draft.id)


def test_a_link_whose_key_is_gone_is_unavailable(portal: Portal, given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    portal.env["PORTAL_LINK_KEYS"] = "zz:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=:active"

    assert portal.says("link", "show", invoice.id) == "unavailable"


# Sessions.


def test_a_new_session_ends_the_others_unless_told_otherwise(portal: Portal, given: Given, acme: Account) -> None:
    customer = given.customer(acme, external_id=f"crm/{datetime.now(UTC).timestamp()}")

    portal.says("session", "create", customer.id)
    portal.says("session", "create", customer.external_id, "--keep-existing")
    in_database()
    two = Link.live_sessions(customer.id, datetime.now(UTC)).count()
    portal.says("session", "create", customer.id, "--minutes", "5")

    in_database()
    (last,) = Link.live_sessions(customer.id, datetime.now(UTC))
    assert two == 2
    assert last.expires_at - last.created_at <= timedelta(minutes=5)
    assert portal.says("session", "end", customer.id) == "1"
    assert "between 1 and 180" in portal.refuses("session", "create", customer.id, "--minutes", "181")
    assert "no customer nobody" in portal.refuses("session", "create", "nobody")


def test_an_external_id_of_two_accounts_needs_the_account(
    portal: Portal, given: Given, acme: Account, bolt: Account
) -> None:
    external_id = f"crm-{acme.id}"
    of_acme, _ = given.customer(acme, external_id=external_id), given.customer(bolt, external_id=external_id)

    assert "--account" in portal.refuses("session", "create", external_id)
    assert "/s/" in portal.says("session", "create", external_id, "--account", acme.id)
    in_database()
    assert Link.live_sessions(of_acme.id, datetime.now(UTC)).count() == 1


# Keys.


def link_in(portal: Portal) -> str:
    """Makes a customer in a fresh portal and gives the id of her permanent link."""
    portal("account", "create", "Acme")
    kid = portal.says("keys", "status").split()[0]
    in_database()
    now = datetime.now(UTC)
    customer = Customer.add(Account.get(), now, "test", name="Customer", email="ap@customer.example")
    link_id = Link.permanent(customer, now, kid, "test").id
    base.db.close()
    return link_id


def test_a_new_key_signs_while_the_earlier_one_opens(fresh: Portal) -> None:
    link_id = link_in(fresh)
    url, kid = fresh.says("link", "show", link_id), fresh.says("keys", "status").split()[0]

    new = fresh.says("keys", "new")

    status = fresh("keys", "status").stdout.splitlines()
    assert status[0].split()[:2] == [new, "active"]
    assert status[1].startswith(f"{kid}  verify   1 live link (1 customer), without an end")
    assert fresh.says("link", "show", link_id) == url


def test_a_key_is_retired_once_no_live_link_needs_it(fresh: Portal) -> None:
    link_id = link_in(fresh)
    kid = fresh.says("keys", "status").split()[0]
    assert "portal keys new" in fresh.refuses("keys", "retire", kid)
    new = fresh.says("keys", "new")

    refused = fresh.refuses("keys", "retire", kid)
    in_database()
    customer = Customer.get()
    base.db.close()
    fresh.says("link", "rotate", customer.id)
    done = fresh("keys", "retire", kid)

    assert "1 live link" in refused
    assert done.exit_code == 0
    assert fresh.says("keys", "status").split()[:2] == [new, "active"]
    assert fresh.says("link", "show", link_id) == "rotated"
    assert f"Link key {kid} is not in the ring" in fresh.refuses("keys", "retire", kid)


def test_a_key_that_is_given_up_opens_nothing(fresh: Portal) -> None:
    link_id = link_in(fresh)
    kid = fresh.says("keys", "status").split()[0]
    fresh.says("keys", "new")

    assert fresh("keys", "retire", kid, "--give-up").exit_code == 0

    assert fresh("keys", "status").stdout.splitlines()[1].startswith(f"{kid}  recover  1 live link")
    assert fresh.says("link", "show", link_id) == "unavailable"


def test_status_names_keys_that_are_needed_and_gone(fresh: Portal, tmp_path: Path) -> None:
    link_in(fresh)
    kid = fresh.says("keys", "status").split()[0]
    (tmp_path / "data" / "link-keys").write_text("zz:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=:active\n")

    status = fresh("keys", "status").stdout.splitlines()

    assert status == ["zz  active   no live links", f"{kid}  gone     1 live link (1 customer), without an end"]


def test_keys_that_were_set_are_printed_and_not_written(portal: Portal, tmp_path: Path) -> None:
    ring = Keyring.parse(portal.says("keys", "new"))

    assert list(ring.states.values()) == ["active", "verify"]
    assert ring.has("k1")
    assert not (tmp_path / "link-keys").exists()


def test_the_first_keys_are_made_before_there_is_a_database(tmp_path: Path) -> None:
    portal = Portal(data_dir=str(tmp_path), database_url="postgresql://portal@127.0.0.1:1/portal")

    assert list(Keyring.parse(portal.says("keys", "new")).states.values()) == ["active"]


# Processes.


def test_everything_may_start_at_once_in_an_empty_directory(tmp_path: Path) -> None:
    env = programs.environment(data_dir=str(tmp_path / "data"))

    migrated = programs.at_once(*[["migrate"]] * 8, ["keys", "status"], ["api-key", "create"], env=env)
    account = programs.run("account", "create", "Acme", env=env)
    keys = programs.at_once(*[["api-key", "create"]] * 6, *[["keys", "new"]] * 3, env=env)

    assert [code for code, _, _ in migrated[:8]] == [0] * 8, migrated
    assert sorted(out for _, out, _ in migrated[:8]) == [""] * 7 + ["".join(f"{name}\n" for name in MIGRATIONS)]
    assert all(code == 0 or len(err.splitlines()) == 1 for code, _, err in migrated)
    assert account.returncode == 0
    assert [code for code, _, _ in keys] == [0] * 9, keys
    assert len({out for _, out, _ in keys}) == 9
    assert len(programs.run("keys", "status", env=env).stdout.splitlines()) == 4


def test_a_gateway_that_lacks_a_setting_is_told_before_anybody_is_served(fresh: Portal) -> None:
    refused = fresh.refuses("serve", "--port", "0", PORTAL_GATEWAY="stripe", PORTAL_STRIPE_SECRET_KEY="sk_test_1")

    assert "Set PORTAL_STRIPE_PUBLISHABLE_KEY and PORTAL_STRIPE_WEBHOOK_SECRETS" in refused


def test_an_account_waits_for_the_key_that_fixes_its_mode(fresh: Portal) -> None:
    assert "PORTAL_STRIPE_SECRET_KEY" in fresh.refuses("account", "create", "Acme", PORTAL_GATEWAY="stripe")
    assert "portal account create" in fresh.refuses("api-key", "create")


def test_a_port_in_use_is_one_sentence(fresh: Portal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert f"Port {port} is in use" in fresh.refuses("serve", "--port", str(port))


def test_the_server_keeps_paths_out_of_its_log_and_ends_gracefully(fresh: Portal, tmp_path: Path) -> None:
    env = programs.environment(data_dir=fresh.env["PORTAL_DATA_DIR"])
    port, log = programs.free_port(), tmp_path / "log"
    canary = "k1" + 27 * "C" + "~" + 43 * "C"

    with programs.running("serve", "--port", str(port), "--workers", "2", env=env, log=log) as server:
        assert programs.wait_until(lambda: programs.answers(port))
        known = _ask(port, f"GET /i/{canary}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        malformed = _ask(port, f"GET /i/{canary}/ nonsense HTTP/1.1\r\n\r\n")
        server.terminate()
        code = server.wait(programs.PATIENCE_SECONDS)

    assert known.startswith("HTTP/1.1 404")
    assert malformed.startswith("HTTP/1.1 400")
    assert "gunicorn/" not in known
    assert code == 0
    assert canary not in log.read_text()
    assert "CCCC" not in log.read_text()
    assert all(json.loads(line) for line in log.read_text().splitlines())


def _ask(port: int, request: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
