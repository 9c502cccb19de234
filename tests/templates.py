"""Templates compiled once a process: an app is made for nearly every test, and each would compile them again."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.templating import Environment
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class _Compiled(BytecodeCache):
    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        kept = self._kept.get((bucket.key, bucket.checksum))
        if kept:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


def compile_once(app: type[Any] = Flask) -> None:
    compiled = _Compiled()

    class Sharing(Environment):
        def __init__(self, app: Any, **options: Any) -> None:
            super().__init__(app, **{**options, "bytecode_cache": compiled})

    app.jinja_environment = Sharing
