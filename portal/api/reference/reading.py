"""The document as people read it: each call in rows and lines of text, each shape as a table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from portal.api.orb_calls import CALLS, OrbCall
from portal.api.reference.document import AN_ID
from portal.api.reference.kind import Kind, kind

EXAMPLES = {"external_id": "crm-7"}
OURS = ("unit", "dimensions", "locale", "permanent_portal_link", "payment_methods")  # fields that no Orb client knows
BY_NAME = {call.name: call for call in CALLS}


class Row(NamedTuple):
    """A parameter, or a field of an object."""

    name: str
    kind: Kind
    meaning: str
    required: bool


class Reading:
    """Answers what the pages ask of the document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.shapes: Mapping[str, Any] = document["components"]["schemas"]
        self.sections = [
            {
                "name": tag["name"],
                "slug": tag["name"].lower().replace(" ", "-"),
                "about": tag["description"],
                "calls": [call for call in self._calls() if tag["name"] in call["tags"]],
            }
            for tag in document["tags"]
        ]

    def _calls(self) -> Iterator[dict[str, Any]]:
        for path, methods in self.document["paths"].items():
            for method, call in methods.items():
                yield {**call, "method": method.upper(), "path": path, "id": call["operationId"]}

    def parameters(self, call: Mapping[str, Any]) -> list[Row]:
        found = [self._resolved(one, "parameters") for one in call["parameters"]]
        return [Row(one["name"], kind(one["schema"]), one["description"], one.get("required", False)) for one in found]

    def body(self, call: Mapping[str, Any]) -> list[Row]:
        schema = self._json(call.get("requestBody", {})).get("schema", {})
        return self.fields(schema["$ref"].rpartition("/")[2]) if "$ref" in schema else []

    def without_effect(self, call: Mapping[str, Any]) -> list[str]:
        """The fields of the body that are taken and mean nothing."""
        schema = self._json(call.get("requestBody", {})).get("schema", {})
        return self.accepted(schema["$ref"].rpartition("/")[2]) if "$ref" in schema else []

    def accepted(self, name: str) -> list[str]:
        fields = self.shapes[name].get("properties", {})
        return [field for field, one in fields.items() if "x-without-effect" in one]

    def files(self, call: Mapping[str, Any]) -> list[str]:
        content = call.get("requestBody", {}).get("content", {})
        return [] if "application/json" in content else list(content)

    def fields(self, name: str) -> list[Row]:
        shape = self.shapes[name]
        needed = shape.get("required", ())
        return [
            Row(field, kind(one), one.get("description", ""), field in needed)
            for field, one in shape.get("properties", {}).items()
            if "x-without-effect" not in one
        ]

    def answer(self, call: Mapping[str, Any]) -> dict[str, Any]:
        status, found = next((status, one) for status, one in call["responses"].items() if status[0] == "2")
        content = self._json(found)
        shown = _pretty(content["example"]) if "example" in content else ""
        return {"status": status, "kind": kind(content["schema"]) if content else None, "example": shown}

    def refusals(self, call: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for status, one in call["responses"].items():
            if status[0] != "2":
                found = self._resolved(one, "responses")
                (content,) = found["content"].values()
                examples = [content["example"]] if "example" in content else []
                examples += [each["value"] for each in content.get("examples", {}).values()]
                yield {
                    "status": status,
                    "when": found["description"],
                    "examples": [_pretty(each) for each in examples],
                }

    def problems(self) -> Iterator[dict[str, Any]]:
        """What any call may be refused with."""
        for one in self.document["components"]["responses"].values():
            (content,) = one["content"].values()
            example = content["example"]
            yield {"status": example["status"], "when": one["description"], "examples": [_pretty(example)]}

    def objects(self) -> Iterator[dict[str, Any]]:
        """Every shape, in the order of the alphabet."""
        for name, shape in sorted(self.shapes.items()):
            whole = None if "properties" in shape else kind(shape)
            about = shape.get("description", "")
            yield {"name": name, "about": about, "kind": whole, "fields": self.fields(name)}

    def curl(self, call: Mapping[str, Any]) -> str:
        asked = urlencode(_needed(call), safe=":")
        address = self.document["servers"][0]["url"] + _filled(call["path"])
        method = "" if call["method"] == "GET" else f"-X {call['method']} "
        parts = [f"curl {method}" + (f"'{address}?{asked}'" if asked else address)]
        if call.get("security") != []:
            parts.append('-H "Authorization: Bearer $KEY"')
        if self.files(call):
            parts.append("-F file=@logo.png")
        elif content := self._json(call.get("requestBody", {})):
            parts += ["-H 'Content-Type: application/json'", f"-d '{_pretty(content['example'])}'"]
        return " \\\n  ".join(parts)

    def client(self, call: Mapping[str, Any]) -> str:
        """The call by Orb's official Python client."""
        content = self._json(call.get("requestBody", {}))
        given: dict[str, Any] = {**_needed(call), **content.get("example", {})}
        orb = BY_NAME.get(call.get("x-orb-call", ""))
        if orb is None:
            body = f", body={given!r}" if content else ""
            return f"orb.{call['method'].lower()}({_filled(call['path'][3:])!r}, cast_to=object{body})"
        return f"{_said(orb)}({', '.join(_arguments(orb, call['path'], given))})"

    def _json(self, holder: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = holder.get("content", {}).get("application/json", {})
        return found

    def _resolved(self, one: Mapping[str, Any], among: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = one
        if "$ref" in one:
            found = self.document["components"][among][one["$ref"].rpartition("/")[2]]
        return found


def _needed(call: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the query that have to be there."""
    asked = [one for one in call["parameters"] if one.get("in") == "query" and one.get("required")]
    return {one["name"]: one["example"] for one in asked}


def _said(orb: OrbCall) -> str:
    return f"orb.{orb.name}"


def _arguments(orb: OrbCall, path: str, given: Mapping[str, Any]) -> Iterator[str]:
    """The last id of the path stands first and alone; the others and the body's fields have their names."""
    values = [EXAMPLES.get(name, AN_ID) for name in re.findall(r"{(\w+)}", path)]
    if values:
        yield repr(values[-1])
    yield from (f"{name}={value!r}" for name, value in zip(orb.parameters[:-1], values[:-1], strict=True))
    ours = {name: value for name, value in given.items() if name in OURS}
    yield from (f"{name}={value!r}" for name, value in given.items() if name not in ours)
    if ours:
        yield f"extra_body={ours!r}"


def _filled(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda found: EXAMPLES.get(found[1], AN_ID), path)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
