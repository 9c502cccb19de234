"""What a schema lets through, in a few words, with the names of the shapes it refers to apart: they become links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Words = str | tuple[str]  # a tuple holds the name of a shape
Kind = list[Words]

PLAIN = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
LONGEST = 12  # choices that are told one by one


def kind(schema: Mapping[str, Any]) -> Kind:
    if "$ref" in schema:
        return [(schema["$ref"].rpartition("/")[2],)]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return _joined([kind(one) for one in schema[word]])
    if isinstance(schema.get("type"), list):
        return _joined([kind({**schema, "type": one}) for one in schema["type"]])
    if "const" in schema:
        return [str(schema["const"])]
    if "enum" in schema:
        return [" · ".join(map(str, schema["enum"][:LONGEST])) + (" …" if len(schema["enum"]) > LONGEST else "")]
    if schema.get("type") == "array":
        return ["list of ", *kind(schema["items"])] if schema.get("items") else ["list"]
    if schema.get("type") == "object" or "properties" in schema:
        return _object(schema)
    return [_plain(schema)]


def _joined(kinds: list[Kind]) -> Kind:
    found: Kind = []
    for one in kinds:
        found += [" or ", *one] if found else one
    return found


def _object(schema: Mapping[str, Any]) -> Kind:
    values = schema.get("additionalProperties")
    return ["object of ", *kind(values)] if isinstance(values, Mapping) and values else ["object"]


def _plain(schema: Mapping[str, Any]) -> str:
    said = PLAIN.get(schema.get("type", ""), "anything")
    if schema.get("format") == "date-time":
        said = "instant"
    if schema.get("format") == "email":
        said = "e-mail address"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        said += f", {low} to {high}"
    elif low:
        said += f", {low} or more"
    if schema.get("maxLength"):
        said += f", at most {schema['maxLength']} characters"
    if schema.get("default") not in (None, []):
        said += f"; {_written(schema['default'])} unless given"
    return said


def _written(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
