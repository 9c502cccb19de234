"""Routes as Werkzeug has them, but for what builds their addresses: that is compiled when an address is first built.

An app is made for nearly every test, and most of that time would go into builders that the test never uses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.routing import Rule


class LateRule(Rule):
    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            compiled = Rule._compile_builder(self, append_unknown)
            setattr(self, "_build_unknown" if append_unknown else "_build", compiled.__get__(self, None))
            return compiled(rule, **values)

        return build


def build_late(app: type[Any] = Flask) -> None:
    app.url_rule_class = LateRule
