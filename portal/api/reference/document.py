"""The API as one OpenAPI 3.1 document, made from the routes of the app and what is said of each view."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from portal.api import idempotency
from portal.api.absent import shape
from portal.api.answers.problem import Problem
from portal.api.orb_calls import CALLS, OrbCall
from portal.api.reference import refusals
from portal.api.reference.call import Call, Section, View
from portal.api.reference.example import example
from portal.api.reference.fields import meaning
from portal.api.reference.schemas import Schemas
from portal.api.reference.sections import SECTIONS, described
from portal.api.reference.words import said_of

JSON = "application/json"
AN_ID = "XimGiw3pnsgusvc3"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ABOUT = """\
Bodies and answers have the shapes of Orb's public API, so its official clients work against this one.

Bodies are JSON, read strictly: an unknown field is refused by name; one of Orb's that means nothing here is taken
without effect. Amounts are text, quantities are exact numbers, days are dates, instants are in UTC. Every key of an
answer is always there; what has no value is null. A client must bear keys that are not named here.
"""
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes the request happen once: the same one with the same key is answered the same for 48 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": f"^{idempotency.KEY.pattern}$"},
    "example": "4711-create",
}


def routed(app: Flask) -> Iterator[tuple[Rule, str, View]]:
    """Every route of the API with its method, and the view behind it."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/v1/"):
            view = inspect.unwrap(app.view_functions[rule.endpoint])
            yield from ((rule, method, view) for method in METHODS if method in (rule.methods or ()))


def document(app: Flask, base_url: str) -> dict[str, Any]:
    """The whole document: every view that a section speaks of, in the order of the sections."""
    said = described()
    order = {view: number for number, view in enumerate(said)}
    places = sorted((place for place in routed(app) if place[2] in said), key=lambda place: order[place[2]])
    calls = [said[view][1] for _, _, view in places]
    schemas = Schemas(
        [model for call in calls for model in (call.body, call.query, call.answer) if model is not None] + [Problem]
    )
    _explain(calls, schemas)
    paths: dict[str, Any] = {}
    for rule, method, view in places:
        section, call = said[view]
        paths.setdefault(_path(rule), {})[method.lower()] = _operation(rule, method, view, section, call, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Invoice portal", "version": version("invoice-portal"), "description": ABOUT},
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "tags": [{"name": section.name, "description": section.about} for section in SECTIONS],
        "paths": paths,
        "components": {
            "schemas": schemas.shapes,
            "responses": refusals.responses(),
            "parameters": {"IdempotencyKey": KEY},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "`portal api-key create` prints one."}
            },
        },
    }


def _explain(calls: list[Call], schemas: Schemas) -> None:
    """A field of a body that says nothing about itself means what its name does, or the same field of the answer."""
    meant = {_ref(schemas[call.body]): call.answer for call in calls if call.body}
    for body, schema in schemas.shapes.items():
        if schema.get("additionalProperties") is not False:
            continue
        answered = getattr(meant.get(body), "model_fields", {})
        for name, field in schema.get("properties", {}).items():
            same = answered[name].description if name in answered else None
            words = meaning(body, name) or same
            if words and "x-without-effect" not in field:
                field.setdefault("description", words)


def _ref(schema: dict[str, Any]) -> str:
    name: str = schema["$ref"].rpartition("/")[2]
    return name


def _path(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def _operation(rule: Rule, method: str, view: View, section: Section, call: Call, schemas: Schemas) -> dict[str, Any]:
    orb = of_orb(method, rule.rule)
    name = orb.name if orb else f"{section.name.lower()}.{view.__name__}"
    found: dict[str, Any] = {
        "operationId": re.sub(r"\W", "_", name),
        "summary": call.summary,
        "description": call.description or f"{call.summary}.",
        "tags": [section.name],
        "parameters": [*_in_path(rule), *_in_query(call, schemas)],
        "responses": _responses(rule, method, call, schemas),
    }
    if orb:
        found["x-orb-call"] = orb.name
    if method in ("POST", "PATCH"):
        found["parameters"].append({"$ref": "#/components/parameters/IdempotencyKey"})
    if call.public:
        found["security"] = []
    return found | _body(call, schemas)


def of_orb(method: str, path: str) -> OrbCall | None:
    """Orb's call with this method and path, if it has one."""
    same = (method, shape(path.removeprefix("/v1")))
    return next((call for call in CALLS if (call.method, shape(call.path)) == same), None)


def _in_path(rule: Rule) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", _path(rule)):
        # The server decodes %2F before it looks at routes, so an id in the middle of one cannot be empty or hold `/`.
        schema = {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}
        about = said_of(name) or "The id of it."
        yield {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


def _in_query(call: Call, schemas: Schemas) -> Iterator[dict[str, Any]]:
    if call.query is None:
        return
    given = schemas[call.query]
    for field, schema in given.get("properties", {}).items():
        name = f"{field}[]" if field in call.query.many else field
        schema = dict(_without_null(schema))
        said = {"description": schema.pop("description", None) or said_of(name)}
        needed: dict[str, Any] = {}
        if field in given.get("required", ()):
            needed = {"required": True, "example": AN_ID if field.endswith("_id") else example(schema, schemas.shapes)}
        if schema.pop("x-without-effect", False):
            said["description"] = "Taken without effect."
        yield {"name": name, "in": "query", **said, **needed, "schema": schema}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is not there has no value; it cannot be null."""
    kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(kinds) == 1 and len(schema["anyOf"]) > 1:
        return {**kinds[0], **{name: value for name, value in schema.items() if name != "anyOf"}}
    return schema


def _body(call: Call, schemas: Schemas) -> dict[str, Any]:
    if call.files:
        picture: dict[str, Any] = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in call.files}
        form = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
        if "multipart/form-data" in picture:
            picture["multipart/form-data"] = {"schema": form}
        return {"requestBody": {"required": True, "content": picture}}
    if call.body is None:
        return {}
    schema = schemas[call.body]
    # No body at all reads as {}, which is what the official client sends with calls that take nothing.
    needed = bool(schemas.shapes[_ref(schema)].get("required")) if "$ref" in schema else False
    content = {"schema": schema, "example": dict(call.example or {})}
    return {"requestBody": {"required": needed, "content": {JSON: content}}}


def _responses(rule: Rule, method: str, call: Call, schemas: Schemas) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": f"{call.summary}: done." if method != "GET" else "As asked for."}
    if call.answer is not None:
        schema = schemas[call.answer]
        answer["content"] = {JSON: {"schema": schema, "example": example(schema, schemas.shapes)}}
    named = "{" in _path(rule) or call.finds
    wanted = refusals.wanted(method, public=call.public, named=named, body=bool(call.body or call.files))
    return {str(call.status): answer, **refusals.told(wanted, call.refused)}
