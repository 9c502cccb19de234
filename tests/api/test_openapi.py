"""The API's own document: valid, complete, with examples that are what they are examples of; and it needs no key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from pydantic import TypeAdapter

from portal.api import strict_json
from portal.api.reference.document import routed
from portal.api.reference.sections import SECTIONS, described
from portal.cli import main
from tests.api.conftest import Call

ERRORS = {"400", "401", "404", "409", "413", "429"}


@pytest.fixture
def document(call: Call) -> dict[str, Any]:
    return call("GET", "/openapi.json", key=None).get_json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_it_is_valid_and_needs_no_key(document: dict[str, Any]) -> None:
    validate(document)

    assert document["openapi"].startswith("3.1.")


def test_every_view_is_described_and_nothing_else(app: Flask) -> None:
    views = {view: f"{method} {rule.rule}" for rule, method, view in routed(app)}

    assert [named for view, named in views.items() if view not in described()] == []
    assert set(described()) <= set(views)
    assert sum(len(section.calls) for section in SECTIONS) == len(described())


def test_every_call_of_the_map_is_in_it(app: Flask, document: dict[str, Any]) -> None:
    assert len(list(operations(document))) == len(list(routed(app)))


def test_every_call_has_words_and_its_errors(document: dict[str, Any]) -> None:
    for name, call in operations(document):
        method = name.partition(" ")[0]
        expected = {"400", "401", "429"} | ({"409"} if method in ("POST", "PATCH") else set())
        expected |= ({"404"} if "{" in name else set()) | ({"413"} if "requestBody" in call else set())
        found = {status for status in call["responses"] if status in ERRORS}

        assert call["summary"], name
        assert call["description"].endswith("."), name
        assert all(one.get("description") for one in call["parameters"] if "$ref" not in one), name
        assert found >= (expected if call.get("security") != [] else {"400"}), name
        assert all(status in ERRORS for status in call["responses"] if status[0] != "2"), name


def test_every_name_of_a_call_is_its_own(document: dict[str, Any]) -> None:
    names = [call["operationId"] for _, call in operations(document)]

    assert len(set(names)) == len(names)


def test_the_shapes_have_names_that_people_can_say(document: dict[str, Any]) -> None:
    assert [name for name in document["components"]["schemas"] if "_" in name] == []


def test_every_example_is_what_it_is_an_example_of(document: dict[str, Any]) -> None:
    def faults(content: dict[str, Any]) -> list[str]:
        validator = Draft202012Validator({**content["schema"], "components": document["components"]})
        examples = [content["example"]] if "example" in content else []
        examples += [one["value"] for one in content.get("examples", {}).values()]
        return [
            f"{list(fault.absolute_path)}: {fault.message}" for one in examples for fault in validator.iter_errors(one)
        ]

    tried = 0
    for name, call in operations(document):
        bodies = [call["requestBody"]["content"]] if "requestBody" in call else []
        for answer in [*call["responses"].values(), *document["components"]["responses"].values()]:
            bodies += [answer["content"]] if "content" in answer else []
        for body in bodies:
            for kind, content in body.items():
                tried += "json" in kind
                assert faults(content) == [], name
    assert tried > 100


def test_every_example_of_a_body_is_taken_by_its_schema() -> None:
    for section in SECTIONS:
        for view, call in section.calls.items():
            assert (call.body is None) == (call.example is None), view.__name__
            if call.body is not None:
                call.body.model_validate(strict_json.loads(json.dumps(call.example).encode()))


def test_every_example_of_an_answer_is_one(document: dict[str, Any]) -> None:
    answers = {call.summary: call for section in SECTIONS for call in section.calls.values()}

    for _, call in operations(document):
        said = answers[call["summary"]]
        content = call["responses"][str(said.status)].get("content")
        if content:
            TypeAdapter(said.answer).validate_json(json.dumps(content["application/json"]["example"]))


def test_a_field_without_effect_is_said_to_be_one(document: dict[str, Any]) -> None:
    body = document["components"]["schemas"]["NewCustomer"]

    assert body["additionalProperties"] is False
    assert body["properties"]["hierarchy"] == {"x-without-effect": True}


def test_ranges_and_lists_are_named_as_they_are_sent(document: dict[str, Any]) -> None:
    names = {one.get("name") for one in document["paths"]["/v1/invoices"]["get"]["parameters"]}

    assert {"status[]", "amount[gt]", "invoice_date[lte]", "limit", "cursor"} <= names


def test_the_command_prints_what_the_address_serves(call: Call, document: dict[str, Any]) -> None:
    printed = CliRunner().invoke(main, ["openapi"], env={"PORTAL_BASE_URL": document["servers"][0]["url"]})

    assert printed.exit_code == 0, printed.stderr
    assert json.loads(printed.stdout) == document


def test_every_field_of_a_body_says_what_it_means(document: dict[str, Any]) -> None:
    bodies = {
        name: shape
        for name, shape in document["components"]["schemas"].items()
        if shape.get("additionalProperties") is False
    }
    fields = [(name, field, said) for name, shape in bodies.items() for field, said in shape["properties"].items()]

    assert [
        f"{name}.{field}" for name, field, said in fields if not (said.keys() & {"description", "x-without-effect"})
    ] == []


def test_a_method_that_is_not_in_it_is_not_taken(call: Call, document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        filled = re.sub(r"{\w+}", "x", path.removeprefix("/v1"))
        for method in {"POST", "PUT", "PATCH", "DELETE"} - {one.upper() for one in methods}:
            if (method, path.startswith("/v1/events/")) == ("PUT", True):  # an event's id may hold `/`
                continue
            status = call(method, filled).status_code
            # Where it is no method of Orb's either: 405; and 404 for what an id that holds `/` could be.
            assert status in (404, 405), f"{method} {path}"
