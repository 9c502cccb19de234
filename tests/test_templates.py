"""What is true of every template: somebody reads it, a fragment names its slot, and nothing in it needs a loose CSP.

Each rule is tried twice: on the house itself, and on a small one that breaks it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
READS = re.compile(r"\{%-?\s*(?:include|extends|import|from)\s+(.*?)%\}", re.DOTALL)
FIRST_TAG = re.compile(r"<[a-z][\w-]*\b[^>]*>", re.DOTALL)
FORBIDDEN = {
    r"\|\s*safe\b|autoescape\s+false": "switches escaping off",
    r"\bhx-on\b|\bhx-on:": "needs eval: hx-on",
    r"[\"'\s](?:js|javascript):": "holds script in an attribute",
}
FORBIDDEN_IN_HTML = {
    r"<[^>]*\sstyle\s*=": "has an inline style",
    r"<style\b": "has an inline stylesheet",
    r"<[^>]*\son[a-z]+\s*=": "has an inline event handler",
    r"<script\b(?![^>]*\ssrc\s*=)": "has an inline script",
    r"<script\b[^>]*>\s*[^<\s]": "has an inline script",
}


def every_template_has_a_reader(root: Path) -> Iterator[str]:
    named = {(None, pattern) for pattern in _named_in_python(root)}
    named |= {(path, pattern) for path in _templates(root) for pattern in _named_in_template(path)}
    compiled = [(by, re.compile(pattern)) for by, pattern in named]  # once: they are more than `re` keeps
    for path in _templates(root):
        name = path.relative_to(root / "templates").as_posix()
        if not any(by != path and pattern.fullmatch(name) for by, pattern in compiled):
            yield f"nobody reads {name}"


def every_fragment_names_its_slot(root: Path) -> Iterator[str]:
    for path in _templates(root):
        if not path.name.startswith("_") or path.suffix != ".html":
            continue
        first = FIRST_TAG.search(re.sub(r"\{#.*?#\}|\{%.*?%\}", "", path.read_text("utf-8"), flags=re.DOTALL))
        nouns = {name.strip("_").replace("_", "-") for name in (path.stem, path.parent.name)}
        slot = re.search(r'\sid="pf-([\w-]+)', first[0]) if first else None
        if not slot or not any(slot[1] == noun or slot[1].startswith(f"{noun}-") for noun in nouns):
            yield f"{path}: its root element needs an id of {' or '.join(f'pf-{noun}' for noun in sorted(nouns))}"


def a_strict_policy_is_enough(root: Path) -> Iterator[str]:
    for path in _templates(root):
        text = path.read_text("utf-8")
        html = JINJA.sub("", text)
        yield from (f"{path} {why}" for pattern, why in FORBIDDEN.items() if re.search(pattern, text))
        yield from (f"{path} {why}" for pattern, why in FORBIDDEN_IN_HTML.items() if re.search(pattern, html, re.I))


RULES_AND_OFFENCES: list[tuple[Callable[[Path], Iterator[str]], dict[str, str]]] = [
    (every_template_has_a_reader, {"invoice/page.html": "<p>"}),
    (every_template_has_a_reader, {"tree.html": "{% include 'tree.html' %}"}),
    (every_fragment_names_its_slot, {"usage/_show.html": "<section>"}),
    (every_fragment_names_its_slot, {"usage/_show.html": "{# id='pf-usage' #}<section id='pf-usage'>"}),
    (every_fragment_names_its_slot, {"usage/_show.html": '<section id="pf-payment">'}),
    (every_fragment_names_its_slot, {"usage/_show.html": '<section><p id="pf-usage"></p></section>'}),
    (every_fragment_names_its_slot, {"usage/_empty.html": "words"}),
    (a_strict_policy_is_enough, {"a.html": "{{ memo | safe }}"}),
    (a_strict_policy_is_enough, {"a.html": "{% autoescape false %}{% endautoescape %}"}),
    (a_strict_policy_is_enough, {"a.html": '<p class="x"\n style="color: {{ brand }}">'}),
    (a_strict_policy_is_enough, {"a.html": "<style>p {}</style>"}),
    (a_strict_policy_is_enough, {"a.html": '<button onclick="pay()">'}),
    (a_strict_policy_is_enough, {"a.html": "<script>pay()</script>"}),
    (a_strict_policy_is_enough, {"a.html": '<script src="x.js">pay()</script>'}),
    (a_strict_policy_is_enough, {"a.html": '<p hx-on::after-swap="pay()">'}),
    (a_strict_policy_is_enough, {"a.html": "<p hx-vals='js:{a: 1}'>"}),
    (a_strict_policy_is_enough, {"a.html": '<a href="javascript:pay()">'}),
]


@pytest.mark.parametrize("rule", dict.fromkeys(rule for rule, _ in RULES_AND_OFFENCES), ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule: Callable[[Path], Iterator[str]]) -> None:
    assert not list(rule(HOUSE))


@pytest.mark.parametrize(("rule", "files"), RULES_AND_OFFENCES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_rule_notices_an_offence(
    rule: Callable[[Path], Iterator[str]], files: dict[str, str], tmp_path: Path
) -> None:
    _write(tmp_path, {f"templates/{name}": content for name, content in files.items()})

    assert list(rule(tmp_path))


@pytest.mark.parametrize(
    "reader",
    [
        {"portal/web/payment.py": "render('payment/_checkout_stripe.html')"},
        {"portal/web/payment.py": "render(f'payment/_checkout_{gateway}.html')"},
        {"templates/payment/_a.html": "{%- include 'payment/_checkout_stripe.html' %}"},
        {"templates/payment/_a.html": "{% include 'payment/_checkout_' ~ gateway ~ '.html' %}"},
        {"templates/payment/_a.html": "{% include ['payment/_b.html', \"payment/_checkout_stripe.html\"] %}"},
    ],
)
def test_a_reader_is_found_however_it_names_the_template(reader: dict[str, str], tmp_path: Path) -> None:
    _write(tmp_path, {"templates/payment/_checkout_stripe.html": "<p>", **reader})

    assert "nobody reads payment/_checkout_stripe.html" not in list(every_template_has_a_reader(tmp_path))


def test_what_is_allowed_is_not_mistaken_for_an_offence(tmp_path: Path) -> None:
    script = '<script src="{{ url_for("static", filename="x.js") }}"></script>'
    page = script + "{% if a > b %}<p>one = two, on = off</p>{% endif %}"
    fragment = '{# first #}\n{% if x %}<tr id="pf-line-{{ line.id }}"><td></td></tr>{% endif %}'
    _write(tmp_path, {"templates/invoice/page.html": page, "templates/invoice/_line.html": fragment})

    assert not list(a_strict_policy_is_enough(tmp_path))
    assert not list(every_fragment_names_its_slot(tmp_path))


def _templates(root: Path) -> list[Path]:
    return sorted(path for path in (root / "templates").rglob("*") if path.is_file() and not path.name.startswith("."))


def _named_in_python(root: Path) -> Iterator[str]:
    """A regular expression for each text in our code that could name a template; holes of f-strings match a word."""
    for path in (root / "portal").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                texts = [str(part.value) if isinstance(part, ast.Constant) else None for part in node.values]
                if re.search(r"\.(html|txt|xml|svg)$", texts[-1] or ""):
                    yield "".join("[^/]+" if text is None else re.escape(text) for text in texts)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
                yield re.escape(node.value)


def _named_in_template(path: Path) -> Iterator[str]:
    for expression in READS.findall(path.read_text("utf-8")):
        texts = [re.escape(double or single) for double, single in re.findall(r'"([^"]*)"|\'([^\']*)\'', expression)]
        yield from ["[^/]+".join(texts)] if "~" in expression else texts


def _write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content + "\n")
