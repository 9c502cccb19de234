"""The README leaves nothing out: each setting, each address and each command stands in it, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from flask import Flask

from portal.app import create_app
from portal.cli import main
from portal.config import Settings, described
from portal.models import base

HOUSE = Path(__file__).parents[1]
README = (HOUSE / "README.md").read_text()
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    bound = base.db.obj
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("data")))
    base.db.initialize(bound)
    return app


@pytest.mark.parametrize("setting", described(), ids=lambda setting: setting.variable)
def test_each_setting_has_its_row(setting: tuple[str, str, str, str]) -> None:
    variable, default, unit, description = setting

    assert f"| `{variable}` | {default} | {unit} | {description} |\n" in README


def test_no_setting_is_made_up() -> None:
    assert set(re.findall(r"PORTAL_[A-Z_]+[A-Z]", README)) <= {setting.variable for setting in described()}


def test_each_address_is_listed(app: Flask) -> None:
    assert sorted(addresses(app) - listed()) == []


def test_no_address_is_made_up(app: Flask) -> None:
    assert sorted(listed() - addresses(app)) == []


def test_each_command_is_listed() -> None:
    chapter = README.partition("## Commands")[2].partition("\n## ")[0]

    assert [name for name in commands(main, "portal") if not re.search(rf"`{name}[ `]", chapter)] == []


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/api.md",
        "docs/billing.md",
        "docs/events.md",
        "docs/links.md",
        "docs/payments.md",
        "docs/quickstart.md",
        "docs/sdk.md",
        "docs/stripe.md",
        "CONTRIBUTING.md",
    ],
)
def test_what_is_linked_is_there(page: str) -> None:
    folder = (HOUSE / page).parent

    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (HOUSE / page).read_text()):
        assert target.startswith("https://") or (folder / target).exists(), target


def test_decisions_that_are_mentioned_exist() -> None:
    decided = set(re.findall(r"^## (\d+)\.", (HOUSE / "portal/DECISIONS.md").read_text(), re.MULTILINE))
    mentioned = {
        number
        for path in (HOUSE / "portal").rglob("*.py")
        for number in re.findall(r"decision (\d+)", path.read_text())
    }

    assert mentioned <= decided


def addresses(app: Flask) -> set[str]:
    """All that the app answers to. Under /v1 with the method; of pages that stand in several places, the first."""
    found = set()
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^:>]+:", "<", rule.rule)
        if path.startswith("/v1/"):
            found |= {f"{method} {path}" for method in (rule.methods or set()) & METHODS}
        else:
            path = re.sub(r"^/s/", "/c/", path)
            found.add(re.sub(r"^/c/<token>/invoices/<invoice_id>/(?=.)", "/i/<token>/", path))
    return found


def listed() -> set[str]:
    """Every address in the README's own chapter about them."""
    chapter = README.partition("## Addresses")[2].partition("\n## ")[0]
    rows = re.findall(r"`((?:(?:GET|POST|PUT|PATCH|DELETE) )?/[^`]*)`", chapter)
    return {row for row in rows if row not in ("/", "/i/", "/c/", "/s/", "/static/…")}


def commands(group: click.Group, name: str) -> list[str]:
    found = []
    for command in group.commands.values():
        named = f"{name} {command.name}"
        found += commands(command, named) if isinstance(command, click.Group) else [named]
    return found
