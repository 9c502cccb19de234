"""`portal keys`: the ring that signs links. A key is made, stands by while links need it, and is retired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import click
from peewee import InterfaceError, OperationalError, fn

from portal.cli.desk import House, now, reach, ring_of, said, with_database
from portal.config import Settings, read_settings
from portal.models import base
from portal.models.link import Link
from portal.secret_store import change_keyring
from portal.tokens import KINDS, Key, Keyring, KeyringError, new_kid, new_secret


@click.group()
def keys() -> None:
    """The keys that links are signed with."""


@keys.command()
def new() -> None:
    """Makes a key that signs all links from now on; the earlier ones go on opening theirs.

    While the ring is a file in the data directory the key is put there, and its name is printed. Elsewhere the new
    value of PORTAL_LINK_KEYS is printed.
    """
    settings = read_settings()
    taken = _mentioned(settings)
    if settings.keyring_file is None:
        ring = settings.link_keys and Keyring.parse(settings.link_keys.get_secret_value())
        key = Key(new_kid(taken | set(ring.states if ring else ())), new_secret())
        said("Set PORTAL_LINK_KEYS to this line for every process, and start them again:")
        click.echo((ring.renewed(key) if ring else Keyring([key])).dump())
        return

    made: list[str] = []

    def add(text: str) -> str:
        ring = Keyring.parse(text)
        made.append(new_kid(taken | set(ring.states)))
        return ring.renewed(Key(made[-1], new_secret())).dump()

    change_keyring(settings, add)
    said("This key signs new links from now on. `portal keys status` shows what the others are still needed for.")
    click.echo(made[-1])


@keys.command()
@with_database
def status(house: House) -> None:
    """One key a line: its name, its state, and how many live links need it. `gone`: needed, but not in the ring."""
    needs = _needs(house.now)
    for kid, state in {**house.ring.states, **{kid: "gone" for kid in needs if kid not in house.ring.states}}.items():
        click.echo(f"{kid}  {state:<7}  {needs.get(kid, Need()).told()}")


@keys.command()
@click.argument("kid")
@click.option("--give-up", is_flag=True, help="Do so though links need it: they show the way to a fresh link instead.")
@with_database
def retire(house: House, kid: str, give_up: bool) -> None:
    """Takes the key KID out of the ring, once no live link needs it."""

    def retired(text: str) -> str:
        ring = Keyring.parse(text)
        need = _needs(now()).get(kid, Need())
        without = ring.without(kid)  # refuses a key that is active, or not there
        if not need.links:
            said(f"No live link needs {kid}: it is out of the ring.")
            return without.dump()
        if not give_up:
            raise KeyringError(
                f"{kid} is needed by {need.told()}: refresh or rotate those links, wait until they end, "
                "or give them up with --give-up."
            )
        said(f"{kid} opens nothing any more: {need.told()} show the way to a fresh link instead.")
        return ring.recovering(kid).dump()

    _changed(house.settings, retired)


def _changed(settings: Settings, change: Callable[[str], str]) -> None:
    """Writes the ring where it is ours to write, else prints what it is to be."""
    if settings.keyring_file is not None:
        change_keyring(settings, change)
        return
    text = change(ring_of(settings).dump())
    said("Set PORTAL_LINK_KEYS to this line for every process, and start them again:")
    click.echo(text)


@dataclass
class Need:
    """How many live links need a key, by kind, and until when."""

    links: int = 0
    kinds: str = ""
    last: datetime | None = None
    for_ever: bool = False

    def told(self) -> str:
        if not self.links:
            return "no live links"
        until = "without an end" if self.for_ever else f"the last until {self.last:%Y-%m-%d %H:%M} UTC"
        return f"{self.links} live link{'s' * (self.links > 1)} ({self.kinds}), {until}"


def _needs(at: datetime) -> dict[str, Need]:
    """What live rows say about the keys, in the ring or not."""
    live = Link.ended_at.is_null() & (Link.expires_at.is_null() | (Link.expires_at > at))
    rows = (
        Link.select(Link.kid, Link.kind, fn.COUNT(Link.id), fn.MAX(Link.expires_at))
        .where(live)
        .group_by(Link.kid, Link.kind)
    )
    needs: dict[str, Need] = {}
    for kid, kind, count, last in sorted(base.tuples(rows), key=lambda row: KINDS.index(row[1])):
        need = needs.setdefault(kid, Need())
        need.links += count
        need.kinds = ", ".join(filter(None, [need.kinds, f"{count} {kind}"]))
        if last is None:
            need.for_ever = True
        else:
            end = last if isinstance(last, datetime) else base.instant(last)
            need.last = max(end, need.last or end)
    return needs


def _mentioned(settings: Settings) -> set[str]:
    """The names of keys that rows mention, as far as there are rows: a lost key's name is not given again."""
    try:
        reach(settings)
        with base.connection():
            return {kid for (kid,) in base.tuples(Link.select(Link.kid).distinct())} if Link.table_exists() else set()
    except (OperationalError, InterfaceError, OSError):
        return set()  # keys are made before there is a database to look at
