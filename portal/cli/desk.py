"""What every command needs: the settings, the ring of keys, the database; and one way to refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, wraps
from typing import Any

import click
from peewee import InterfaceError, OperationalError

from portal.config import Settings, SettingsError, read_settings
from portal.domain.periods import OutOfRange, UnknownTimezone
from portal.gateways import Misconfigured
from portal.models import base, schema
from portal.models.account import Account, OneWay
from portal.models.customer import Erased, Taken
from portal.models.guards import GuardMissing
from portal.models.invoice import IllegalState
from portal.models.link import SessionsOnly
from portal.secret_store import ensure_secrets
from portal.tokens import Keyring, KeyringError, UnknownKey

ACTOR = "cli"
REFUSALS = (
    Erased,
    GuardMissing,
    IllegalState,
    KeyringError,
    Misconfigured,
    OneWay,
    OutOfRange,
    schema.SchemaTooNew,
    SessionsOnly,
    SettingsError,
    Taken,
    base.UnknownDatabase,
    UnknownTimezone,
)


class Refused(click.ClickException):
    """What was asked cannot be done. The message is a sentence, for stderr; the exit code is 1."""


class Desk(click.Group):
    """The one place where errors of all floors become a sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except REFUSALS as error:
            raise Refused(str(error)) from error
        except UnknownKey as error:
            raise Refused(str(error.args[0])) from error
        except UnicodeEncodeError as error:
            raise Refused("What was typed is not UTF-8 text.") from error
        except (OperationalError, InterfaceError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise Refused(f"The database does not answer ({reason}): is PORTAL_DATABASE_URL right?") from error


@dataclass(frozen=True)
class House:
    """The settings, the keys and the moment of one command."""

    settings: Settings
    now: datetime

    @cached_property
    def ring(self) -> Keyring:
        return ring_of(self.settings)


def now() -> datetime:
    return datetime.now(UTC)


def ring_of(settings: Settings) -> Keyring:
    """The ring of link keys as it is at this moment."""
    return Keyring.parse(ensure_secrets(settings).keyring_text)


def ready() -> Settings:
    """The settings, once secrets and database are as this release needs them; else a refusal that says what to run."""
    settings = read_settings()
    ensure_secrets(settings)
    reach(settings)
    schema.check()
    return settings


def reach(settings: Settings) -> None:
    """Binds the database. Where it is a file of ours, its directory is made."""
    if settings.sqlite_path is not None:
        settings.sqlite_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    base.connect(settings.database_url)


def with_database(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command its House, with the database open while it runs."""

    @wraps(command)
    def opened(**given: Any) -> Any:
        settings = ready()
        with base.connection():
            return command(House(settings, now()), **given)

    return opened


account_option = click.option(
    "--account", "account_id", metavar="ID", help="Which account; needless while there is one."
)


def chosen_account(account_id: str | None) -> Account:
    """The account that was named, or the only one."""
    accounts = Account.select().where(Account.closed_at.is_null())
    if account_id is not None:
        named = accounts.where(Account.id == account_id).first()
        if named is None:
            raise Refused(f"There is no open account {account_id}.")
        return named
    found = list(accounts.order_by(Account.created_at, Account.id).limit(2))
    if not found:
        raise Refused("There is no account yet: run `portal account create NAME`.")
    if len(found) > 1:
        raise Refused("There are several accounts: name one with --account ID.")
    return found[0]


def said(sentence: str) -> None:
    """For the person who watches; programs read stdout."""
    click.echo(sentence, err=True)
