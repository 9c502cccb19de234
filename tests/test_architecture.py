"""Who may import whom, and what is written nowhere in the Python of this house.

Each rule is a function from a root folder to its offences, and is tried twice: on the house itself, and on a small
house that breaks it, so that a rule which has gone blind is noticed. Rules for templates: test_templates.py.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TypeVar

import pytest

Node = TypeVar("Node", bound=ast.AST)
HOUSE = Path(__file__).parents[1]
TOP = {"app", "printing", "serve", "cli", "demo", "__main__"}  # these know everyone, and no floor imports them
READS_THE_CLOCK = TOP | {"rates", "sandbox"}  # the library that counts requests keeps its own time; so does a bank
LEAVES = {"tokens", "current", "assets", "compression", "logs", "rates"}  # these import nothing of ours
COMMON = {"domain", "models", "gateways", "cashier", "documents", "delivery"} | LEAVES
MAY_IMPORT = {
    "__init__": set(),
    "domain": {"domain"},
    "config": set(),
    "secret_store": {"config"},
    **{leaf: set() for leaf in LEAVES},
    "stamps": {"tokens"},
    "models": {"domain", "models"},
    "gateways": {"gateways", "secret_store"},
    "cashier": {"domain", "models", "gateways", "cashier"},
    "documents": {"domain", "models", "tokens", "documents"},
    "delivery": {"domain", "models", "gateways", "cashier", "tokens", "delivery"},
    "web": COMMON | {"web"},
    "api": COMMON | {"api"},
    # A process of its own, which only the commands and the demo start.
    "sandbox": {"domain", "config", "secret_store", "tokens", "assets", "sandbox"},
}
FLASK = {"flask", "flask_wtf", "htmx_flask", "werkzeug"}
MUST_NOT_IMPORT = {
    "domain": {"os", "time", "random", "secrets"},
    "tokens": FLASK | {"peewee", "playhouse"},
    "models": FLASK,
    "cashier": FLASK | {"peewee", "playhouse"},
    "gateways": FLASK | {"peewee", "playhouse"},
}
THE_ONE_PARSER = {"sqlglot"}
CLOCK = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}
WAIVER = re.compile(r"#\s*(noqa|type:\s*ignore)\b(?P<codes>:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|\[[\w, -]+\])?(?P<why>.*)")


def floors(root: Path) -> Iterator[str]:
    for module, imported in _own_imports(root):
        floor, other = _floor(module), _floor(imported)
        if floor not in MAY_IMPORT and floor not in TOP:
            yield f"{module} is on no floor that this test knows"
        elif floor not in TOP and other not in MAY_IMPORT[floor]:
            yield f"{module} imports {imported}"


def gateways_stand_apart(root: Path) -> Iterator[str]:
    for module, imported in _own_imports(root):
        itself = imported.split(".")[:3] == module.split(".")[:3]  # a gateway may be a package
        if _floor(module) == "gateways" == _floor(imported) and imported != "portal.gateways" and not itself:
            yield f"{module} imports {imported}: a gateway knows the contract, not its neighbours"


def the_sandbox_stands_apart(root: Path) -> Iterator[str]:
    for module, imported in _own_imports(root):
        if _floor(imported) == "sandbox" and _floor(module) not in {"sandbox", "cli", "demo"}:
            yield f"{module} imports {imported}: the portal speaks to the sandbox over HTTP only"


def foreign_packages(root: Path) -> Iterator[str]:
    for module, path in _modules(root).items():
        floor = _floor(module)
        for name in {name.split(".")[0] for name in _imports(module, path) if not name.startswith("portal")}:
            if name in MUST_NOT_IMPORT.get(floor, ()):
                yield f"{module} imports {name}"
            elif floor == "domain" and name not in sys.stdlib_module_names | THE_ONE_PARSER:
                yield f"{module} imports {name}: the domain needs the standard library and one parser only"


def no_cycle(root: Path) -> Iterator[str]:
    modules = _modules(root)
    graph = {
        name: {_resolve(found, modules) for found in _imports(name, path, at_import=True)} & set(modules) - {name}
        for name, path in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield " -> ".join(error.args[1])


def the_clock(root: Path) -> Iterator[str]:
    for module, path in _modules(root).items():
        for node in _nodes(path, ast.Call):
            called = ast.unparse(node.func).split(".")
            if _floor(module) not in READS_THE_CLOCK and tuple(called[-2:]) in CLOCK:
                yield f"{path}:{node.lineno} asks the clock: pass `now`"


def no_float(root: Path) -> Iterator[str]:
    for module, path in _modules(root).items():
        for node in _nodes(path, ast.Call):
            if _floor(module) in {"domain", "models"} and ast.unparse(node.func) == "float":
                yield f"{path}:{node.lineno} makes a float"


def nothing_unescaped(root: Path) -> Iterator[str]:
    for path in _modules(root).values():
        for node in _nodes(path, ast.Call):
            if ast.unparse(node.func).split(".")[-1] in {"Markup", "render_template_string"}:
                yield f"{path}:{node.lineno} makes HTML outside the templates"


def no_catch_all(root: Path) -> Iterator[str]:
    for path in _modules(root).values():
        for node in _nodes(path, ast.ExceptHandler):
            caught = ast.walk(node.type) if node.type else [ast.Name("BaseException")]
            if any(isinstance(part, ast.Name) and part.id in {"Exception", "BaseException"} for part in caught):
                yield f"{path}:{node.lineno} catches everything"


def waivers_say_why(root: Path) -> Iterator[str]:
    for folder in ("portal", "migrations", "tests", "e2e", "benchmarks"):
        for path in (root / folder).rglob("*.py"):
            for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
                found = WAIVER.search(token.string) if token.type == tokenize.COMMENT else None
                if found and not (found["codes"] and re.search(r"[A-Za-z]{3}", found["why"])):
                    yield f"{path}:{token.start[0]} waives a check without its code and a reason"


def no_drawer_for_everything(root: Path) -> Iterator[str]:
    for module, path in _modules(root).items():
        if path.stem in {"utils", "helpers", "common", "misc", "manager"}:
            yield f"{module}: name it for what is in it"
        if len(path.relative_to(root / "portal").parts) > 3:
            yield f"{module} lies more than two folders deep"


RULES_AND_OFFENCES: list[tuple[Callable[[Path], Iterator[str]], dict[str, str]]] = [
    (floors, {"portal/domain/money.py": "from portal import tokens", "portal/tokens.py": ""}),
    (floors, {"portal/models/link.py": "def f():\n    from portal.app import create_app", "portal/app.py": ""}),
    (floors, {"portal/api/links.py": "from ..web import access", "portal/web/access.py": ""}),
    (floors, {"portal/web/links.py": "import portal.api.errors", "portal/api/errors.py": ""}),
    (floors, {"portal/web/demo.py": "import portal.demo", "portal/demo.py": ""}),
    (floors, {"portal/current.py": "from portal.models.link import Link", "portal/models/link.py": ""}),
    (floors, {"portal/attic.py": "import portal.tokens", "portal/tokens.py": ""}),
    (floors, {"portal/__init__.py": "from portal.tokens import Keyring", "portal/tokens.py": ""}),
    (gateways_stand_apart, {"portal/gateways/a.py": "from portal.gateways import b", "portal/gateways/b.py": ""}),
    (floors, {"portal/sandbox/app.py": "import portal.models.link", "portal/models/link.py": ""}),
    (the_sandbox_stands_apart, {"portal/serve.py": "import portal.sandbox.app", "portal/sandbox/app.py": ""}),
    (foreign_packages, {"portal/domain/money.py": "import peewee"}),
    (foreign_packages, {"portal/domain/periods.py": "from time import monotonic"}),
    (foreign_packages, {"portal/models/link.py": "from flask import g"}),
    (foreign_packages, {"portal/gateways/stripe.py": "def f():\n    import flask"}),
    (foreign_packages, {"portal/tokens.py": "import peewee"}),
    (no_cycle, {"portal/web/a.py": "from . import b", "portal/web/b.py": "from portal.web.a import f"}),
    (the_clock, {"portal/domain/expiry.py": "import datetime as d\nd.datetime.now(d.UTC)"}),
    (the_clock, {"portal/models/link.py": "from datetime import date\ndate.today()"}),
    (no_float, {"portal/domain/money.py": "float('1.1')"}),
    (nothing_unescaped, {"portal/web/filters.py": "import markupsafe\nmarkupsafe.Markup('<b>')"}),
    (
        nothing_unescaped,
        {"portal/web/page.py": "from flask import render_template_string as r\nrender_template_string('')"},
    ),
    (no_catch_all, {"portal/web/page.py": "try:\n    f()\nexcept (ValueError, Exception):\n    pass"}),
    (no_catch_all, {"portal/web/page.py": "try:\n    f()\nexcept:\n    pass"}),
    (waivers_say_why, {"tests/test_page.py": "f()  # noqa: F821"}),
    (waivers_say_why, {"portal/page.py": "f()  # type: ignore  # the stubs are wrong here"}),
    (no_drawer_for_everything, {"portal/web/utils.py": ""}),
    (no_drawer_for_everything, {"portal/web/console/pages/home.py": ""}),
]


@pytest.mark.parametrize("rule", dict.fromkeys(rule for rule, _ in RULES_AND_OFFENCES), ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule: Callable[[Path], Iterator[str]]) -> None:
    assert not list(rule(HOUSE))


@pytest.mark.parametrize(("rule", "files"), RULES_AND_OFFENCES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_rule_notices_an_offence(
    rule: Callable[[Path], Iterator[str]], files: dict[str, str], tmp_path: Path
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content + "\n")

    assert list(rule(tmp_path))


def _own_imports(root: Path) -> Iterator[tuple[str, str]]:
    """(module, module of ours that it imports), wherever in the file it does so."""
    modules = _modules(root)
    for module, path in modules.items():
        for name in _imports(module, path):
            if name.split(".")[0] == "portal":
                yield module, _resolve(name, modules)


def _modules(root: Path) -> dict[str, Path]:
    """Dotted names, without `_assets`, which belongs to the build."""
    found = sorted((root / "portal").rglob("*.py"))
    paths = [path for path in found if "_assets" not in path.parts]
    return {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def _resolve(name: str, modules: dict[str, Path]) -> str:
    """`portal.models.link.Link` is a name in the module `portal.models.link`; `portal.x` that is nowhere is itself."""
    parent = name.rpartition(".")[0]
    return name if name in modules or parent in {"", "portal"} else parent if parent in modules else name


def _floor(module: str) -> str:
    return [*module.split("."), "__init__"][1]


def _imports(module: str, path: Path, *, at_import: bool = False) -> Iterator[str]:
    """Every name imported; `at_import`: only what importing the module itself imports."""
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    for node in _executed(_parsed(path)) if at_import else ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from (base if alias.name == "*" else f"{base}.{alias.name}" for alias in node.names)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if not later and not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child
            yield from _executed(child)


def _nodes(path: Path, kind: type[Node]) -> list[Node]:
    return [node for node in ast.walk(_parsed(path)) if isinstance(node, kind)]


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))
