"""`portal account` and `portal api-key`: who may load data, and how an account behaves."""

from __future__ import annotations

from typing import Any

import click
from pydantic import ValidationError

from portal.cli.desk import ACTOR, House, Refused, account_option, chosen_account, said, with_database
from portal.models.account import Account, ApiKey
from portal.models.base import db, locked


@click.group()
def account() -> None:
    """Accounts: the companies that send links."""


@account.command("create")
@click.argument("name")
@with_database
def create_account(house: House, name: str) -> None:
    """Makes the account NAME and prints its id."""
    from portal.api.errors import Problem

    try:
        settings = _read((f"name={name.strip()}",))
    except Problem as problem:
        raise Refused(str(problem.description)) from problem
    if house.settings.gateway == "stripe" and house.settings.stripe_secret_key is None:
        raise Refused(
            "Set PORTAL_STRIPE_SECRET_KEY first: a test key or a live one fixes the account's mode, for good."
        )
    mode = house.settings.new_mode
    made = Account.open(settings.name, house.now, mode=mode, by=ACTOR)
    said(f"{made.name}, in {mode} mode. Next: `portal api-key create`.")
    click.echo(made.id)


@account.command("set")
@click.argument("settings", metavar="KEY=VALUE...", nargs=-1, required=True)
@account_option
@with_database
def set_account(house: House, settings: tuple[str, ...], account_id: str | None) -> None:
    """Changes settings, all or none: those of PATCH /v1/account. VALUE is text or JSON: 'reminders=[3, 7]'."""
    from portal.api.account_settings import columns
    from portal.api.errors import Problem

    chosen = chosen_account(account_id)
    try:
        with db.atomic():
            held = locked(Account.select().where(Account.id == chosen.id)).get()
            changes = columns(_read(settings), held.company, loopback=house.settings.loopback)
            held.configure(changes, house.now, ACTOR)
    except Problem as problem:
        raise Refused(str(problem.description)) from problem
    said(f"{held.name}: {', '.join(sorted(changes))} set.")


def _read(pairs: tuple[str, ...]) -> Any:
    """The settings as the API's own schema has them. Raises its Problem."""
    from portal.api import body
    from portal.api.account_settings import Settings

    given: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key or key in given:
            raise Refused(f"Settings are written KEY=VALUE, each once, such as name=Acme; {pair} is not.")
        if key in Settings.accepted:
            raise Refused(f"{key} cannot be set.")
        given[key] = _value(Settings, key, text)
    return body.read(Settings, given)


def _value(schema: Any, key: str, text: str) -> Any:
    """What JSON makes of `text` where the setting takes that, else the text itself: a memo may be 2026."""
    from portal.api import strict_json

    try:
        value = strict_json.loads(text.encode())
    except strict_json.Ambiguous:
        return text
    return value if _fits(schema, key, value) or not _fits(schema, key, text) else text


def _fits(schema: Any, key: str, value: object) -> bool:
    try:
        schema.model_validate({key: value})
    except ValidationError:
        return False
    return True


@click.group("api-key")
def api_key() -> None:
    """API keys: what programs show to load data."""


@api_key.command("create")
@account_option
@with_database
def create_key(house: House, account_id: str | None) -> None:
    """Makes a key and prints it, this once."""
    made, text = ApiKey.mint(chosen_account(account_id), house.now, by=ACTOR)
    said(f"Key {made.id}. It is not kept: put it where you will find it again.")
    click.echo(text)


@api_key.command("list")
@account_option
@with_database
def list_keys(house: House, account_id: str | None) -> None:
    """One key a line: its id, since when, and whether it still opens."""
    keys = ApiKey.select().where(ApiKey.account == chosen_account(account_id))
    for key in keys.order_by(ApiKey.created_at, ApiKey.id):
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "live"
        click.echo(f"{key.id}  {key.created_at:%Y-%m-%d}  {state}")


@api_key.command("revoke")
@click.argument("key_id", metavar="ID")
@with_database
def revoke_key(house: House, key_id: str) -> None:
    """Ends the key ID at once."""
    key = ApiKey.get_or_none(ApiKey.id == key_id)
    if key is None:
        raise Refused(f"There is no API key {key_id}: `portal api-key list` shows their ids.")
    if key.revoked_at is None:
        key.revoke(house.now, ACTOR)
    click.echo("revoked")
