"""The models of bodies, queries and answers as JSON Schema, each under a name that it has alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from portal.api.body import Query

TEMPLATE = "#/components/schemas/{model}"
LONG = re.compile(r"portal__api__(?:\w+?__)?(\w+?)__(\w+)")  # pydantic's names for models whose own names are the same
PAGE = re.compile(r"Page_(\w+)_")


class _Plain(GenerateJsonSchema):
    """Without titles, which say again what things are called."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class Schemas:
    """`Schemas(models)[model]` is what stands for it in the document; `shapes` is what that refers to."""

    def __init__(self, models: Iterable[Any]) -> None:
        wanted = list(dict.fromkeys(models))
        adapters = [(number, "validation", TypeAdapter(model)) for number, model in enumerate(wanted)]
        made, rest = TypeAdapter.json_schemas(adapters, ref_template=TEMPLATE, schema_generator=_Plain)  # type: ignore[arg-type]  # any hashable will do for a key
        self.shapes: dict[str, Any] = _named(_tidy(rest.get("$defs", {})))
        found = {model: _named(_tidy(made[number, "validation"])) for number, model in enumerate(wanted)}
        # A query is a list of parameters, so nothing refers to it as a whole.
        self._found = {model: self._inline(one) if _is_query(model) else one for model, one in found.items()}
        for model, one in found.items():
            if _is_query(model) and "$ref" in one:
                del self.shapes[one["$ref"].rpartition("/")[2]]

    def __getitem__(self, model: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._found[model]
        return found

    def _inline(self, schema: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.shapes[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        return found


def _is_query(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, Query)


def _tidy(part: Any) -> Any:
    """Without what pydantic says besides: titles of models, and nulls for what may be left out."""
    if isinstance(part, list):
        return [_tidy(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        name: {field: _tidy(one) for field, one in value.items()} if name == "properties" else _tidy(value)
        for name, value in part.items()
        if not (name == "title" and isinstance(value, str)) and not (name == "default" and value is None)
    }


def _named(part: Any) -> Any:
    """With short names, which say where they are from only where they have to."""
    if isinstance(part, list):
        return [_named(one) for one in part]
    if isinstance(part, dict):
        return {_short(name) if _is_name(name) else name: _named(value) for name, value in part.items()}
    return _short(part) if isinstance(part, str) and part.startswith(TEMPLATE[:-7]) else part


def _is_name(word: str) -> bool:
    return bool(LONG.search(word) or PAGE.fullmatch(word))


def _short(name: str) -> str:
    def short(found: re.Match[str]) -> str:
        module, model = found.groups()
        return model if "answers" in found[0] else f"{module.title().replace('_', '')}{model}"

    return PAGE.sub(r"\1Page", LONG.sub(short, name))
