"""An example of whatever a schema describes, put together from the examples of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
PLAIN = {"string": "text", "integer": 1, "number": 1, "boolean": False, "null": None, "object": {}}


def example(schema: Schema, shapes: Mapping[str, Schema]) -> Any:
    """A value that `schema` allows; what it refers to stands in `shapes`. Without one of its own, null where it may."""
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    if "$ref" in schema:
        return example(shapes[schema["$ref"].rpartition("/")[2]], shapes)
    for word in ("oneOf", "anyOf"):
        if word in schema:
            nullable = any(one.get("type") == "null" for one in schema[word])
            return None if nullable else example(schema[word][0], shapes)
    if schema.get("type") == "array":
        return [example(schema["items"], shapes)]
    if "properties" in schema:
        return {name: example(one, shapes) for name, one in schema["properties"].items()}
    return PLAIN.get(schema.get("type", "null"))
