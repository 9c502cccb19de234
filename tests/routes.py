"""Routes as Werkzeug has them, compiled once a process: an app is made for nearly every test, all with the same ones.

What builds their addresses is compiled when an address is first built; most tests build none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

PARSED = ("_parts", "_trace", "_converters", "arguments")
_parsed: dict[tuple[object, ...], dict[str, Any]] = {}


class LateRule(Rule):
    def compile(self) -> None:
        key = (self.rule, self.subdomain, self.host, self.merge_slashes, self.websocket, self.is_leaf)
        known = _parsed.get(key)
        if known is None:
            super().compile()
            _parsed[key] = {name: getattr(self, name) for name in PARSED}
            return
        self.__dict__.update(known)
        self._build = self._compile_builder(False).__get__(self, None)
        self._build_unknown = self._compile_builder(True).__get__(self, None)

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            compiled = Rule._compile_builder(self, append_unknown)
            setattr(self, "_build_unknown" if append_unknown else "_build", compiled.__get__(self, None))
            return compiled(rule, **values)

        return build


def build_late(app: type[Any] = Flask) -> None:
    app.url_rule_class = LateRule
